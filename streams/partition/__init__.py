"""One partition: its borrowers' records, its way through event time, and the undo log that rewinds a record.

It knows no Kafka client, no clock and no other partition.
"""
