"""Reading whole topics as the lines that publish and replay take."""

import base64
import time
import uuid
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from confluent_kafka import Consumer, Message

from loanpulse.broker.read_to_end import WANTED, WholeTopics
from loanpulse.commands.topics_admin import BrokerUnreachableError, describe_topics
from loanpulse.schemas import json_form
from loanpulse.schemas.codec import Codec, CodecError
from loanpulse.schemas.topics import contract_of, full_name, key_of
from loanpulse.settings import Settings
from loanpulse.settings.broker import consumer_properties

PATIENCE_SECONDS = 60.0
"""How long nothing may come before all partitions have told their ends."""


class TopicMissingError(ValueError):
    """A topic is not there; the text says which and what to do."""


def lines(settings: Settings, codec: Codec, topics: Sequence[str]) -> Iterator[dict[str, Any] | None]:
    """Yield each record of the topics (bare names) from their beginnings to their ends, those of a partition in order.

    What can't be decoded comes whole, as ``raw``. None stands for a record without a value, which no line can tell: a
    tombstone, or an order to forget.

    Raises:
        UnknownTopic: a name is not in the catalogue, or its records are no Avro.
        TopicMissingError: the broker has no such topic.
        BrokerUnreachableError: the broker does not answer, or ceases to.
    """
    for topic in topics:
        contract_of(topic)
    prefix = settings.topics.prefix
    there = {topic.name: partitions for topic, partitions in describe_topics(settings)}
    places = []
    for name in (full_name(topic, prefix) for topic in topics):
        partitions = there.get(name)
        if partitions is None:
            raise TopicMissingError(f"topic {name} is missing: run `loanpulse topics create` first")
        places += [(name, partition) for partition in range(partitions)]
    consumer = Consumer(consumer_properties(settings, f"loanpulse-read-{uuid.uuid4().hex[:8]}", **WANTED))
    try:
        whole = WholeTopics(consumer, places)
        last = time.monotonic()
        for messages in whole.polls():
            if messages:
                last = time.monotonic()
            elif time.monotonic() - last > PATIENCE_SECONDS:
                raise BrokerUnreachableError(
                    f"the broker has given nothing more of {whole.unread_topics} for {PATIENCE_SECONDS:.0f} s"
                )
            for message in messages:
                yield None if message.value() is None else _line(message, codec, prefix)
    finally:
        consumer.close()


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
