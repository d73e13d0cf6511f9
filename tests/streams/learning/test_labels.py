"""Delayed labels: what becomes of a snapshot, when that is known, and that nothing leaks back."""

import random
from dataclasses import replace

import pytest

from loanpulse.schemas.contracts import ExampleOutcome
from loanpulse.schemas.units import DAY_MS
from loanpulse.streams.learning.labels import (
    LabelOptions,
    LabelQueue,
    LeakError,
    Matured,
    Prediction,
    Repayment,
)
from tests.support.label_snapshots import START, snapshot

OPTIONS = LabelOptions(horizons=(30, 60), lateness_ms=2 * DAY_MS)


def event(day: float, kind: str, due: int | None = None, amount: float = 100.0, borrower: str = "b") -> Repayment:
    due_day = None if due is None else START + due
    name = f"{borrower}-{day}-{kind}-{due}"
    return Repayment(name, borrower, int((START + day) * DAY_MS), "lender-a", "loan", kind, amount, due_day)


def outcomes(ledger: LabelQueue, day: float = 400) -> dict[tuple[str, int], ExampleOutcome]:
    return {
        (one.prediction.snapshot_id, one.horizon_days): one.outcome
        for one in ledger.advance(int((START + day) * DAY_MS))
    }


def filled(*records: Prediction | Repayment) -> LabelQueue:
    ledger = LabelQueue(OPTIONS)
    for record in records:
        if isinstance(record, Prediction):
            ledger.add_snapshot(record)
        else:
            ledger.add_repayment(record)
    return ledger


def test_an_unpaid_instalment_defaults_on_its_thirtieth_day() -> None:
    # Due on day 10, so day 40 is its thirtieth past due.
    due = event(1, "INSTALMENT_DUE", due=10)
    found = outcomes(filled(due, snapshot(9), snapshot(17)))
    assert found[("b-9", 30)] is ExampleOutcome.CURRENT or found[("b-9", 30)] is ExampleOutcome.CENSORED
    assert found[("b-9", 60)] is ExampleOutcome.DEFAULTED
    assert found[("b-17", 30)] is ExampleOutcome.DEFAULTED


@pytest.mark.parametrize(("paid_on", "expected"), [(39.0, ExampleOutcome.CURRENT), (41.5, ExampleOutcome.DEFAULTED)])
def test_a_payment_cures_before_the_thirtieth_day_only(paid_on: float, expected: ExampleOutcome) -> None:
    due = event(1, "INSTALMENT_DUE", due=10)
    found = outcomes(filled(due, snapshot(17), event(paid_on, "PAID", due=10)))
    assert found[("b-17", 30)] is expected


def test_a_part_payment_does_not_cure() -> None:
    found = outcomes(
        filled(event(1, "INSTALMENT_DUE", due=10), snapshot(17), event(20, "PAID", due=10, amount=99.0))
    )  # fmt: skip
    assert found[("b-17", 30)] is ExampleOutcome.DEFAULTED


def test_who_settled_or_left_is_censored() -> None:
    settled = filled(snapshot(7), event(8, "PAID", due=8), event(9, "SETTLED"))
    assert outcomes(settled)[("b-7", 30)] is ExampleOutcome.CENSORED
    left = filled(event(1, "PAID", due=1), snapshot(7))
    assert outcomes(left)[("b-7", 30)] is ExampleOutcome.CENSORED
    stays = filled(event(1, "PAID", due=1), snapshot(7), snapshot(14))
    assert outcomes(stays)[("b-7", 30)] is ExampleOutcome.CURRENT


def test_nothing_matures_before_its_horizon_and_the_lateness_have_passed() -> None:
    ledger = filled(event(1, "INSTALMENT_DUE", due=10), snapshot(17), snapshot(30))
    assert outcomes(ledger, 17 + 30 + 1.9) == {}
    assert list(outcomes(ledger, 17 + 30 + 2)) == [("b-17", 30)], "though it had defaulted on day 40"


def test_only_predictions_wait_one_an_interval() -> None:
    ledger = filled(*(snapshot(day) for day in (7, 8, 13.9, 14)))
    ledger.add_snapshot(snapshot(21, days_past_due=30))
    ledger.add_snapshot(snapshot(28, open_loans=0))
    assert {name for name, _ in outcomes(ledger)} == {"b-7", "b-14"}


def test_what_is_restated_is_no_prediction() -> None:
    """Neither of an interval that had none yet, nor a second one of an interval that has."""
    ledger = filled(snapshot(7))
    for day in (3, 7, 8):
        for later in (1, 2):
            ledger.add_snapshot(
                replace(snapshot(day), snapshot_id=f"r-{day}-{later}", known_at=snapshot(9 + later).time)
            )
    assert {name for name, _ in outcomes(ledger)} == {"b-7"}


def test_a_snapshot_that_was_known_before_its_time_is_refused() -> None:
    leaking = replace(snapshot(7), known_at=snapshot(6).time)
    with pytest.raises(LeakError):
        LabelQueue(OPTIONS).add_snapshot(leaking)


def test_what_comes_later_never_changes_the_features() -> None:
    before = snapshot(7)
    ledger = filled(event(1, "INSTALMENT_DUE", due=10), before)
    for day in range(8, 60):
        ledger.add_snapshot(snapshot(day))
    found = next(iter(ledger.advance(int((START + 40) * DAY_MS))))
    assert found.prediction == before
    assert found.matured_time >= found.prediction.known_at + 30 * DAY_MS


def history(seed: int) -> list[Prediction | Repayment]:
    dice = random.Random(seed)
    records: list[Prediction | Repayment] = []
    for number in range(12):
        borrower = f"b{number}"
        for month in range(5):
            due = 10 + 30 * month
            records.append(event(due - 9, "INSTALMENT_DUE", due=due, borrower=borrower))
            if dice.random() < 0.7:
                records.append(event(due + dice.uniform(-5, 50), "PAID", due=due, borrower=borrower))
        if dice.random() < 0.3:
            records.append(event(90, "SETTLED", borrower=borrower))
        records += [snapshot(day + dice.random(), borrower) for day in range(0, 160, 3)]
    return sorted(records, key=lambda record: record.time)


def run(records: list[Prediction | Repayment], steps: int) -> list[Matured]:
    """Hand over repayments ahead of snapshots by up to ``steps`` records, and advance after each."""
    ledger, found = LabelQueue(OPTIONS), []
    for place, record in enumerate(records):
        if isinstance(record, Prediction):
            ledger.add_snapshot(record)
        else:
            ledger.add_repayment(record)
        if place % steps == 0:
            found += ledger.advance(record.time)
    found += ledger.advance((START + 500) * DAY_MS)
    return found


@pytest.mark.parametrize("seed", range(4))
def test_the_outcomes_do_not_depend_on_when_time_is_carried_on(seed: int) -> None:
    records = history(seed)
    often, seldom, once = run(records, 1), run(records, 17), run(records, 10**6)
    assert often == seldom == once
    assert len({one.outcome for one in once}) == 3
    repayments = [one for one in records if isinstance(one, Repayment)]
    early = repayments + [one for one in records if isinstance(one, Prediction)]
    assert run(early, 10**6) == once, "nor on how far one topic is ahead of the other"


def test_a_repayment_sent_twice_counts_once() -> None:
    paid = event(12, "PAID", due=10, amount=50.0)
    found = outcomes(filled(event(1, "INSTALMENT_DUE", due=10), snapshot(17), paid, paid))
    assert found[("b-17", 30)] is ExampleOutcome.DEFAULTED
