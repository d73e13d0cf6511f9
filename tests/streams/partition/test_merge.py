"""One order of a partition's sources, which depends on the log alone."""

import numpy as np

from loanpulse.schemas.sources import REPAYMENT, SPENDING
from loanpulse.schemas.violations import Violation
from loanpulse.streams.partition.merge import MergeBuffer
from loanpulse.streams.partition.watermark import Watermark
from loanpulse.streams.record.event import FORGET, Events
from loanpulse.streams.record.layout import NEVER
from tests.support.empty_events import empty_events

LATENESS_MS = 100


def events(*times_ms: int, first_offset: int = 0) -> Events:
    found = empty_events(len(times_ms))
    found["event_time"] = times_ms
    found["offset"] = np.arange(first_offset, first_offset + len(times_ms))
    return found


def started() -> MergeBuffer:
    return MergeBuffer(Watermark(), LATENESS_MS)


def times(merged: Events) -> list[tuple[int, int]]:
    return list(zip(merged["merge_time"].tolist(), merged["event_time"].tolist(), strict=True))


def test_a_merge_time_is_the_sources_watermark_and_at_one_time_the_lower_source_goes_first() -> None:
    buffer = started()
    buffer.offer(SPENDING, events(1_000, 1_500))
    buffer.offer(REPAYMENT, events(1_000, 950, 2_000))
    merged = buffer.release(1_500, inclusive=True)
    assert times(merged) == [(1_000, 1_000), (1_000, 950), (1_000, 1_000), (1_500, 1_500)]
    assert buffer.next_offset.tolist() == [2, 2, 0]
    assert buffer.count(REPAYMENT) == 1
    assert times(buffer.release(2_000, inclusive=False)) == []
    assert times(buffer.release(2_000, inclusive=True)) == [(2_000, 2_000)]
    assert not buffer.has_any


def test_an_event_too_far_behind_its_source_is_refused() -> None:
    offered = started().offer(REPAYMENT, events(1_000, 900, 899))
    assert offered["error"].tolist() == [0, 0, int(Violation.TOO_LATE)]


def test_redelivered_events_are_left_out() -> None:
    buffer = started()
    buffer.offer(REPAYMENT, events(1_000, 1_100))
    assert buffer.offer(REPAYMENT, events(1_000, 1_100, 1_200))["offset"].tolist() == [2]
    buffer.release(NEVER, inclusive=True)
    assert not len(buffer.offer(REPAYMENT, events(1_000)))


def test_an_order_to_forget_keeps_its_place_and_does_not_move_the_watermark() -> None:
    buffer = started()
    some = events(1_000, 5_000, 1_100)
    some["kind"][1] = FORGET
    buffer.offer(REPAYMENT, some)
    merged = buffer.release(NEVER, inclusive=True)
    assert times(merged) == [(1_000, 1_000), (1_000, 5_000), (1_100, 1_100)]
    some = events(1_200, first_offset=3)
    some["kind"], some["row"] = FORGET, -1
    buffer.offer(REPAYMENT, some)
    assert not len(buffer.release(NEVER, inclusive=True)), "nobody is known by that key"


def test_a_time_after_a_number_of_events_is_after_the_first() -> None:
    buffer = started()
    buffer.offer(REPAYMENT, events(1_000, 1_000, 1_000, 1_200))
    assert [buffer.time_after(count) for count in range(5)] == [1_001, 1_001, 1_001, 1_200, NEVER]
