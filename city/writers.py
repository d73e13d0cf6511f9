"""Writing the city's records: to the broker, or to a JSON Lines file."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson

from loanpulse.broker.producer import DurableProducer, PublishError, PublishTimeoutError, StopDeadline
from loanpulse.city.published import Flaw, Published
from loanpulse.schemas import json_form
from loanpulse.schemas.codec import Codec
from loanpulse.schemas.topics import full_name

PROGRESS_EVERY = 2_000

Progress = Callable[[int, int], None]
"""Called every ``PROGRESS_EVERY`` records with their number and the simulated time (ms)."""


def encoded(published: Published, codec: Codec, prefix: str = "") -> bytes:
    """Return a record's value in its wire format."""
    if published.flaw is Flaw.UNDECODABLE:
        return b"\x00" + codec.schema_id(full_name(published.topic, prefix)).to_bytes(4, "big") + b"\x02"
    if published.value is None:
        return published.raw or b""
    return codec.encode(full_name(published.topic, prefix), published.value)


class BrokerTimeoutError(OSError):
    """The broker did not accept all records."""


def publish(
    records: Iterable[Published],
    properties: dict[str, Any],
    codec: Codec,
    prefix: str = "",
    progress: Progress = lambda count, at_ms: None,
    should_stop: Callable[[], bool] = lambda: False,
    patience_seconds: float = 10.0,
) -> int:
    """Publish records with a producer of these properties; returns how many.

    While the broker is away, publishing waits; once ``should_stop`` is true, no longer than ``patience_seconds``.

    Raises:
        BrokerTimeoutError: the broker has not accepted all of them.
    """
    producer = DurableProducer(properties, give_up=StopDeadline(should_stop, patience_seconds))
    count = 0
    try:
        for published in records:
            value = encoded(published, codec, prefix)
            producer.produce(full_name(published.topic, prefix), published.key.encode(), value)
            count += 1
            if count % PROGRESS_EVERY == 0:
                progress(count, published.at_ms)
        producer.flush()
    except PublishTimeoutError as error:
        raise BrokerTimeoutError(
            f"the broker is away and has not accepted {error.waiting:,} events; simulate again once it is back"
        ) from error
    except PublishError as error:
        raise BrokerTimeoutError(f"{error}; simulate again") from error
    return count


def write_lines(
    records: Iterable[Published], path: Path, codec: Codec, progress: Progress = lambda count, at_ms: None
) -> int:
    """Write records to a JSON Lines file that ``loanpulse publish`` reads; returns how many."""
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
