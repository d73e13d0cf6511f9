"""Buffers of scorings are used again after their release, and only then."""

import numpy as np

from loanpulse.streams.partition.score_buffers import (
    BUFFER_SCORES,
    KEPT,
    MOST_FREE,
    SCORES,
    BufferPool,
    ScoreCollector,
)
from loanpulse.streams.record.layout import empty_records
from loanpulse.streams.scoring.score import SCORE, Scores


def test_a_buffer_is_used_again_after_its_release_only() -> None:
    pool = BufferPool()
    first = pool.acquire(10)
    second = pool.acquire(10)
    assert second is not first
    pool.release(first)
    assert pool.acquire(10) is first
    for _ in range(MOST_FREE + 2):
        pool.release(np.empty(BUFFER_SCORES, SCORE))
    assert len({id(pool.acquire(1)) for _ in range(MOST_FREE)}) == MOST_FREE


def collect(collector: ScoreCollector, rows: range) -> None:
    """A pass that writes one scoring and one kept record a row."""
    buffers = collector.begin_pass()
    for row in rows:
        at = int(buffers.counters[SCORES])
        buffers.scores[at]["row"], buffers.scores[at]["kept"] = row, buffers.counters[KEPT]
        buffers.counters[SCORES] += 1
        buffers.counters[KEPT] += 1
    collector.end_pass()


def collected(pool: BufferPool, passes: int) -> tuple[Scores, ScoreCollector]:
    collector = ScoreCollector(pool, 0, np.zeros(5, np.int64), empty_records(4))
    for number in range(passes):
        collect(collector, range(3 * number, 3 * number + 3))
    return collector.result()[0], collector


def test_scorings_of_several_passes_stay_in_their_order_and_name_their_kept_records() -> None:
    pool = BufferPool()
    scores, collector = collected(pool, 4)
    _, kept, lease = collector.result()
    assert scores["row"].tolist() == list(range(12))
    assert scores["kept"].tolist() == list(range(12))
    assert len(kept) == 12
    lease.release()
    lease.release()
    again, other = pool.acquire(1), pool.acquire(1)
    assert again is scores.base, "the first release gives the buffer back"
    assert other is not again, "the second does nothing"
