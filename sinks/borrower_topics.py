"""Directives to forget a borrower on the topics, and a search for the borrower's remaining records."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaException, Producer, TopicPartition

from loanpulse.broker.read_to_end import (
    READ_TO_END_PROPERTIES,
    EndNotReachedError,
    TopicMissingError,
    partitions_from_beginning,
    read_to_end,
)
from loanpulse.schemas.forgetting import forget_headers
from loanpulse.schemas.partitioning import partition_of
from loanpulse.schemas.topics import BORROWERS_CHANGELOG, EVENT_TOPICS, Topic, full_name
from loanpulse.settings import Settings
from loanpulse.settings.broker import consumer_properties, producer_properties
from loanpulse.sinks.blocks import PartitionId

BROKER_SECONDS = 15.0
MAX_SILENCE_SECONDS = 20.0


class TopicsUnreadableError(RuntimeError):
    """The topics can't be read or written; the text says why."""


@dataclass(frozen=True, slots=True)
class Remains:
    """The records of a borrower that a topic still holds.

    ``records`` counts those that contain the pseudonym. ``until`` is when the last of them expires, None for a
    compacted topic. ``live`` is True if the newest record of the borrower's key in a compacted topic is no tombstone.
    """

    topic: str
    records: int
    until: datetime | None
    live: bool


def send_orders(settings: Settings, topics: Iterable[str], borrower_id: str, request_id: str) -> dict[PartitionId, int]:
    """Publish the directive to forget to topics (bare names); returns each record's offset by topic and partition.

    Raises:
        TopicsUnreadableError: the broker did not accept all of them.
    """
    placed: dict[PartitionId, int] = {}
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
        raise TopicsUnreadableError(f"the broker did not accept the directive: {next(iter(failed), 'no answer')}")
    return placed


def followed_by_worker(settings: Settings, placed: dict[PartitionId, int]) -> bool:
    """Return True if the workers have committed offsets after their directives. Raises TopicsUnreadableError."""
    prefix = settings.topics.prefix
    events = {full_name(name, prefix) for name in EVENT_TOPICS}
    partitions = [TopicPartition(topic, partition) for topic, partition in placed if topic in events]
    consumer = Consumer(consumer_properties(settings, prefix + settings.streams.consumer_group))
    try:
        committed = consumer.committed(partitions, timeout=BROKER_SECONDS)
    except KafkaException as error:
        raise TopicsUnreadableError(f"the workers' offsets can't be read: {error.args[0].str()}") from error
    finally:
        consumer.close()
    return all(each.offset > placed[each.topic, each.partition] for each in committed)


def in_state(settings: Settings, borrower_id: str) -> bool:
    """Return True if a worker would restore a record of the borrower now. Raises TopicsUnreadableError."""
    topic = full_name(BORROWERS_CHANGELOG, settings.topics.prefix)
    key = borrower_id.encode()
    partition = TopicPartition(topic, partition_of(key, settings.topics.partitions), OFFSET_BEGINNING)
    newest: bytes | None = None
    for message in _records(settings, lambda _: [partition]):
        if message.key() == key:
            newest = message.value()
    return newest is not None


def search(settings: Settings, topics: Iterable[Topic], borrower_id: str, tell: Callable[[str], None]) -> list[Remains]:
    """Read whole topics and return those that hold records of a borrower; ``tell`` is called with each topic's name.

    Directives to forget are not counted; a missing topic holds nothing. Raises TopicsUnreadableError.
    """
    found = []
    for topic in topics:
        tell(topic.name)
        remains = _remains(settings, topic, borrower_id.encode())
        if remains.records:
            found.append(remains)
    return found


def _remains(settings: Settings, topic: Topic, borrower: bytes) -> Remains:
    count, newest_ms, live = 0, 0, False
    for message in _records(settings, lambda consumer: _partitions_if_present(consumer, topic.name)):
        key, value = message.key() or b"", message.value()
        if key == borrower:
            live = value is not None
        if value is not None and (key == borrower or borrower in value):
            count += 1
            newest_ms = max(newest_ms, message.timestamp()[1])
    if topic.cleanup_policy == "compact":
        return Remains(topic.name, count, None, live)
    kept = timedelta(milliseconds=topic.retention_ms or 0)
    return Remains(topic.name, count, datetime.fromtimestamp(newest_ms / 1000, UTC) + kept, live=False)


def _records(settings: Settings, partitions: Callable[[Consumer], list[TopicPartition]]) -> Iterator[Any]:
    """Yield the present records of partitions, each partition's in order. Raises TopicsUnreadableError."""
    group = f"{settings.topics.prefix}loanpulse-search"
    consumer = Consumer(consumer_properties(settings, group, **READ_TO_END_PROPERTIES))
    try:
        yield from read_to_end(consumer, partitions(consumer), MAX_SILENCE_SECONDS)
    except KafkaException as error:
        raise TopicsUnreadableError(f"the topics can't be read: {error.args[0].str()}") from error
    except EndNotReachedError as error:
        raise TopicsUnreadableError(str(error)) from error
    finally:
        consumer.close()


def _partitions_if_present(consumer: Consumer, topic: str) -> list[TopicPartition]:
    try:
        return partitions_from_beginning(consumer, [topic])
    except TopicMissingError:
        return []
