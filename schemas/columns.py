"""Decoded values as columns, without a Python object per cell.

Every primitive field of the contract (fields of nested records as ``outer.inner``) has a column of integers (int,
long, enum as the ordinal in the current contract, timestamp in ms, date in days, decimal unscaled, boolean), of reals
(float, double), or of text as spans of the joined values.
"""

from dataclasses import dataclass
from typing import NamedTuple, Self

import numpy as np

from loanpulse.schemas.arrays import Bytes, Flags, Float64s, Int64s, read_only
from loanpulse.schemas.avro_values import read_varint
from loanpulse.schemas.column_plan import Layout
from loanpulse.schemas.compiled import compiled


class ColumnArrays(NamedTuple):
    """The arrays of ``Columns``, for compiled functions."""

    errors: Bytes
    data: Bytes
    integers: Int64s
    reals: Float64s
    starts: Int64s
    lengths: Int64s
    present: Flags


@dataclass(frozen=True, slots=True)
class Columns:
    """Decoded values. ``errors`` holds a ``Violation`` per row (0 = fine); cells of a bad row have no meaning.

    The matrices have a row per value; ``layout`` assigns their columns to fields. Text is
    ``data[start : start + length]``.
    """

    errors: Bytes
    data: Bytes
    integers: Int64s
    reals: Float64s
    starts: Int64s
    lengths: Int64s
    present: Flags
    layout: Layout

    @classmethod
    def empty(cls, count: int, data: Bytes, layout: Layout) -> Self:
        """Return ``count`` rows of nulls."""
        return cls(
            np.zeros(count, np.uint8),
            data,
            np.zeros((count, layout.integers), np.int64),
            np.full((count, layout.reals), np.nan),
            np.zeros((count, layout.texts), np.int64),
            np.zeros((count, layout.texts), np.int64),
            np.zeros((count, len(layout.columns)), np.bool_),
            layout,
        )

    def __len__(self) -> int:
        return len(self.errors)

    @property
    def arrays(self) -> ColumnArrays:
        """The arrays as compiled functions take them."""
        data = read_only(self.data)
        return ColumnArrays(self.errors, data, self.integers, self.reals, self.starts, self.lengths, self.present)

    def rows(self, chosen: Int64s) -> "Columns":
        """Return the chosen rows."""
        return Columns(
            self.errors[chosen],
            self.data,
            self.integers[chosen],
            self.reals[chosen],
            self.starts[chosen],
            self.lengths[chosen],
            self.present[chosen],
            self.layout,
        )

    def integer(self, path: str) -> Int64s:
        """Return the integer column of a field."""
        column: Int64s = self.integers[:, self.layout.columns[path].place]
        return column

    def real(self, path: str) -> Float64s:
        """Return the real column of a field."""
        column: Float64s = self.reals[:, self.layout.columns[path].place]
        return column

    def text(self, path: str, row: int) -> bytes:
        """Return the UTF-8 bytes of a text cell."""
        place = self.layout.columns[path].place
        start = self.starts[row, place]
        return self.data[start : start + self.lengths[row, place]].tobytes()

    def texts(self, path: str) -> tuple[Bytes, Int64s]:
        """Return a text column as one buffer and the offsets where each text begins, and at last where all end."""
        place = self.layout.columns[path].place
        return self._gathered(self.starts[:, place], self.lengths[:, place])

    def text_lists(self, path: str) -> tuple[Int64s, Bytes, Int64s]:
        """Return a column of lists of texts: where each list begins among the items, and the items as by ``texts``."""
        place = self.layout.columns[path].place
        starts, lengths = self.starts[:, place].copy(), self.lengths[:, place].copy()
        counts = np.zeros(len(self), np.int64)
        data = read_only(self.data)
        total = find_texts(data, starts, lengths, counts, np.zeros(0, np.int64))
        found = np.zeros(2 * total, np.int64)
        find_texts(data, starts, lengths, counts, found)
        buffer, offsets = self._gathered(found[0::2], found[1::2])
        return np.concatenate([[0], np.cumsum(counts)]), buffer, offsets

    def _gathered(self, starts: Int64s, lengths: Int64s) -> tuple[Bytes, Int64s]:
        offsets = np.concatenate([[0], np.cumsum(lengths)])
        out = np.zeros(int(offsets[-1]), np.uint8)
        copy_texts(read_only(self.data), np.ascontiguousarray(starts), np.ascontiguousarray(lengths), out)
        return out, offsets

    def is_present(self, path: str) -> Flags:
        """Return where a field is not null."""
        column: Flags = self.present[:, self.layout.columns[path].number]
        return column


@compiled
def find_texts(data: Bytes, starts: Int64s, lengths: Int64s, counts: Int64s, found: Int64s) -> int:
    """Fill, for each row's list of texts, its number of items, and the (start, length) of each into ``found``.

    ``found`` may be too short: returns how many items there are in all.
    """
    total = 0
    for row in range(len(starts)):
        place = starts[row]
        end = starts[row] + lengths[row]
        counts[row] = 0
        while 0 <= place < end:
            count, place = read_varint(data, place, end)
            if count == 0:
                break
            if count < 0:
                count = -count
                _, place = read_varint(data, place, end)
            for _ in range(count):
                size, place = read_varint(data, place, end)
                if 2 * total + 1 < len(found):
                    found[2 * total] = place
                    found[2 * total + 1] = size
                total += 1
                counts[row] += 1
                place += size
    return total


@compiled
def copy_texts(data: Bytes, starts: Int64s, lengths: Int64s, out: Bytes) -> None:
    """Copy texts one after the other into ``out``."""
    place = 0
    for row in range(len(starts)):
        for byte in range(lengths[row]):
            out[place + byte] = data[starts[row] + byte]
        place += lengths[row]
