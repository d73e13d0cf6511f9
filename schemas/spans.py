"""Many byte strings as places in one buffer: how keys and bodies travel without a Python object each."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

NO_TEXT = -1
"""The length that stands for none at all."""


@dataclass(frozen=True, slots=True)
class Spans:
    """The string ``row`` is ``data[starts[row] : starts[row] + lengths[row]]``, or none where its length is -1."""

    data: npt.NDArray[np.uint8]
    starts: npt.NDArray[np.int64]
    lengths: npt.NDArray[np.int64]

    @classmethod
    def of(cls, texts: Sequence[bytes | None]) -> Self:
        """Return the spans of Python's own byte strings."""
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
    def ends(self) -> npt.NDArray[np.int64]:
        """Where each string ends in ``data``."""
        return self.starts + np.maximum(self.lengths, 0)

    @property
    def missing(self) -> npt.NDArray[np.bool_]:
        """Where there is no string at all."""
        none: npt.NDArray[np.bool_] = self.lengths == NO_TEXT
        return none
