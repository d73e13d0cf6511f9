"""How far event time may go: active and idle sources, pauses, and the wall clock."""

from loanpulse.schemas.sources import REPAYMENT, SPENDING, UTILITY
from loanpulse.streams.partition.watermark import NONE_IDLE, Watermark
from loanpulse.streams.record.layout import LONG_AGO

IDLE_AFTER_S = 0.5
ALL_IDLE = (True, True, True)


def reached(**offered_ms: int) -> Watermark:
    """A watermark of sources that started at 10 s, each of which has delivered up to a time."""
    watermark = Watermark()
    watermark.start(10.0)
    for source, name in ((REPAYMENT, "repayment"), (SPENDING, "spending"), (UTILITY, "utility")):
        if name in offered_ms:
            watermark.sources[source].offered_ms = offered_ms[name]
    return watermark


def note(watermark: Watermark, source: int, now_s: float, wall_ms: int = 0) -> None:
    watermark.note_data(source, 7, now_s=now_s, wall_ms=wall_ms, idle_after_s=IDLE_AFTER_S)


def test_the_lowest_watermark_of_the_active_sources_limits_event_time() -> None:
    watermark = reached(repayment=300, spending=100, utility=200)
    assert watermark.safe_until() == 100
    assert watermark.safe_until((False, True, False)) == 200
    assert watermark.safe_until(ALL_IDLE) == 300
    assert reached(repayment=300, utility=200).safe_until() == LONG_AGO


def test_event_time_never_goes_back() -> None:
    watermark = reached(repayment=300, spending=100, utility=200)
    watermark.reached_ms = 250
    assert watermark.safe_until(NONE_IDLE) == 250
    assert watermark.safe_until(ALL_IDLE, 0) == 300


def test_with_all_idle_event_time_follows_the_wall_clock() -> None:
    watermark = reached(repayment=300, spending=100, utility=200)
    assert watermark.safe_until(ALL_IDLE, 5_000) == 300, "no clock before the first event"
    note(watermark, SPENDING, 11.0, wall_ms=1_000)
    assert watermark.safe_until(ALL_IDLE, 5_000) == 300 + 4_000
    assert watermark.safe_until(ALL_IDLE, 500) == 300, "a wall clock that is set back"
    assert watermark.safe_until((True, False, True), 5_000) == 100, "an active source is waited for"


def test_a_source_is_idle_when_it_is_silent_and_the_broker_has_no_more() -> None:
    watermark = reached()
    note(watermark, SPENDING, 10.3)
    assert watermark.idle_sources(10.4, IDLE_AFTER_S, lambda *_: True) == (False, False, False)
    assert watermark.idle_sources(10.6, IDLE_AFTER_S, lambda *_: True) == (True, False, True)
    asked = []
    assert watermark.idle_sources(11.0, IDLE_AFTER_S, lambda *one: asked.append(one) is not None) == (False,) * 3
    assert asked == [(REPAYMENT, -1), (SPENDING, 7), (UTILITY, -1)]


def test_a_partition_that_becomes_active_again_gives_all_sources_fresh_time() -> None:
    watermark = reached()
    note(watermark, SPENDING, 20.0)
    assert watermark.idle_sources(20.4, IDLE_AFTER_S, lambda *_: True) == (False, False, False)
    note(watermark, SPENDING, 20.4)
    assert watermark.idle_sources(20.6, IDLE_AFTER_S, lambda *_: True) == (True, False, True)


def test_only_a_source_ahead_of_an_active_one_may_be_paused() -> None:
    watermark = reached(repayment=300, spending=100, utility=200)
    assert [watermark.is_ahead(source, NONE_IDLE) for source in range(3)] == [True, False, True]
    assert [watermark.is_ahead(source, (False, True, False)) for source in range(3)] == [True, False, False]
    assert not any(watermark.is_ahead(source, ALL_IDLE) for source in range(3))
