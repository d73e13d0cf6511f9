"""Faust and aiokafka as we use them: one message per fetched batch, and commits of marked offsets only.

It knows the transport only: no borrower, event or score.
"""
