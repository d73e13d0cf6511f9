"""Where scorings are written: buffers that are reused once the reader of their scorings releases them."""

from typing import NamedTuple

import numpy as np

from loanpulse.streams.record.layout import BORROWER, Integers, Records
from loanpulse.streams.scoring.score import SCORE, Scores

BUFFER_SCORES = 1 << 16
"""Scorings that a reusable buffer has room for."""
MOST_FREE = 3
"""Free buffers that are kept. One is filled while another is published."""
KEPT_AT_ONCE = 256
"""Records that a compiled pass may keep before it returns."""
SCORES, KEPT, NEW, DUPLICATES, REDELIVERED = range(5)
"""In ``counters``: scorings and kept records written in this pass; events folded, of a known id, and of an offset that
is folded already, since the start."""


class ScoreBuffers(NamedTuple):
    """Where a compiled pass writes: its scorings, and the borrowers' records at those that call for an alert."""

    scores: Scores
    kept: Records
    counters: Integers


class BufferPool:
    """Buffers of scorings for reuse: memory that was written before is faster than new memory."""

    def __init__(self) -> None:
        self._free: list[Scores] = []

    def acquire(self, expected: int) -> Scores:
        """Return a buffer for more than ``expected`` scorings; memory that is not written is not touched."""
        if expected >= BUFFER_SCORES:
            return np.empty(2 * expected, SCORE)
        return self._free.pop() if self._free else np.empty(BUFFER_SCORES, SCORE)

    def release(self, buffer: Scores) -> None:
        """Take a buffer back. Nobody may read it any more; may be called from another thread than ``acquire``."""
        if len(buffer) == BUFFER_SCORES and len(self._free) < MOST_FREE:
            self._free.append(buffer)


class BufferLease:
    """The right to read one buffer, until ``release``; a second ``release`` does nothing."""

    def __init__(self, pool: BufferPool, buffer: Scores) -> None:
        self._pool = pool
        self._buffer: Scores | None = buffer

    def release(self) -> None:
        """Give the buffer back to its pool. Its scorings may be overwritten from now on."""
        buffer, self._buffer = self._buffer, None
        if buffer is not None:
            self._pool.release(buffer)


class ScoreCollector:
    """Collects the scorings of one run where they were written, and copies of the records kept with them.

    Scorings are not copied: a copy would cost as much as the scoring, and so would memory not yet touched.
    """

    def __init__(self, pool: BufferPool, expected: int, counters: Integers, kept: Records) -> None:
        self._buffer = pool.acquire(expected)
        self._lease = BufferLease(pool, self._buffer)
        self._counters = counters
        self._kept_scratch = kept
        self._full: list[Scores] = []
        self._used = 0
        self._kept: list[Records] = []
        self._kept_count = 0

    def begin_pass(self) -> ScoreBuffers:
        """Return where the next compiled pass writes; there is room for at least one scoring."""
        if self._used == len(self._buffer):
            self._full.append(self._buffer)
            self._buffer, self._used = np.empty(2 * len(self._buffer), SCORE), 0
        self._counters[SCORES] = self._counters[KEPT] = 0
        return ScoreBuffers(self._buffer[self._used :], self._kept_scratch, self._counters)

    def end_pass(self) -> None:
        """Add what the pass wrote. Its scorings name kept records by index; the records are copied."""
        count, kept_count = int(self._counters[SCORES]), int(self._counters[KEPT])
        if kept_count:
            kept = self._buffer["kept"][self._used : self._used + count]
            kept[kept >= 0] += self._kept_count
            self._kept_count += kept_count
            self._kept.append(self._kept_scratch[:kept_count].copy())
        self._used += count

    def result(self) -> tuple[Scores, Records, BufferLease]:
        """Return all scorings, all records kept, and the lease of the memory that the scorings lie in."""
        scores = self._buffer[: self._used]
        if self._full:
            scores = np.concatenate([*self._full, scores])
            self._lease.release()
        kept = np.concatenate(self._kept) if self._kept else np.zeros(0, BORROWER)
        return scores, kept, self._lease
