"""What a scoring means for each lender: which alerts it gets, with which reasons, actions, help and contact time.

Functions decide and return values; the partition applies them to its budgets and records. The room knows no topic.
"""
