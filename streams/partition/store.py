"""The records of one partition's borrowers in one array, found by key, growing as borrowers come."""

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from loanpulse.schemas.compiled import compiled
from loanpulse.schemas.spans import Spans
from loanpulse.streams.partition.undo_log import (
    WORD,
    Allocate,
    Trails,
    UndoLog,
    in_memory,
    sizes_within_reach,
    wipe,
    write_entries,
)
from loanpulse.streams.record.hashing import hash_text
from loanpulse.streams.record.ids import KEY_BYTES, Keys
from loanpulse.streams.record.layout import BORROWER, NEVER, Integers, Records, empty_records
from loanpulse.streams.record.upgrade import upgrade

FIRST_CAPACITY = 32_768
"""Room that costs nothing until a borrower takes it; growing copies every record."""
GROWTH = 2
INDEX_ROOM = 2
"""Places in the index for each record of the capacity: at most half of it is ever filled."""

COPIED_AT_ONCE = 128
"""Few enough that what is copied in between stays in the cache."""

Bytes = npt.NDArray[np.uint8]
Rows = npt.NDArray[np.int32]

_NEW = empty_records(1)


@compiled
def place_of(index: Rows, held: Bytes, keys: Bytes, start: int, length: int) -> Any:
    """Return the place in the index of a key: where its row stands, or the free place where it would."""
    mask = len(index) - 1
    place: Any = np.int64(hash_text(keys, start, length, np.uint64(0)) & np.uint64(mask))
    while index[place] >= 0:
        row = index[place]
        same = length == KEY_BYTES or held[row, length] == 0
        for byte in range(length):
            if not same or held[row, byte] != keys[start + byte]:
                same = False
                break
        if same:
            return place
        place = (place + 1) & mask
    return place


@compiled
def find_rows(
    index: Rows,
    held: Bytes,
    records: Records,
    new: Records,
    count: int,
    keys: Bytes,
    key_starts: npt.NDArray[np.int64],
    key_lengths: npt.NDArray[np.int64],
    wanted: npt.NDArray[np.bool_],
    found: Rows,
    begin: int,
) -> tuple[int, int]:
    """Fill ``found[begin:]`` with the rows of the wanted keys, new ones for those that are not known.

    Returns the number of rows given out and where it stopped: before a new key for which there is no room.
    """
    for position in range(begin, len(key_lengths)):
        found[position] = -1
        if not wanted[position]:
            continue
        start, length = key_starts[position], key_lengths[position]
        place = place_of(index, held, keys, start, length)
        if index[place] < 0:
            if count >= len(records):
                return count, position
            index[place] = count
            for byte in range(length):
                held[count, byte] = keys[start + byte]
            records[count] = new[0]
            count += 1
        found[position] = index[place]
    return count, len(key_lengths)


@compiled
def fill_index(index: Rows, held: Bytes, count: int) -> None:
    """Enter every row into an empty index."""
    for row in range(count):
        length = KEY_BYTES
        while length > 0 and held[row, length - 1] == 0:
            length -= 1
        index[place_of(index, held, held[row], 0, length)] = row


