"""Fetched records in, refusals and scorings out, for all partitions that a process owns.

It decodes and dispatches. What a partition does with its events belongs in partition/.
"""
