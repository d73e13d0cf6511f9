"""Where the city's records go: to the broker, or to a JSON Lines file."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
from confluent_kafka import Producer

from loanpulse.city.published import Flaw, Published
from loanpulse.schemas import json_form
from loanpulse.schemas.codec import Codec
from loanpulse.schemas.topics import full_name

PROGRESS_EVERY = 2_000
FULL_QUEUE_WAIT_SECONDS = 0.05

Progress = Callable[[int, int], None]
"""Called now and then with the number of records and the simulated moment (ms)."""


def encoded(published: Published, codec: Codec, prefix: str = "") -> bytes:
    """Return a record's value as it goes over the wire."""
    if published.flaw is Flaw.UNDECODABLE:
        return b"\x00" + codec.schema_id(full_name(published.topic, prefix)).to_bytes(4, "big") + b"\x02"
    if published.value is None:
        return published.raw or b""
    return codec.encode(full_name(published.topic, prefix), published.value)


class BrokerTimeoutError(OSError):
    """The broker is away, and what was to be published has to be given up."""


def publish(
    records: Iterable[Published],
    producer: Producer,
    codec: Codec,
    prefix: str = "",
    progress: Progress = lambda count, at_ms: None,
    should_stop: Callable[[], bool] = lambda: False,
    patience_seconds: float = 10.0,
) -> int:
    """Publish records to the broker; returns how many. ``producer`` must partition by murmur2.

    A broker that is away is waited for, but once told to stop, no longer than ``patience_seconds``.

    Raises:
        BrokerTimeoutError: told to stop, and the broker has not taken all of them.
    """
    count = 0
    for published in records:
        value = encoded(published, codec, prefix)
        while True:
            try:
                producer.produce(full_name(published.topic, prefix), key=published.key.encode(), value=value)
                break
            except BufferError:
                if should_stop():
                    _finish(producer, should_stop, patience_seconds)
                producer.poll(FULL_QUEUE_WAIT_SECONDS)
        count += 1
        if count % PROGRESS_EVERY == 0:
            producer.poll(0)
            progress(count, published.at_ms)
    _finish(producer, should_stop, patience_seconds)
    return count


def _finish(producer: Producer, should_stop: Callable[[], bool], patience_seconds: float) -> None:
    patience = patience_seconds
    while waiting := producer.flush(1.0):
        if should_stop():
            patience -= 1.0
            if patience <= 0.0:
                raise BrokerTimeoutError(
                    f"the broker is away and has not taken {waiting:,} events; simulate again once it is back"
                )


def write_lines(
    records: Iterable[Published], path: Path, codec: Codec, progress: Progress = lambda count, at_ms: None
) -> int:
    """Write records to a JSON Lines file in the form of ``loanpulse publish``; returns how many."""
    count = 0
    with path.open("wb") as file:
        for published in records:
            stamp = json_form.iso(datetime.fromtimestamp(published.at_ms / 1000, UTC))
            line: dict[str, Any] = {"topic": published.topic, "timestamp": stamp}
            if published.value is None:
                raw = encoded(published, codec)
                line |= {"key": published.key, "raw": base64.b64encode(raw).decode()}
            else:
                line["value"] = json_form.to_json(published.topic, published.value)
                if published.key != published.value["borrower_id"]:
                    line["key"] = published.key
            file.write(orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE))
            count += 1
            if count % PROGRESS_EVERY == 0:
                progress(count, published.at_ms)
    return count
