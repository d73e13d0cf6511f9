"""The values of a topic's records by partition, for tests of what is on a broker."""

import uuid
from collections import defaultdict

from confluent_kafka import Consumer, TopicPartition

from loanpulse.broker.read_to_end import READ_TO_END_PROPERTIES, partitions_from_beginning, read_to_end
from loanpulse.settings import Settings
from loanpulse.settings.broker import consumer_properties

MAX_SILENCE_SECONDS = 30.0


def reading_consumer(settings: Settings) -> Consumer:
    """Return a consumer of its own group that reads to the end."""
    return Consumer(consumer_properties(settings, f"test-{uuid.uuid4().hex[:8]}", **READ_TO_END_PROPERTIES))


def values_of(consumer: Consumer, topic: str, partitions: list[TopicPartition] | None = None) -> dict[int, list[bytes]]:
    """Return the values of the topic, or of these partitions from their offsets on."""
    found: dict[int, list[bytes]] = defaultdict(list)
    for message in read_to_end(
        consumer, partitions or partitions_from_beginning(consumer, [topic]), MAX_SILENCE_SECONDS
    ):
        found[message.partition()].append(message.value())
    return dict(found)
