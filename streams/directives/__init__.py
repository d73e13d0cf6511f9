"""Directives: policies, models and suppressions that take effect at an event time, and what is in force in a partition.

It knows no topic's client and no event; the worker and the replay read the records and add them here.
"""
