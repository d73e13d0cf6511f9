"""What leaves the city: one record for a topic, well formed or broken on purpose."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

Value = dict[str, Any]
"""An event in native Python, as `loanpulse.schemas.codec` takes it."""


class Flaw(StrEnum):
    """How a record is broken on purpose."""

    UNDECODABLE = "UNDECODABLE"
    BAD_MAGIC = "BAD_MAGIC"
    UNKNOWN_SCHEMA = "UNKNOWN_SCHEMA"
    AMOUNT_MISSING = "AMOUNT_MISSING"
    AMOUNT_NEGATIVE = "AMOUNT_NEGATIVE"
    TIME_IN_FUTURE = "TIME_IN_FUTURE"
    OTHER_CURRENCY = "OTHER_CURRENCY"
    WRONG_KEY = "WRONG_KEY"


BYTE_FLAWS = (Flaw.UNDECODABLE, Flaw.BAD_MAGIC, Flaw.UNKNOWN_SCHEMA)
"""Flaws of the bytes; the others are of a value that can be encoded."""


@dataclass(frozen=True, slots=True)
class Published:
    """One record on its way to a topic.

    `at_ms` is when it is published (UTC ms), `topic` a bare topic name, `key` the record's key. Exactly one of
    `value` (native) and `raw` (whole value bytes, for flaws of the bytes) is there. `flaw` is None when well formed.
    """

    at_ms: int
    topic: str
    key: str
    value: Value | None
    raw: bytes | None = None
    flaw: Flaw | None = None
