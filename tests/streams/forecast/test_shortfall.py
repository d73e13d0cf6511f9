"""The days to shortfall: what the model says where the answer is plain, and what calibration learns."""

import numpy as np
import pytest

from loanpulse.evaluation.coverage import coverage
from loanpulse.streams.forecast.calibration import high_level, learn_outcome, low_level
from tests.support.borrower_life import Found, Life, days, months

START = "2026-01-01"


def household(balance: float, salary: float = 0.0, instalment: float = 900.0) -> Found:
    """Spends 100 a day for 60 days, owes ``instalment`` on the 20th of each month; seen on the first of March."""
    life = Life().borrow("2025-12-20", 12_000, declared_purpose="OTHER")
    for when in days(START, 59):
        life.spend(when, 100, balance=balance)
    for month in months("2025-12-10", 3):
        if salary:
            life.earn(f"{month} 09:00", salary)
    for due in ("2026-01-20", "2026-02-20"):
        life.due(str(np.datetime64(due) - 10), due, instalment).repay(f"{due} 10:00", due, instalment)
    life.due("2026-03-01 08:00", "2026-03-20", instalment)
    return life.found("2026-03-01 12:00")


def quantiles(found: Found) -> list[float]:
    return found.scores[-1]["shortfall_days"].tolist()


def test_a_balance_that_spending_eats_before_the_due_date_falls_short_on_it() -> None:
    # 19 days of 100 and an instalment of 900 against 2,000.
    assert quantiles(household(2_000)) == [19, 19, 19]
    assert household(2_000).scores[-1]["runway_days"] == pytest.approx(19, abs=0.5)


def test_a_balance_that_meets_the_first_due_date_falls_short_on_the_next() -> None:
    assert quantiles(household(5_000)) == [50, 50, 50]


def test_a_salary_that_covers_everything_leaves_ninety_days_or_more() -> None:
    assert quantiles(household(5_000, salary=7_000)) == [90, 90, 90]
    assert household(5_000, salary=7_000).scores[-1]["runway_days"] == pytest.approx(90, abs=0.5)


def test_of_a_borrower_without_a_balance_nothing_is_said() -> None:
    life = Life()
    for when in days(START, 59):
        life.spend(when, 100)
    assert np.isnan(quantiles(life.found("2026-03-01 12:00"))).all()


def test_what_is_overdue_and_not_covered_is_a_shortfall_now() -> None:
    life = Life().spend("2026-03-01", 50, balance=300).due("2026-03-01", "2026-03-20", 900)
    found = life.found("2026-03-25")
    assert quantiles(found) == [0, 0, 0]
    assert found.scores[-1]["unmet_day"] == np.datetime64("2026-03-20").astype(int)


def test_outcomes_outside_an_interval_widen_it_and_inside_narrow_it() -> None:
    found = household(5_000)
    low, high = low_level(found.record), high_level(found.record)
    learn_outcome(found.record, 0, 1.0, 0.0)
    assert low_level(found.record) < low
    assert high_level(found.record) < high
    learn_outcome(found.record, 0, 0.0, 1.0)
    assert high_level(found.record) > high - 0.01


def test_levels_settle_where_a_fifth_of_the_outcomes_lie_outside() -> None:
    """Outcomes drawn from a distribution that the model has wrong: the interval still comes to hold four of five."""
    record = household(5_000).record
    dice = np.random.default_rng(4)
    inside = []
    for _ in range(4_000):
        outcome = dice.uniform() ** 0.7  # the model believes uniform
        low, high = float(outcome < low_level(record)), float(outcome > high_level(record))
        inside.append(low + high == 0.0)
        learn_outcome(record, 0, low, high)
    assert np.mean(inside[1_000:]) == pytest.approx(0.8, abs=0.02)


def test_coverage_counts_what_lies_in_the_interval() -> None:
    quantiles = np.array([[10, 20, 30], [10, 20, 30], [10, 20, 90], [90, 90, 90]], float)
    found = coverage(quantiles, np.array([5, 25, 90, 90]), np.ones(4, np.bool_))
    assert (found.forecasts, found.foreseen) == (4, 3)
    assert (found.inside, found.before, found.after) == pytest.approx((2 / 3, 1 / 3, 0))
    assert found.inside_all == pytest.approx(3 / 4)
