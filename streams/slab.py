"""The records of one partition's borrowers in one array, found by key, growing as borrowers come."""

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from loanpulse.streams.borrower_record import BORROWER, NEVER, Integers, Records, empty_records, upgrade

FIRST_CAPACITY = 256
GROWTH = 2
KEY_BYTES = 64
"""The longest borrower_id that the contract allows."""

Keys = npt.NDArray[np.bytes_]

_NEW = empty_records(1)[0]


class Slab:
    """Borrowers' records by key, with each record's next moment of scoring (``wake_at``, ms) in an array of its own.

    A row, once given, is its borrower's for the slab's life. ``dirty`` marks the rows changed since ``take_dirty``.
    Room not yet given to a borrower is never touched, so that it costs no memory.
    """

    def __init__(self) -> None:
        self.rows: dict[bytes, int] = {}
        self.keys: Keys = np.zeros(FIRST_CAPACITY, f"S{KEY_BYTES}")
        self.records: Records = np.zeros(FIRST_CAPACITY, BORROWER)
        self.wake_at: Integers = np.full(FIRST_CAPACITY, NEVER, np.int64)
        self.dirty: npt.NDArray[np.bool_] = np.zeros(FIRST_CAPACITY, np.bool_)

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def nbytes(self) -> int:
        """The bytes that the borrowers' records, keys and marks take, without the index."""
        return len(self) * (BORROWER.itemsize + KEY_BYTES + 8 + 1)

    def row(self, key: bytes) -> int:
        """Return the row of the borrower ``key``, a new one where the borrower is new."""
        row = self.rows.get(key)
        if row is None:
            row = len(self.rows)
            if row >= len(self.records):
                self._grow()
            self.rows[key] = row
            self.keys[row] = key
            self.records[row] = _NEW
        return row

    def rows_of(self, keys: Sequence[bytes | None], wanted: npt.NDArray[np.bool_]) -> npt.NDArray[np.int32]:
        """Return the rows of many borrowers, -1 where not ``wanted``; new borrowers get theirs."""
        known = self.rows.get
        found = np.array([known(key or b"", -1) for key in keys], np.int32)
        for place in np.flatnonzero((found < 0) & wanted).tolist():
            key = keys[place]
            if key is not None:
                found[place] = self.row(key)
        return found

    def load(self, key: bytes, raw: bytes) -> None:
        """Put a borrower's stored record in place.

        Raises:
            ValueError: the bytes are not a record of a known layout.
        """
        current = upgrade(raw)
        row = self.row(key)
        self.records[row] = np.frombuffer(current, BORROWER)[0]
        record = self.records[row]
        self.wake_at[row] = min(record["pending_at"], record["timer_at"])

    def due(self, time: int) -> Integers:
        """Return the rows whose moment of scoring is at or before ``time`` (ms)."""
        return np.flatnonzero(self.wake_at[: len(self)] <= time)

    def take_dirty(self) -> Iterator[tuple[bytes, bytes]]:
        """Return key and bytes of each record changed since the last call."""
        rows = np.flatnonzero(self.dirty[: len(self)])
        self.dirty[rows] = False
        # Seen as opaque bytes, a record becomes a Python value by one copy.
        raw = self.records[rows].view(f"V{BORROWER.itemsize}").tolist()
        return zip(self.keys[rows].tolist(), raw, strict=True)

    def _grow(self) -> None:
        old = len(self.records)
        new = old * GROWTH
        keys, records, dirty = np.zeros(new, self.keys.dtype), np.zeros(new, BORROWER), np.zeros(new, np.bool_)
        keys[:old], records[:old], dirty[:old] = self.keys, self.records, self.dirty
        wake_at = np.full(new, NEVER, np.int64)
        wake_at[:old] = self.wake_at
        self.keys, self.records, self.dirty, self.wake_at = keys, records, dirty, wake_at
