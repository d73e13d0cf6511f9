"""What every Kafka client of ours shares: the durable producer, and reading a topic to its end.

It knows no Avro and no domain.
"""
