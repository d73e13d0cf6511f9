"""The records of one partition's borrowers in one array, found by key, growing as borrowers come."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from loanpulse.streams.borrower_record import BORROWER, NEVER, Integers, Records, empty_records, upgrade

FIRST_CAPACITY = 256


class Slab:
    """Borrowers' records by key, with each record's next moment of scoring (``wake_at``, ms) in an array of its own.

    A row, once given, is its borrower's for the slab's life. ``dirty`` marks the rows changed since ``take_dirty``.
    """

    def __init__(self) -> None:
        self.rows: dict[bytes, int] = {}
        self.keys: list[bytes] = []
        self.records: Records = empty_records(FIRST_CAPACITY)
        self.wake_at: Integers = np.full(FIRST_CAPACITY, NEVER, np.int64)
        self.dirty: npt.NDArray[np.bool_] = np.zeros(FIRST_CAPACITY, np.bool_)

    def __len__(self) -> int:
        return len(self.keys)

    def row(self, key: bytes) -> int:
        """Return the row of the borrower ``key``, a new one where the borrower is new."""
        row = self.rows.get(key)
        if row is None:
            row = len(self.keys)
            self.rows[key] = row
            self.keys.append(key)
            if row >= len(self.records):
                self._grow()
        return row

    def load(self, key: bytes, raw: bytes) -> None:
        """Put a borrower's stored record in place.

        Raises:
            ValueError: the bytes are not a record of a known layout.
        """
        row = self.row(key)
        self.records[row] = np.frombuffer(upgrade(raw), BORROWER)[0]
        record = self.records[row]
        self.wake_at[row] = min(record["pending_at"], record["timer_at"])

    def due(self, time: int) -> Integers:
        """Return the rows whose moment of scoring is at or before ``time`` (ms)."""
        return np.flatnonzero(self.wake_at[: len(self.keys)] <= time)

    def take_dirty(self) -> Iterator[tuple[bytes, bytes]]:
        """Yield key and bytes of each record changed since the last call."""
        rows = np.flatnonzero(self.dirty[: len(self.keys)])
        self.dirty[rows] = False
        raw = self.records[rows].tobytes()
        size = BORROWER.itemsize
        for position, row in enumerate(rows.tolist()):
            yield self.keys[row], raw[position * size : (position + 1) * size]

    def _grow(self) -> None:
        more = len(self.records)
        self.records = np.concatenate([self.records, empty_records(more)])
        self.wake_at = np.concatenate([self.wake_at, np.full(more, NEVER, np.int64)])
        self.dirty = np.concatenate([self.dirty, np.zeros(more, np.bool_)])
