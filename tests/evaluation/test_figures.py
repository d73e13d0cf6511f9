"""The figures against other people's implementations, and against cases small enough to count by hand."""

from __future__ import annotations

import numpy as np

from loanpulse.evaluation import alarms
from loanpulse.evaluation.alarms import Period, Truth
from loanpulse.evaluation.coverage import coverage
from loanpulse.evaluation.hardships import seen_by_kind
from loanpulse.evaluation.outcomes import (
    FAR_DAYS,
    DelinquencySpell,
    Hardship,
    Outcomes,
    are_ahead,
    days_to_next,
    failures_of,
    first_of_each,
    rows_of_misses,
)
from loanpulse.evaluation.panel import CHANGE
from loanpulse.evaluation.stability import flip_rate
from loanpulse.schemas.units import DAY_MS


def on_days(*spans: tuple[int, int], days: int = 300) -> np.ndarray:
    table = np.zeros((1, days), np.bool_)
    for first, end in spans:
        table[0, first:end] = True
    return table


def test_an_alarm_that_comes_back_within_thirty_days_is_the_same_one() -> None:
    begun = alarms.starts(on_days((10, 12), (41, 45), (80, 81)))
    assert np.flatnonzero(begun[0]).tolist() == [10, 80]


def test_lead_counts_from_the_beginning_of_the_alarm_that_stands_at_the_miss() -> None:
    failures = [DelinquencySpell(0, 150, 180)]
    assert alarms.leads(on_days((140, 145)), failures).tolist() == [10]
    assert alarms.leads(on_days((90, 100), (120, 122)), failures).tolist() == [60], "one alarm that came back"
    assert alarms.leads(on_days((60, 90), (130, 131)), failures).tolist() == [20], "the first had gone"
    assert alarms.leads(on_days((100, 110)), failures).tolist() == [alarms.NEVER_SEEN_DAYS], "it had gone by then"
    assert alarms.leads(on_days((20, 150)), failures).tolist() == [alarms.AHEAD_DAYS]
    assert alarms.leads(on_days((155, 170)), failures).tolist() == [-5]
    assert alarms.leads(on_days((185, 200)), failures).tolist() == [alarms.NEVER_SEEN_DAYS]


def test_lead_counts_failures_that_were_never_seen() -> None:
    failures = [DelinquencySpell(0, 150, 180), DelinquencySpell(0, 250, 280)]
    found = alarms.lead(on_days((140, 151)), failures)
    assert (found.failures, found.seen_before) == (2, 1)
    assert found.median == (10 + alarms.NEVER_SEEN_DAYS) / 2


def test_an_alarm_is_right_only_strictly_ahead_of_a_row_of_misses() -> None:
    assert np.flatnonzero(are_ahead([DelinquencySpell(0, 150, 180)], 1, 300, 90)[0]).tolist() == list(range(60, 150))
    assert np.flatnonzero(are_ahead([DelinquencySpell(0, 5, 35)], 1, 300, 90)[0]).tolist() == list(range(5))


def test_a_row_stands_until_thirty_days_after_its_last_missed_due_date() -> None:
    outcomes = Outcomes(2, 300, ((1, 150, 180), (1, 290, 290)), (), (), (), ())
    behind = outcomes.behind()
    assert not behind[0].any()
    assert np.flatnonzero(behind[1]).tolist() == [*range(150, 210), *range(290, 300)]


def test_an_alarm_while_a_row_stands_confirms_it_and_is_neither_right_nor_wrong() -> None:
    """Also where the row's own next miss, or another row, is still to come."""
    begun = np.concatenate([on_days((149, 150)), on_days((150, 151)), on_days((59, 60)), on_days((209, 211))])
    ahead = np.concatenate([on_days((60, 150))] * 3 + [on_days((60, 150), (190, 280))])
    behind = np.concatenate([on_days((150, 210))] * 4)
    found = alarms.verdict(begun, Truth(ahead, behind), Period(0, 210))
    assert (found.right, found.wrong, found.confirm) == (1, 1, 2)
    assert found.precision == 0.5


def test_alarms_that_only_confirm_have_no_precision() -> None:
    found = alarms.verdict(on_days((150, 151)), Truth(on_days(), on_days((150, 180))), Period(0, 300))
    assert (found.right, found.wrong, found.confirm) == (0, 0, 1)
    assert np.isnan(found.precision)


def test_only_the_first_failure_of_each_borrower_is_its_first() -> None:
    later, first, other = DelinquencySpell(0, 150, 180), DelinquencySpell(0, 50, 80), DelinquencySpell(1, 170, 200)
    assert first_of_each([later, first, other]) == (first, other)


