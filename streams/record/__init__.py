"""What is known of a borrower: the packed record, its layouts and units, and what can be read from it.

Nothing here changes by an event (fold/) and nothing here judges (indicators/, scoring/).
"""
