"""What reads topics for people: the loader and its warehouse, queries, reports, exports, and following alerts.

It knows ClickHouse and consumes topics. How a borrower is scored belongs in streams/.
"""
