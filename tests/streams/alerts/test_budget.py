"""A team's budget: never more sent than it can work, nothing dropped, and the same decisions after a crash."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loanpulse.streams.alerts.budget import AlertBudgets, BudgetPlan, Decision, LenderBudget, quota

ALERTS = st.lists(
    st.tuples(st.integers(0, 12), st.floats(0, 10_000, allow_nan=False).map(lambda p: round(p, 2))), max_size=80
).map(lambda found: sorted(found, key=lambda one: one[0]))


@given(st.integers(0, 10_000), st.integers(0, 40_000), st.integers(1, 64))
def test_the_parts_of_a_day_add_up_to_the_budget(alerts_per_day: int, day: int, partitions: int) -> None:
    parts = [quota(alerts_per_day, day, partition, partitions) for partition in range(partitions)]
    assert sum(parts) == alerts_per_day
    assert max(parts) - min(parts) <= 1


def test_every_partition_has_its_turn_with_a_small_budget() -> None:
    for partition in range(8):
        assert sum(quota(1, day, partition, 8) for day in range(8)) == 1


def decide(ledger: AlertBudgets, number: int, day: int, priority: float, allowed: int = 3) -> Decision:
    """Decide about one alert and apply the decision."""
    plan = BudgetPlan(ledger)
    decision = plan.decide(f"a{number}", "lender-a", priority, day, allowed=allowed, share=allowed, adaptation=0.1)
    ledger.apply(plan.charges)
    return decision


@given(ALERTS, st.integers(0, 5))
def test_no_day_sends_more_than_its_budget_and_every_alert_has_its_rank(
    alerts: list[tuple[int, float]], allowed: int
) -> None:
    ledger = AlertBudgets()
    sent: dict[int, int] = {}
    earlier: dict[int, list[float]] = {}
    for number, (day, priority) in enumerate(alerts):
        decision = decide(ledger, number, day, priority, allowed)
        sent[day] = sent.get(day, 0) + decision.sent
        assert decision.rank == 1 + sum(other >= priority for other in earlier.setdefault(day, []))
        earlier[day].append(priority)
        assert not (decision.sent and priority < decision.threshold)
    assert all(count <= allowed for count in sent.values())


@given(ALERTS, st.integers(0, 79), st.integers(0, 79))
def test_a_crash_between_the_ledger_and_the_borrowers_changes_no_decision(
    alerts: list[tuple[int, float]], saved: int, written: int
) -> None:
    """The ledger of ``written`` is durable, the borrowers only as of ``saved``: what is between is made again."""
    saved, written = sorted((min(saved, len(alerts)), min(written, len(alerts))))
    straight = AlertBudgets()
    expected = []
    ledger_bytes = b""
    for number, (day, priority) in enumerate(alerts):
        if number == saved:
            straight.take_bytes()
        if number == written:
            ledger_bytes = straight.take_bytes()
        expected.append(decide(straight, number, day, priority))
    if written == len(alerts):
        if saved == written:
            straight.take_bytes()
        ledger_bytes = straight.take_bytes()
    again = AlertBudgets()
    again.load(ledger_bytes)
    for number in range(saved, len(alerts)):
        day, priority = alerts[number]
        assert decide(again, number, day, priority) == expected[number]


def test_the_threshold_moves_slowly_to_what_fills_the_budget() -> None:
    budget = LenderBudget()
    thresholds = []
    for day in range(60):
        budget.begin(day, 2.0, 0.1)
        thresholds.append(budget.threshold)
        for priority in range(100, 0, -10):
            budget.decide(float(priority), 2)
    assert thresholds[0] == 0.0
    assert thresholds[1] == pytest.approx(9.0)
    assert all(a <= b for a, b in pairwise(thresholds))
    assert 85.0 < thresholds[-1] <= 90.0
    budget.begin(120, 2.0, 0.1)
    assert budget.threshold < 1.0


def test_a_ledger_of_another_version_is_refused() -> None:
    with pytest.raises(ValueError, match="not known"):
        AlertBudgets().load(b'{"version": 99}')
