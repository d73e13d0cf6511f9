"""Reading to the end on a real broker: complete, in order, from given offsets, and an error where no end is reached."""

import time

import pytest
from confluent_kafka import TopicPartition

from loanpulse.broker.producer import DurableProducer
from loanpulse.broker.read_to_end import EndNotReachedError, TopicMissingError, partitions_from_beginning, read_to_end
from loanpulse.settings import Settings, load
from loanpulse.settings.broker import producer_properties
from tests.support.topic_values import reading_consumer, values_of

pytestmark = pytest.mark.integration


def numbered(first: int, count: int) -> list[bytes]:
    return [b"%05d" % number for number in range(first, first + count)]


def publish(settings: Settings, topic: str, partition: int, values: list[bytes]) -> None:
    producer = DurableProducer(producer_properties(settings))
    producer.produce_batch(topic, partition, [{"key": b"k", "value": value} for value in values])
    producer.flush()


def test_all_partitions_are_read_whole_also_the_last_batch(broker_settings: Settings, topic: str) -> None:
    publish(broker_settings, topic, 0, numbered(0, 7_000))
    publish(broker_settings, topic, 0, numbered(7_000, 3_000))
    consumer = reading_consumer(broker_settings)
    assert values_of(consumer, topic) == {0: numbered(0, 10_000)}, "partition 1 is empty"
    publish(broker_settings, topic, 1, numbered(0, 5))
    assert values_of(consumer, topic) == {0: numbered(0, 10_000), 1: numbered(0, 5)}, "a consumer can read again"
    consumer.close()


def test_reading_starts_at_the_offsets_given(broker_settings: Settings, topic: str) -> None:
    publish(broker_settings, topic, 0, numbered(0, 10))
    publish(broker_settings, topic, 1, numbered(0, 3))
    consumer = reading_consumer(broker_settings)
    starts = [TopicPartition(topic, 0, 4), TopicPartition(topic, 1, 3)]
    assert values_of(consumer, topic, starts) == {0: numbered(4, 6)}
    consumer.close()


def test_the_consumer_follows_the_partitions_afterwards(broker_settings: Settings, topic: str) -> None:
    consumer = reading_consumer(broker_settings)
    assert values_of(consumer, topic) == {}
    publish(broker_settings, topic, 1, [b"later"])
    found: list[bytes] = []
    deadline = time.monotonic() + 20.0
    while not found and time.monotonic() < deadline:
        found += [message.value() for message in consumer.consume(10, 0.2) if message.error() is None]
    assert found == [b"later"]
    consumer.close()


def test_a_missing_topic_is_named(broker_settings: Settings, topic: str) -> None:
    consumer = reading_consumer(broker_settings)
    with pytest.raises(TopicMissingError, match="topic none is missing"):
        partitions_from_beginning(consumer, [topic, "none"])
    consumer.close()


def test_without_a_broker_reading_ends_with_an_error() -> None:
    settings = load(environment={"LOANPULSE_BROKER__BOOTSTRAP_SERVERS": "127.0.0.1:1"})
    consumer = reading_consumer(settings)
    with pytest.raises(EndNotReachedError, match="delivered nothing of t for 0 s"):
        list(read_to_end(consumer, [TopicPartition("t", 0, 0)], 0.3))
    consumer.close()
