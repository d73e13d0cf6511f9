"""Orders to forget on the topics, and what the topics still hold of a borrower."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition

from loanpulse.schemas.forgetting import forget_headers
from loanpulse.schemas.partitioning import partition_of
from loanpulse.schemas.topics import BORROWERS_CHANGELOG, EVENT_TOPICS, Topic, full_name
from loanpulse.settings import Settings
from loanpulse.settings.broker import consumer_properties, producer_properties
from loanpulse.sinks.blocks import Place

READ_AT_ONCE = 10_000
POLL_SECONDS = 0.5
BROKER_SECONDS = 15.0
QUIET_SECONDS = 20.0


class TopicsUnreadableError(RuntimeError):
    """The topics can't be read or written; the text says why."""


@dataclass(frozen=True, slots=True)
class Remains:
    """What a topic still holds of a borrower.

    ``records`` carry the pseudonym. ``until`` is when the last of them expires; None where the broker's compaction
    removes them. ``live`` tells whether a reader of a compacted topic would still get something.
    """

    topic: str
    records: int
    until: datetime | None
    live: bool


def send_orders(settings: Settings, topics: Iterable[str], borrower_id: str, request_id: str) -> dict[Place, int]:
    """Write the order to forget to topics (bare names); returns where each stands. Raises TopicsUnreadableError."""
    placed: dict[Place, int] = {}
    failed: list[str] = []

    def note(error: Any, message: Any) -> None:
        if error is not None:
            failed.append(error.str())
        else:
            placed[message.topic(), message.partition()] = message.offset()

    producer = Producer(producer_properties(settings))
    for topic in topics:
        producer.produce(
            full_name(topic, settings.topics.prefix), key=borrower_id.encode(), value=None,
            headers=forget_headers(request_id), on_delivery=note,
        )  # fmt: skip
    if producer.flush(BROKER_SECONDS) or failed:
        raise TopicsUnreadableError(f"the broker did not take the order: {next(iter(failed), 'no answer')}")
    return placed


def followed_by_worker(settings: Settings, placed: dict[Place, int]) -> bool:
    """Tell whether the workers have come past their orders. Raises TopicsUnreadableError."""
    prefix = settings.topics.prefix
    events = {full_name(name, prefix) for name in EVENT_TOPICS}
    wanted = [TopicPartition(topic, partition) for topic, partition in placed if topic in events]
    consumer = Consumer(consumer_properties(settings, prefix + settings.streams.consumer_group))
    try:
        committed = consumer.committed(wanted, timeout=BROKER_SECONDS)
    except KafkaException as error:
        raise TopicsUnreadableError(f"the workers' offsets can't be read: {error.args[0].str()}") from error
    finally:
        consumer.close()
    return all(place.offset > placed[place.topic, place.partition] for place in committed)


def in_state(settings: Settings, borrower_id: str) -> bool:
    """Tell whether a worker that recovers now would know the borrower. Raises TopicsUnreadableError."""
    topic = full_name(BORROWERS_CHANGELOG, settings.topics.prefix)
    partition = partition_of(borrower_id.encode(), settings.topics.partitions)
    newest: bytes | None = None
    key = borrower_id.encode()
    for message in _records(settings, [TopicPartition(topic, partition)]):
        if message.key() == key:
            newest = message.value()
    return newest is not None


def search(settings: Settings, topics: Iterable[Topic], borrower_id: str, tell: Callable[[str], None]) -> list[Remains]:
    """Read topics (full names) whole and return what they hold of a borrower; ``tell`` hears which is being read.

    Orders to forget themselves are not counted. Raises TopicsUnreadableError.
    """
    found = []
    for topic in topics:
        tell(topic.name)
        remains = _remains(settings, topic, borrower_id.encode())
        if remains.records:
            found.append(remains)
    return found


def _remains(settings: Settings, topic: Topic, wanted: bytes) -> Remains:
    count, newest_ms, live = 0, 0, False
    for message in _records(settings, [TopicPartition(topic.name, -1)]):
        key, value = message.key() or b"", message.value()
        if key == wanted:
            live = value is not None
        if value is not None and (key == wanted or wanted in value):
            count += 1
            newest_ms = max(newest_ms, message.timestamp()[1])
    if topic.cleanup_policy == "compact":
        return Remains(topic.name, count, None, live)
    kept = timedelta(milliseconds=topic.retention_ms or 0)
    return Remains(topic.name, count, datetime.fromtimestamp(newest_ms / 1000, UTC) + kept, live=False)


def _records(settings: Settings, places: list[TopicPartition]) -> Iterable[Any]:
    """Yield what partitions hold now, in the order of their offsets; partition -1 stands for all of a topic."""
    consumer = Consumer(consumer_properties(settings, f"{settings.topics.prefix}loanpulse-search"))
    try:
        wanted = [one for place in places for one in _expanded(consumer, place)]
        ends = {}
        for place in wanted:
            low, high = consumer.get_watermark_offsets(place, timeout=BROKER_SECONDS)
            if high > low:
                place.offset = low
                ends[place.topic, place.partition] = high
        consumer.assign([place for place in wanted if (place.topic, place.partition) in ends])
        heard = time.monotonic()
        while ends and time.monotonic() - heard < QUIET_SECONDS:
            for message in consumer.consume(READ_AT_ONCE, POLL_SECONDS):
                if message.error() is None:
                    heard = time.monotonic()
                    yield message
            for place in consumer.position([TopicPartition(*place) for place in ends]):
                if place.offset >= ends[place.topic, place.partition]:
                    del ends[place.topic, place.partition]
    except KafkaException as error:
        raise TopicsUnreadableError(f"the topics can't be read: {error.args[0].str()}") from error
    finally:
        consumer.close()


def _expanded(consumer: Consumer, place: TopicPartition) -> list[TopicPartition]:
    if place.partition >= 0:
        return [place]
    described = consumer.list_topics(place.topic, timeout=BROKER_SECONDS).topics[place.topic]
    return [TopicPartition(place.topic, partition) for partition in described.partitions]
