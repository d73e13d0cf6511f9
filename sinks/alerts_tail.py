"""Follows alerts as they are published, for a console or a subscriber."""

import threading
import uuid
from collections.abc import Iterator
from typing import Any

from confluent_kafka import Consumer, TopicPartition

from loanpulse.schemas.codec import Codec, CodecError
from loanpulse.schemas.registry import SchemaRegistry
from loanpulse.schemas.topics import LIQUIDITY_ALERTS, full_name
from loanpulse.settings import Settings
from loanpulse.settings.broker import consumer_properties

POLL_SECONDS = 0.2
FETCHED_AT_ONCE = 500
METADATA_SECONDS = 15
EARLIEST, LATEST = -2, -1


def follow_alerts(
    settings: Settings,
    registry: SchemaRegistry,
    *,
    stop: threading.Event,
    from_beginning: bool = False,
    lender_id: str = "",
    borrower_id: str = "",
) -> Iterator[dict[str, Any] | None]:
    """Yield alerts in native values as they are published, and None whenever a poll returns none.

    It joins no consumer group and commits nothing, so it doesn't disturb other readers.
    """
    topic = full_name(LIQUIDITY_ALERTS, settings.topics.prefix)
    codec = Codec(registry, settings.topics.prefix)
    consumer = Consumer(consumer_properties(settings, f"loanpulse-tail-{uuid.uuid4().hex[:8]}"))
    try:
        partitions = consumer.list_topics(topic, timeout=METADATA_SECONDS).topics[topic].partitions
        start = EARLIEST if from_beginning else LATEST
        consumer.assign([TopicPartition(topic, partition, start) for partition in partitions])
        while not stop.is_set():
            messages = consumer.consume(FETCHED_AT_ONCE, POLL_SECONDS)
            if not messages:
                yield None
            for message in messages:
                if message.error() is not None:
                    continue
                try:
                    alert = codec.decode(topic, message.value())
                except CodecError:
                    continue  # not an alert of ours; this reader only shows alerts and has no dead letters
                if lender_id in ("", alert["lender_id"]) and borrower_id in ("", alert["borrower_id"]):
                    yield alert
    finally:
        consumer.close()