class BorrowerStore:
    """Borrowers' records by key, with each record's next moment of scoring (``wake_at``, ms) in an array of its own.

    A row, once given, is its borrower's for the slab's life, or until the borrower is forgotten; it is not given
    again. ``gone`` holds the rows forgotten of which the changelog has not been told yet. ``dirty`` marks the rows
    changed since ``take_dirty``. ``trails`` hold what led to each record within ``reach_ms``.
    Room not yet given to a borrower is never touched, so that it costs no memory.
    """

    def __init__(self, reach_ms: int = 0, allocate: Allocate = in_memory) -> None:
        self._count = 0
        self.trails = Trails(reach_ms, allocate)
        self.gone: set[int] = set()
        self._allocate(FIRST_CAPACITY)

    def __len__(self) -> int:
        return self._count

    @property
    def nbytes(self) -> int:
        """The bytes that the borrowers' records, keys, marks and index take; their trails are counted apart."""
        return len(self) * (BORROWER.itemsize + KEY_BYTES + 8 + 1) + self._index.nbytes

    def row(self, key: bytes) -> int:
        """Return the row of the borrower ``key``, a new one where the borrower is new."""
        return int(self.rows_of(Spans.of([key]), np.ones(1, np.bool_))[0])

    def rows_of(self, keys: Spans, wanted: npt.NDArray[np.bool_]) -> Rows:
        """Return the rows of many borrowers, -1 where not ``wanted``; new borrowers get theirs.

        Wanted keys must be valid ids.
        """
        found = np.empty(len(keys), np.int32)
        position = 0
        while True:
            self._count, position = find_rows(
                self._index,
                self._held,
                self.records,
                _NEW,
                self._count,
                keys.data,
                keys.starts,
                keys.lengths,
                wanted,
                found,
                position,
            )
            if position >= len(keys):
                return found
            self._grow()

    @property
    def trail(self) -> UndoLog:
        """The trails beside the records as they are now, for the compiled functions."""
        return self.trails.of(self.records)

    def load(self, key: bytes, raw: bytes) -> None:
        """Put a borrower's stored record, and the trail that follows it, in place.

        Raises:
            ValueError: the bytes are not a record of a known layout.
        """
        current, entries = upgrade(raw)
        row = self.row(key)
        self.records[row] = np.frombuffer(current, BORROWER)[0]
        self.trails.put(self.trail, row, entries)
        record = self.records[row]
        self.wake_at[row] = min(record["pending_at"], record["timer_at"])

    def find(self, key: bytes) -> int:
        """Return the row of the borrower ``key``, -1 where the borrower is not known."""
        if not 0 < len(key) <= KEY_BYTES:
            return -1
        return int(self._index[place_of(self._index, self._held, np.frombuffer(key, np.uint8), 0, len(key))])

    def forget(self, row: int) -> None:
        """Empty a borrower's record and trail; the key goes with ``take_gone``."""
        self.records[row] = _NEW[0]
        wipe(self.trail, row)
        self.wake_at[row] = NEVER
        self.dirty[row] = False
        self.gone.add(row)

    def take_gone(self, waiting: set[int]) -> list[tuple[bytes, None]]:
        """Return the keys forgotten since the last call, to be removed from the changelog; call before ``take_dirty``.

        The key itself goes too, unless events of its row are ``waiting`` or have come since. Its place in the index
        stays taken, so that others behind it are found.
        """
        empty = _NEW.tobytes()
        untouched = [row for row in sorted(self.gone) if not self.dirty[row] and self.records[row].tobytes() == empty]
        keys = self.keys[untouched].tolist()
        self._held[[row for row in untouched if row not in waiting]] = 0
        self.gone.clear()
        return [(key, None) for key in keys]

    def drop(self, key: bytes) -> None:
        """Take a borrower out whose removal the changelog tells."""
        row = self.find(key)
        if row >= 0:
            self.forget(row)
            self.take_gone(set())

    def due(self, time: int) -> Integers:
        """Return the rows whose moment of scoring is at or before ``time`` (ms)."""
        return np.flatnonzero(self.wake_at[: len(self)] <= time)

    def take_dirty(self) -> Iterator[tuple[bytes, bytes]]:
        """Return the key of each record changed since the last call, and record and trail as ``load`` takes them."""
        changed = np.flatnonzero(self.dirty[: len(self)])
        self.dirty[changed] = False
        trail, entries = self.trail, np.empty(0, np.int64)
        for start in range(0, len(changed), COPIED_AT_ONCE):
            rows = changed[start : start + COPIED_AT_ONCE]
            ends = np.empty(len(rows), np.int64)
            sizes_within_reach(trail, self.records, rows, ends)
            if len(entries) < ends[-1]:
                entries = np.empty(2 * ends[-1], np.int64)
            write_entries(trail, rows, ends, entries)
            # Seen as opaque bytes, a record becomes a Python value by one copy.
            raw = self.records[rows].view(f"V{BORROWER.itemsize}").tolist()
            places = pairwise([0, *(WORD * ends).tolist()])
            past = entries.view(np.uint8).data
            stored = [record + past[begin:end] for record, (begin, end) in zip(raw, places, strict=True)]
            yield from zip(self.keys[rows].tolist(), stored, strict=True)

    def _allocate(self, capacity: int) -> None:
        self.keys: Keys = np.zeros(capacity, f"S{KEY_BYTES}")
        self._held: Bytes = self.keys.view(np.uint8).reshape(capacity, KEY_BYTES)
        self.records: Records = np.zeros(capacity, BORROWER)
        self.dirty: npt.NDArray[np.bool_] = np.zeros(capacity, np.bool_)
        self.wake_at: Integers = np.full(capacity, NEVER, np.int64)
        self._index: Rows = np.full(INDEX_ROOM * capacity, -1, np.int32)

    def _grow(self) -> None:
        count = self._count
        keys, records, dirty, wake_at = self.keys, self.records, self.dirty, self.wake_at
        self._allocate(len(records) * GROWTH)
        self.keys[:count], self.records[:count] = keys[:count], records[:count]
        self.dirty[:count], self.wake_at[:count] = dirty[:count], wake_at[:count]
        fill_index(self._index, self._held, count)
