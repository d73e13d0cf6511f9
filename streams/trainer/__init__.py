"""The trainer as a process: topics in, learned versions and model health out.

What learns is in learning/; here it is wired to topics, time and files.
"""
