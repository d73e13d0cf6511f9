"""What operators and the trainer order, each from an event time on: policies, models, suppressions.

It holds what is in force and what is still to come. It neither folds nor scores, and reads no topic.
"""
