"""Absences are found when their time has passed: also after a restart in between, and without further events."""

import numpy as np
import pytest

from loanpulse.streams.engine.engine import Engine, EngineOptions
from tests.support.borrower_life import REGISTRY, Found, Life, days, months, ms, policy_with
from tests.support.engine_logs import copy_state, scores_until

MOMENTS = [("2026-06-16 00:00", "INCOME_STOPPED"), ("2026-06-21 08:00", "INSTALMENT_MISSED")]


def silent_life() -> Life:
    """Paid monthly until May, one instalment announced, and then nothing more, ever."""
    life = Life()
    for when in months("2026-01-10", 5):
        life.earn(when, 7000)
    return life.due("2026-06-05", "2026-06-20", 900)


def run(engine: Engine, *until: str) -> Found:
    scores = [scores_until(engine, 0, ms(one)) for one in until]
    return Found(np.concatenate(scores), engine.partition(0).store.records[0])


def restarted(engine: Engine) -> Engine:
    """A new engine with nothing but what the changelog holds."""
    fresh = Engine(EngineOptions(1), policy_with(), REGISTRY)
    copy_state(engine.partition(0), fresh.partition(0))
    return fresh


def test_each_is_found_at_its_time_though_no_event_comes() -> None:
    assert silent_life().found("2026-06-30").opened() == MOMENTS


def test_the_time_does_not_depend_on_how_time_is_cut() -> None:
    engine = silent_life().engine()
    assert run(engine, *[f"{day} 17:00" for day in days("2026-06-05", 20)]).opened() == MOMENTS


def test_a_restart_that_spans_the_times_finds_them_at_the_times() -> None:
    before = silent_life().engine()
    assert run(before, "2026-06-12").opened() == []
    assert run(restarted(before), "2026-06-30").opened() == MOMENTS


def test_a_restart_between_open_and_close_does_not_open_again() -> None:
    engine = silent_life().engine()
    assert run(engine, "2026-06-18").names() == ["INCOME_STOPPED"]
    assert run(restarted(engine), "2026-06-20").opened() == []


def test_an_irregular_earner_is_given_twice_the_longest_gap() -> None:
    life = Life()
    for when in ("2026-01-03", "2026-01-13", "2026-01-31", "2026-02-04", "2026-02-08"):
        life.earn(when, 900, "OTHER")
    assert life.found("2026-03-16 23:59").opened() == []
    assert life.found("2026-03-17").opened() == [("2026-03-17 00:00", "INCOME_STOPPED")]


@pytest.mark.parametrize(("bills", "names"), [(0, ["INCOME_STOPPED"]), (2, [])])
def test_a_silent_account_tells_of_no_stop_while_other_feeds_go_on(bills: int, names: list[str]) -> None:
    life = Life()
    for when in months("2026-01-10", 5):
        life.earn(when, 7000)
    for when in days("2026-01-02", 140):
        life.spend(when, 80)
    for due in ("2026-06-05", "2026-06-25")[:bills]:
        life.bill(due, due)
    assert life.found("2026-06-30").names() == names


def test_an_account_that_goes_on_without_pay_tells_of_a_stop() -> None:
    life = Life().bill("2026-06-05", "2026-06-05")
    for when in months("2026-01-10", 5):
        life.earn(when, 7000)
    for when in days("2026-01-02", 170):
        life.spend(when, 80)
    assert life.found("2026-06-30").names() == ["INCOME_STOPPED"]


def test_two_pays_teach_no_payday() -> None:
    life = Life().earn("2026-01-10", 7000).earn("2026-02-10", 7000)
    assert life.found("2026-06-10").names() == []


def test_a_third_late_bill_is_found_though_the_utility_says_nothing() -> None:
    life = Life().bill("2026-03-10", "2026-03-20").bill("2026-04-10", "2026-04-25").bill("2026-05-10", None)
    assert life.found("2026-06-01").opened() == [("2026-05-12 08:00", "UTILITY_LATE_STREAK")]
