"""The records of one partition's borrowers in one array, found by key, growing as borrowers appear."""

from collections.abc import Iterator

import numpy as np

from loanpulse.schemas.spans import Spans
from loanpulse.streams.partition.changelog import borrower_of, borrower_values
from loanpulse.streams.partition.chunk_arena import wipe
from loanpulse.streams.partition.key_index import (
    SLOTS_PER_RECORD,
    Flags,
    KeyIndex,
    KeySpans,
    Rows,
    fill_index,
    find_rows,
    slot_of,
)
from loanpulse.streams.partition.undo_log import UndoLog, sizes_within_reach, write_entries
from loanpulse.streams.partition.undo_memory import Allocate, UndoMemory, in_memory
from loanpulse.streams.record.ids import KEY_BYTES, Keys
from loanpulse.streams.record.layout import BORROWER, NEVER, Integers, Records, empty_records

FIRST_CAPACITY = 32_768
"""Room that costs nothing until a borrower uses it; growing copies every record."""
GROWTH = 2
COPIED_AT_ONCE = 128
"""Few enough that what is copied stays in the processor's cache."""

_NEW = empty_records(1)


class BorrowerStore:
    """Borrowers' records by key. ``wake_at`` holds each record's next scoring time (ms) in an array of its own.

    A row belongs to its borrower for the store's life, or until the borrower is forgotten; it is not used again.
    ``dirty`` marks the rows changed since ``drain_dirty``, ``forgotten`` holds the rows forgotten since
    ``drain_forgotten``. ``undo_memory`` holds the undo log of each record, ``reach_ms`` back. Room not yet used by a
    borrower is never touched and costs no memory.
    """

    def __init__(self, reach_ms: int = 0, allocate: Allocate = in_memory) -> None:
        self._count = 0
        self.undo_memory = UndoMemory(reach_ms, allocate)
        self.forgotten: set[int] = set()
        self._allocate(FIRST_CAPACITY)

    def __len__(self) -> int:
        return self._count

    @property
    def nbytes(self) -> int:
        """The bytes of the borrowers' records, keys, marks and index, without the undo log."""
        return len(self) * (BORROWER.itemsize + KEY_BYTES + 8 + 1) + self._index.slots.nbytes

    def row(self, key: bytes) -> int:
        """Return the row of the borrower ``key``, a new one where the borrower is new."""
        return int(self.rows_of(Spans.of([key]), np.ones(1, np.bool_))[0])

    def rows_of(self, keys: Spans, wanted: Flags) -> Rows:
        """Return the rows of many borrowers, -1 where not ``wanted``; new borrowers get a row.

        Wanted keys must be valid ids.
        """
        rows = np.empty(len(keys), np.int32)
        spans = KeySpans(keys.data, keys.starts, keys.lengths)
        position = 0
        while True:
            known = self._count
            self._count, position = find_rows(self._index, known, spans, wanted, rows, position)
            self.records[known : self._count] = _NEW[0]
            if position >= len(keys):
                return rows
            self._grow()

    @property
    def undo_log(self) -> UndoLog:
        """The undo log of the records for compiled functions; valid until the store grows."""
        return self.undo_memory.of(self.records)

    def load(self, key: bytes, value: bytes) -> None:
        """Put a borrower's stored record and undo log in place.

        Raises:
            ValueError: the bytes are not a record of a known layout.
        """
        current, entries = borrower_of(value)
        row = self.row(key)
        self.records[row] = np.frombuffer(current, BORROWER)[0]
        self.undo_memory.put(self.undo_log, row, entries)
        record = self.records[row]
        self.wake_at[row] = min(record["pending_at"], record["timer_at"])

    def find(self, key: bytes) -> int:
        """Return the row of the borrower ``key``, -1 where the borrower is not known."""
        if not 0 < len(key) <= KEY_BYTES:
            return -1
        return int(self._index.slots[slot_of(self._index, np.frombuffer(key, np.uint8), 0, len(key))])

    def forget(self, row: int) -> None:
        """Empty a borrower's record and undo log; the key goes with ``drain_forgotten``."""
        self.records[row] = _NEW[0]
        wipe(self.undo_log.arena, row)
        self.wake_at[row] = NEVER
        self.dirty[row] = False
        self.forgotten.add(row)

    def drain_forgotten(self, buffered: set[int]) -> list[tuple[bytes, None]]:
        """Return the keys forgotten since the last call, to be removed from the changelog; call before ``drain_dirty``.

        The key is emptied too, unless events of its row are ``buffered`` or were folded since. Its slot in the index
        stays filled, so that keys behind it are found.
        """
        empty = _NEW.tobytes()
        rows = [row for row in sorted(self.forgotten) if not self.dirty[row] and self.records[row].tobytes() == empty]
        keys = self.keys[rows].tolist()
        self._index.keys[[row for row in rows if row not in buffered]] = 0
        self.forgotten.clear()
        return [(key, None) for key in keys]

    def drop(self, key: bytes) -> None:
        """Remove a borrower whose removal the changelog holds."""
        row = self.find(key)
        if row >= 0:
            self.forget(row)
            self.drain_forgotten(set())

    def due(self, until_ms: int) -> Integers:
        """Return the rows whose next scoring is at or before ``until_ms``."""
        return np.flatnonzero(self.wake_at[: len(self)] <= until_ms)

    def drain_dirty(self) -> Iterator[tuple[bytes, bytes]]:
        """Yield key and value, as ``load`` takes them, of each record changed since the last call."""
        changed = np.flatnonzero(self.dirty[: len(self)])
        self.dirty[changed] = False
        undo_log, entries = self.undo_log, np.empty(0, np.int64)
        for start in range(0, len(changed), COPIED_AT_ONCE):
            rows = changed[start : start + COPIED_AT_ONCE]
            ends = np.empty(len(rows), np.int64)
            sizes_within_reach(undo_log, self.records, rows, ends)
            if len(entries) < ends[-1]:
                entries = np.empty(2 * ends[-1], np.int64)
            write_entries(undo_log, rows, ends, entries)
            values = list(borrower_values(self.records[rows], entries, ends))
            yield from zip(self.keys[rows].tolist(), values, strict=True)

    def _allocate(self, capacity: int) -> None:
        self.keys: Keys = np.zeros(capacity, f"S{KEY_BYTES}")
        self.records: Records = np.zeros(capacity, BORROWER)
        self.dirty: Flags = np.zeros(capacity, np.bool_)
        self.wake_at: Integers = np.full(capacity, NEVER, np.int64)
        self._index = KeyIndex(
            np.full(SLOTS_PER_RECORD * capacity, -1, np.int32), self.keys.view(np.uint8).reshape(capacity, KEY_BYTES)
        )

    def _grow(self) -> None:
        count = self._count
        keys, records, dirty, wake_at = self.keys, self.records, self.dirty, self.wake_at
        self._allocate(len(records) * GROWTH)
        self.keys[:count], self.records[:count] = keys[:count], records[:count]
        self.dirty[:count], self.wake_at[:count] = dirty[:count], wake_at[:count]
        fill_index(self._index, count)
