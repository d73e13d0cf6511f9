"""One partition: its borrowers' state, its way through event time, and the undo log that lets it go back.

It knows nothing of Kafka clients or of other partitions.
"""
