"""The layout of the changelog: its three kinds of keys, and how their values are encoded.

A partition of the changelog holds one entry for each borrower (key: the borrower's id; value: the record and behind it
the undo log's entries), one for the budgets of alerts, and one for the partition itself. Other keys don't begin with a
zero byte, and no borrower's id may.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from loanpulse.schemas.sources import SOURCES
from loanpulse.streams.partition.chunk_arena import Words
from loanpulse.streams.partition.undo_log import WORD
from loanpulse.streams.record.layout import BORROWER, Integers, Records
from loanpulse.streams.record.upgrade import upgrade

Entry = tuple[bytes, bytes | None]
"""A key and its value, None to remove it."""

PARTITION_KEY = b"\x00lane"
BUDGETS_KEY = b"\x00budgets"

_PARTITION = np.dtype(
    [
        ("version", "u1"),
        ("reserved", "u1", (7,)),
        ("next_offset", "i8", (SOURCES,)),
        ("folded_ms", "i8", (SOURCES,)),
        ("reached_ms", "i8"),
        ("wall_ms", "i8"),
    ]
)
_VERSION = 1


@dataclass(frozen=True, slots=True)
class PartitionEntry:
    """What is stored of a partition itself: per source the next offset and the event time folded, the event time that
    the partition had reached, and the wall clock then."""

    next_offset: list[int]
    folded_ms: list[int]
    reached_ms: int
    wall_ms: int

    def to_bytes(self) -> bytes:
        """Return the stored value."""
        stored = np.zeros(1, _PARTITION)
        stored["version"] = _VERSION
        stored["next_offset"], stored["folded_ms"] = self.next_offset, self.folded_ms
        stored["reached_ms"], stored["wall_ms"] = self.reached_ms, self.wall_ms
        return stored.tobytes()

    @classmethod
    def from_bytes(cls, raw: bytes) -> "PartitionEntry":
        """Return what a stored value holds.

        Raises:
            ValueError: the bytes are of no known layout.
        """
        if len(raw) != _PARTITION.itemsize or raw[0] != _VERSION:
            raise ValueError(f"a partition's entry of {len(raw)} bytes is not known to this version")
        stored = np.frombuffer(raw, _PARTITION)[0]
        return cls(
            stored["next_offset"].tolist(), stored["folded_ms"].tolist(), int(stored["reached_ms"]),
            int(stored["wall_ms"]),
        )  # fmt: skip


def borrower_values(records: Records, entries: Words, ends: Integers) -> Iterator[bytes]:
    """Yield each borrower's value: the record and its entries, which end at ``ends`` (words) of ``entries``."""
    # Viewed as opaque bytes, a record becomes a Python value by one copy.
    raw = records.view(f"V{BORROWER.itemsize}").tolist()
    undo = entries.view(np.uint8).data
    spans = pairwise([0, *(WORD * ends).tolist()])
    return (record + undo[begin:end] for record, (begin, end) in zip(raw, spans, strict=True))


def borrower_of(value: bytes) -> tuple[bytes, bytes]:
    """Return the bytes of the record, in the current layout, and of the undo log's entries.

    Raises:
        ValueError: the bytes are not a record of a known layout.
    """
    return upgrade(value)


@dataclass(frozen=True, slots=True)
class Changes:
    """What a partition has to store: borrowers' and budgets' ``entries`` in their order, then the partition's own
    entry.

    ``offsets`` are the next ones to commit, by source, where these moved.
    """

    entries: list[Entry]
    own_entry: Entry
    offsets: dict[int, int]
