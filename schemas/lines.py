"""JSON Lines files of events: ``{"topic": …, "value": …}`` a line, as publisher, replay and simulator share them.

A line may say when it was published (``timestamp``, ISO 8601; else the event's own time counts), and may carry a
record that is no valid value as it is: ``{"topic": …, "key": text, "raw": base64 of the whole value}``.
"""

import base64
import binascii
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from loanpulse.schemas import json_form
from loanpulse.schemas.codec import Codec
from loanpulse.schemas.topics import UnknownTopic, contract_of, key_of

ALLOWED = {"topic", "value", "key", "raw", "timestamp"}


@dataclass(frozen=True, slots=True)
class LineError:
    """A line that can't be taken: its number, the field, the code for dead letters, and what is wrong."""

    number: int
    field: str
    message: str
    code: str = "UNDECODABLE"


@dataclass(frozen=True, slots=True)
class EventLine:
    """One line: a value in native form, or a raw record."""

    number: int
    topic: str
    value: dict[str, Any] | None
    key: bytes
    raw: bytes
    timestamp_ms: int

    def record(self, codec: Codec) -> tuple[bytes, bytes]:
        """Return the record's key and encoded value; raises CodecError where the value does not fit."""
        return self.key, self.raw if self.value is None else codec.encode(self.topic, self.value)


def read_lines(path: Path) -> Iterator[EventLine | LineError]:
    """Yield the lines of a file, empty ones left out. Raises OSError where it can't be read."""
    with path.open("rb") as file:
        for number, text in enumerate(file, start=1):
            if text.strip():
                yield parse_line(number, text)


def parse_line(number: int, text: bytes) -> EventLine | LineError:
    """Return the event on a line, or what is wrong with it."""
    try:
        content = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        return LineError(number, "line", f"is not JSON: {error.msg} at column {error.colno}")
    if not isinstance(content, dict) or "topic" not in content:
        return LineError(number, "topic", 'is missing; a line is {"topic": "repayment-events", "value": {…}}')
    for name in content:
        if name not in ALLOWED:
            return LineError(number, name, f"is not known on a line; take {', '.join(sorted(ALLOWED))}")
    topic = content["topic"]
    try:
        contract_of(str(topic))
        stamp = json_form.milliseconds(json_form.parse_time(content["timestamp"])) if "timestamp" in content else None
        if "raw" in content:
            raw = base64.b64decode(content["raw"], validate=True)
            return EventLine(number, topic, None, str(content.get("key") or "").encode(), raw, stamp or 0)
        value = json_form.from_json(topic, content.get("value"))
    except json_form.FieldError as error:
        return LineError(number, error.field, error.message)
    except UnknownTopic as error:
        return LineError(number, "topic", str(error))
    except (binascii.Error, TypeError):
        return LineError(number, "raw", "must be base64")
    except ValueError:
        return LineError(number, "timestamp", 'must be a time with its zone, such as "2026-01-31T08:00:00.000Z"')
    key = str(content["key"]).encode() if "key" in content else key_of(topic, value)
    if stamp is None and "event_time" in value:
        stamp = json_form.milliseconds(value["event_time"])
    return EventLine(number, topic, value, key, b"", stamp or 0)
