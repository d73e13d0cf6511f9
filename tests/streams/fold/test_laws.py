"""The laws of the fold: order does not matter, twice is once."""

import itertools

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from loanpulse.schemas.contracts import RepaymentKind
from loanpulse.schemas.sources import REPAYMENT
from loanpulse.schemas.units import DAY_MS
from loanpulse.streams.fold.event import fold_event, seen_before
from loanpulse.streams.policy import policy_file
from loanpulse.streams.record.event import EVENT
from loanpulse.streams.record.layout import BORROWER, empty_records
from loanpulse.streams.scoring.borrower import describe
from loanpulse.streams.scoring.score import SCORE
from tests.support.empty_events import empty_events
from tests.support.event_batches import START, event_batches

PARAMETERS = policy_file.load().parameters
NOT_COMPARED = {
    "recent_low", "recent_high", "recent_next",  # bookkeeping, whose order is that of arrival
    "late_bill_day", "late_bill_signs",  # compared as sets in behaviours/test_episodes.py
}  # fmt: skip


def fold_all(events: np.ndarray) -> np.void:
    record = empty_records(1)[0]
    for event in events:
        if not seen_before(record, event["id_hash"]):
            fold_event(record, event)
    return record


def comparable(record: np.void) -> dict[str, np.ndarray]:
    """The record's content, with ledgers as sets of entries (the slot of an entry is of no meaning)."""
    content = {name: np.atleast_1d(record[name]) for name in BORROWER.names if name not in NOT_COMPARED}
    for prefix in ("loan_", "instalment_", "bill_", "credit_", "repayment_", "reading_", "traced_", "pay_", "advance_"):
        names = [name for name in content if name.startswith(prefix)]
        columns = [content[name].reshape(len(content[name]), -1).astype(np.float64) for name in names]
        table = np.hstack(columns)
        content[prefix] = table[np.lexsort(table.T)]
        for name in names:
            del content[name]
    return content


@settings(deadline=None, max_examples=150)
@given(event_batches(), st.randoms(use_true_random=False))
def test_any_order_of_events_gives_the_same_record(events: np.ndarray, random) -> None:
    order = list(range(len(events)))
    random.shuffle(order)
    straight, shuffled = comparable(fold_all(events)), comparable(fold_all(events[order]))
    for name, value in straight.items():
        np.testing.assert_allclose(shuffled[name], value, rtol=1e-9, err_msg=name)


@settings(deadline=None, max_examples=80)
@given(event_batches(), st.randoms(use_true_random=False), st.integers(0, 60))
def test_any_order_of_events_gives_the_same_scoring(events: np.ndarray, random, days: int) -> None:
    order = list(range(len(events)))
    random.shuffle(order)
    said = []
    for each in (events, events[order]):
        score = np.zeros(1, SCORE)[0]
        describe(fold_all(each), START + (8 + days) * DAY_MS, PARAMETERS, score)
        said.append(score)
    for name in SCORE.names:
        if name != "lender":  # shown in the order of the slots, written in that of the ids
            np.testing.assert_allclose(said[1][name], said[0][name], rtol=1e-9, atol=1e-12, err_msg=name)


@settings(deadline=None, max_examples=100)
@given(event_batches())
def test_an_event_folded_twice_changes_nothing(events: np.ndarray) -> None:
    twice = np.array(list(itertools.chain.from_iterable((e, e) for e in events)), EVENT)
    assert fold_all(twice).tobytes() == fold_all(events).tobytes()


def test_a_payment_may_come_before_its_due_event() -> None:
    due, paid = empty_events(2)
    for event, kind in ((due, RepaymentKind.INSTALMENT_DUE), (paid, RepaymentKind.PAID)):
        event["source"], event["kind"], event["amount"] = REPAYMENT, int(kind), 870.0
        event["loan_key"], event["due_day"], event["event_time"] = 7, 19_800, START
    due["id_hash"], paid["id_hash"] = 1, 2
    record = fold_all(np.array([paid, due], EVENT))
    assert record["instalment_due"][0] == record["instalment_paid"][0] == 870.0
