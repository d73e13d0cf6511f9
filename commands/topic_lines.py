"""Reading whole topics as the lines that publish and replay read."""

import base64
import uuid
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from confluent_kafka import Consumer, KafkaException, Message

from loanpulse.broker.read_to_end import (
    READ_TO_END_PROPERTIES,
    EndNotReachedError,
    partitions_from_beginning,
    read_to_end,
)
from loanpulse.commands.topics_admin import BrokerUnreachableError, describe_topics
from loanpulse.schemas import json_form
from loanpulse.schemas.codec import Codec, CodecError
from loanpulse.schemas.topics import contract_of, full_name, key_of
from loanpulse.settings import Settings
from loanpulse.settings.broker import consumer_properties

MAX_SILENCE_SECONDS = 60.0


def lines(settings: Settings, codec: Codec, topics: Sequence[str]) -> Iterator[dict[str, Any] | None]:
    """Yield each record of the topics (bare names) from their beginnings to their ends, those of a partition in order.

    A record that can't be decoded is yielded with its bytes, as ``raw``. None is yielded for a record without a value,
    which has no line: a tombstone, or a directive to forget.

    Raises:
        UnknownTopic: a name is not in the catalogue, or its records are no Avro.
        TopicMissingError: the broker has no such topic.
        BrokerUnreachableError: the broker does not answer, or stops delivering.
    """
    for topic in topics:
        contract_of(topic)
    describe_topics(settings)  # says in time if no broker answers
    prefix = settings.topics.prefix
    group = f"loanpulse-read-{uuid.uuid4().hex[:8]}"
    consumer = Consumer(consumer_properties(settings, group, **READ_TO_END_PROPERTIES))
    try:
        partitions = partitions_from_beginning(consumer, [full_name(topic, prefix) for topic in topics])
        for message in read_to_end(consumer, partitions, MAX_SILENCE_SECONDS):
            yield None if message.value() is None else _line(message, codec, prefix)
    except EndNotReachedError as error:
        raise BrokerUnreachableError(str(error)) from error
    except KafkaException as error:
        raise BrokerUnreachableError(f"the topics can't be read: {error.args[0].str()}") from error
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
