"""Faust and aiokafka as we use them: batches instead of single records, commits by our own book.

It knows transport only: no borrower, event or score.
"""