def test_precision_counts_alarms_that_begin_within_the_period() -> None:
    alarm = np.concatenate([on_days((5, 8), (100, 110)), on_days((120, 121), (200, 201))])
    right = np.concatenate([on_days((90, 130)), on_days()])
    nobody = np.zeros_like(right)
    found = alarms.verdict(alarms.starts(alarm), Truth(right, nobody), Period(50, 180))
    assert (found.right, found.wrong, found.confirm) == (1, 1, 0)


def test_a_team_works_the_highest_first_and_nobody_twice_in_thirty_days() -> None:
    score = np.array([[3.0] * 40, [2.0] * 40, [1.0] * 40])
    worked = alarms.worked_within_budget(score, np.ones((3, 40), np.bool_), Period(0, 40), 0.5)
    assert worked.sum() == 6
    assert [np.flatnonzero(row).tolist()[0] for row in worked] == [1, 3, 5]
    assert np.flatnonzero(worked[0]).tolist() == [1, 31]


def test_nobody_is_worked_on_who_is_no_candidate() -> None:
    worked = alarms.worked_within_budget(np.ones((2, 10)), np.zeros((2, 10), np.bool_), Period(0, 10), 5.0)
    assert not worked.any()


def test_misses_in_a_row_are_one_failure_and_default_with_it() -> None:
    rows = rows_of_misses([(0, 10), (0, 40), (0, 120), (1, 41)])
    assert rows == ((0, 10, 40), (0, 120, 120), (1, 41, 41))
    assert failures_of(rows, [(0, 70), (0, 45)]) == (DelinquencySpell(0, 10, 45),)


def test_days_to_the_next_are_counted_after_the_day() -> None:
    table = days_to_next(((0, 3), (0, 5)), 1, 7)
    assert table[0].tolist() == [3, 2, 1, 2, 1, FAR_DAYS, FAR_DAYS]


def changes(*moves: tuple[int, float, int, int]) -> np.ndarray:
    return np.array([(who, day * DAY_MS, before, after) for who, day, before, after in moves], CHANGE)


def test_a_change_is_a_flip_if_the_next_one_undoes_it_within_seven_days() -> None:
    assert flip_rate(changes((0, 1, 1, 3), (0, 6, 3, 1), (0, 40, 1, 2), (0, 60, 2, 1))) == (4, 0.25)
    assert flip_rate(changes((0, 1, 1, 3), (0, 6, 3, 2))) == (2, 0.0), "only part of it was undone"
    assert flip_rate(changes((0, 1, 1, 3), (1, 2, 3, 1))) == (2, 0.0), "another borrower's"
    assert flip_rate(changes((0, 1, 1, 2), (0, 3, 2, 3))) == (2, 0.0), "it went on"


def test_coverage_counts_what_lay_between_the_quantiles() -> None:
    quantiles = np.array([[[5.0, 20.0, 60.0]] * 4 + [[np.nan] * 3]], np.float32)
    came = np.array([[3, 5, 60, FAR_DAYS, 10]], np.int32)
    found = coverage(quantiles, came, np.ones((1, 5), np.bool_))
    assert (found.forecasts, found.foreseen, found.inside) == (4, 4, 0.5)
    assert (found.before, found.before_median, found.after) == (0.25, 0.5, 0.25)


def test_coverage_is_of_the_forecasts_that_foresee_a_shortfall() -> None:
    quantiles = np.array([[[90.0] * 3] * 3 + [[5.0, 20.0, 60.0]]], np.float32)
    found = coverage(quantiles, np.array([[FAR_DAYS, FAR_DAYS, 40, 70]], np.int32), np.ones((1, 4), np.bool_))
    assert (found.forecasts, found.foreseen, found.inside, found.inside_all) == (4, 1, 0.0, 0.5)


def test_a_shortfall_beyond_the_horizon_is_covered_by_a_quantile_at_the_horizon() -> None:
    quantiles = np.array([[[30.0, 90.0, 90.0]]], np.float32)
    found = coverage(quantiles, np.array([[FAR_DAYS]], np.int32), np.ones((1, 1), np.bool_))
    assert (found.inside, found.foreseen) == (1.0, 1)


def test_a_life_event_is_seen_beside_what_comes_by_chance() -> None:
    begun = np.zeros((4, 200), np.bool_)
    begun[0, 60] = begun[2, 70] = True
    hardships = [Hardship(0, "JOB_LOSS", 50, 100), Hardship(1, "JOB_LOSS", 50, 100)]
    (found,) = seen_by_kind(
        begun, hardships, [DelinquencySpell(0, 90, 120), DelinquencySpell(1, 70, 100)], Period(30, 150)
    )
    assert (found.kind, found.count, found.seen, found.days_to_alert) == ("JOB_LOSS", 2, 0.5, 10.0)
    assert found.by_chance == 0.5, "one of the two undisturbed borrowers had an alert"
    assert (found.failed, found.failed_seen) == (2, 1)
