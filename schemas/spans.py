"""Many byte strings as spans of one buffer: how keys and bodies travel without a Python object each."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Self

import numpy as np

from loanpulse.schemas.arrays import Bytes, Flags, Int64s, read_only

NO_TEXT = -1
"""The length of a string that is missing (null)."""


class SpanArrays(NamedTuple):
    """The arrays of ``Spans``, for compiled functions."""

    data: Bytes
    starts: Int64s
    lengths: Int64s


@dataclass(frozen=True, slots=True)
class Spans:
    """String ``row`` is ``data[starts[row] : starts[row] + lengths[row]]``; it is missing where its length is -1.

    >>> spans = Spans.of([b"lender-a", None, b""])
    >>> list(spans), spans.missing.tolist()
    ([b'lender-a', None, b''], [False, True, False])
    """

    data: Bytes
    starts: Int64s
    lengths: Int64s

    @classmethod
    def of(cls, texts: Sequence[bytes | None]) -> Self:
        """Return the spans of Python byte strings, copied into one buffer."""
        joined = b"".join(text for text in texts if text)
        lengths = np.fromiter((NO_TEXT if text is None else len(text) for text in texts), np.int64, len(texts))
        sizes = np.maximum(lengths, 0)
        data = np.frombuffer(joined, np.uint8) if joined else np.zeros(1, np.uint8)
        return cls(data, np.cumsum(sizes) - sizes, lengths)

    def __len__(self) -> int:
        return len(self.lengths)

    def __getitem__(self, row: int) -> bytes | None:
        size = int(self.lengths[row])
        if size == NO_TEXT:
            return None
        start = int(self.starts[row])
        return self.data[start : start + size].tobytes()

    def __iter__(self) -> Iterator[bytes | None]:
        return (self[row] for row in range(len(self)))

    def since(self, row: int) -> Self:
        """Return the spans from ``row`` on."""
        return type(self)(self.data, self.starts[row:], self.lengths[row:])

    @property
    def arrays(self) -> SpanArrays:
        """The arrays as compiled functions take them."""
        return SpanArrays(read_only(self.data), self.starts, self.lengths)

    @property
    def ends(self) -> Int64s:
        """Where each string ends in ``data``."""
        return self.starts + np.maximum(self.lengths, 0)

    @property
    def missing(self) -> Flags:
        """Where the string is missing."""
        missing: Flags = self.lengths == NO_TEXT
        return missing
