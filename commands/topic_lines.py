"""Reading whole topics as the lines that publish and replay take."""

import base64
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, Message, TopicPartition

from loanpulse.commands.topics_admin import BrokerUnreachableError, describe_topics
from loanpulse.schemas import events as json_form
from loanpulse.schemas.codec import Codec, CodecError
from loanpulse.schemas.topics import contract_of, full_name, key_of
from loanpulse.settings import Settings
from loanpulse.settings.broker import consumer_properties

FETCHED_AT_ONCE = 5_000
POLL_SECONDS = 0.2
QUIET_SECONDS = 1.0
"""A partition counts as read when it has told its end and nothing has come for so long since: some brokers tell the end
of a partition by the first offset of its last batch."""
PATIENCE_SECONDS = 60.0
"""How long nothing may come before a partition has told its end."""

Progress = Callable[[int], None]


@dataclass(slots=True)
class Without:
    """How many records could not become lines: they have no value, being tombstones or orders to forget."""

    values: int = 0


class TopicMissingError(ValueError):
    """A topic is not there; the text says which and what to do."""


def lines(
    settings: Settings, codec: Codec, topics: Sequence[str], without: Without, progress: Progress = lambda count: None
) -> Iterator[dict[str, Any]]:
    """Yield each record of the topics (bare names) from their beginnings to their ends, those of a partition in order.

    What can't be decoded comes whole, as ``raw``. ``progress`` is told the number of records now and then.

    Raises:
        UnknownTopic: a name is not in the catalogue, or its records are no Avro.
        TopicMissingError: the broker has no such topic.
        BrokerUnreachableError: the broker does not answer, or ceases to.
    """
    for topic in topics:
        contract_of(topic)
    prefix = settings.topics.prefix
    there = {topic.name: partitions for topic, partitions in describe_topics(settings)}
    missing = [full_name(topic, prefix) for topic in topics if there.get(full_name(topic, prefix)) is None]
    if missing:
        raise TopicMissingError(f"topic {missing[0]} is missing: run `loanpulse topics create` first")
    places = [
        (full_name(topic, prefix), one) for topic in topics for one in range(there[full_name(topic, prefix)] or 0)
    ]
    properties = consumer_properties(
        settings, f"loanpulse-read-{uuid.uuid4().hex[:8]}", **{"enable.partition.eof": True}
    )
    consumer = Consumer(properties)
    try:
        consumer.assign([TopicPartition(*place, OFFSET_BEGINNING) for place in places])
        for number, message in enumerate(_messages(consumer, set(places)), start=1):
            if message.value() is None:
                without.values += 1
            else:
                yield _line(message, codec, prefix)
            if number % FETCHED_AT_ONCE == 0:
                progress(number)
    finally:
        consumer.close()


def _messages(consumer: Consumer, unread: set[tuple[str, int]]) -> Iterator[Message]:
    last = time.monotonic()
    while unread or time.monotonic() - last < QUIET_SECONDS:
        if time.monotonic() - last > PATIENCE_SECONDS:
            names = ", ".join(sorted({topic for topic, _ in unread}))
            raise BrokerUnreachableError(f"the broker has given nothing more of {names} for {PATIENCE_SECONDS:.0f} s")
        for message in consumer.consume(FETCHED_AT_ONCE, POLL_SECONDS):
            error = message.error()
            if error is None:
                last = time.monotonic()
                yield message
            elif error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001 - the library's name for it
                unread.discard((message.topic() or "", message.partition() or 0))


def _line(message: Message, codec: Codec, prefix: str) -> dict[str, Any]:
    full, key, raw = message.topic() or "", _bytes(message.key()), _bytes(message.value())
    topic = full.removeprefix(prefix)
    line: dict[str, Any] = {"topic": topic}
    stamp = message.timestamp()[1]
    if stamp >= 0:
        line["timestamp"] = json_form.iso(datetime.fromtimestamp(stamp / 1000, UTC))
    try:
        value = codec.decode(full, raw)
    except CodecError:
        return line | {"key": key.decode(errors="replace"), "raw": base64.b64encode(raw).decode()}
    if key != key_of(topic, value):
        line["key"] = key.decode(errors="replace")
    return line | {"value": json_form.to_json(topic, value)}


def _bytes(part: str | bytes | None) -> bytes:
    return part.encode() if isinstance(part, str) else part or b""
