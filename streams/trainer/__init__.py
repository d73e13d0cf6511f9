"""The trainer as a process: it reads topics, and publishes training examples, model versions and model health.

The learning itself is in learning/; this room connects it to topics, clocks and files.
"""
