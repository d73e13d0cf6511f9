"""A late event restates every scoring with a later time, and alerts nobody about the past."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loanpulse.schemas.contracts import RepaymentKind, ScoringCause, SpendingKind
from loanpulse.schemas.sources import REPAYMENT, SPENDING
from loanpulse.schemas.units import DAY_MS, HOUR_MS
from loanpulse.streams.alerts.ids import scoring_ids
from loanpulse.streams.fold.event import fold_event
from loanpulse.streams.partition import fold_and_score
from loanpulse.streams.partition.score_buffers import SCORES, ScoreBuffers
from loanpulse.streams.partition.undo_memory import UndoMemory, in_memory
from loanpulse.streams.policy import policy_file
from loanpulse.streams.record.event import Events
from loanpulse.streams.record.layout import empty_records
from loanpulse.streams.scoring.borrower import score_borrower
from loanpulse.streams.scoring.score import SCORE, calls_for_alert
from tests.support.empty_events import empty_events
from tests.support.event_batches import event_batches

POLICY = policy_file.load(interval_seconds=1.0)
NOON = 20_000 * DAY_MS + DAY_MS // 2
CHUNKS = (1, 2, 3, 1_000)


def event(number: int, source: int, kind: int, time: int, order: int, amount: float, **more: float) -> np.void:
    one = empty_events(1)
    one["source"], one["kind"], one["event_time"], one["merge_time"] = source, kind, time, order
    one["id_hash"], one["offset"], one["amount"], one["row"] = number, number, amount, 0
    one["loan_key"], one["loan_reference"], one["lender"] = 7, 7, (1, 0, 0)
    for name, value in more.items():
        one[name] = value
    return one[0]


def loan_with_a_missed_instalment(*late: np.void) -> Events:
    """A loan, an instalment that falls due unpaid, a purchase a day after it, and what comes late after that."""
    due = NOON // DAY_MS + 5
    events = [
        event(1, REPAYMENT, RepaymentKind.DISBURSED, NOON, NOON, 10_000.0),
        event(2, REPAYMENT, RepaymentKind.INSTALMENT_DUE, NOON + 1, NOON + 1, 870.0, due_day=due),
        event(1, SPENDING, SpendingKind.PURCHASE, NOON + 7 * DAY_MS, NOON + 7 * DAY_MS, 55.0, loan_reference=0),
    ]
    events[2]["id_hash"] = 100
    return np.array([*events, *late], events[0].dtype)


def paid_in_time_but_told_late() -> np.void:
    due = NOON // DAY_MS + 5
    told = NOON + 7 * DAY_MS + HOUR_MS
    return event(3, REPAYMENT, RepaymentKind.PAID, NOON + 4 * DAY_MS, told, 870.0, due_day=due)


def run(events: Events, until: int, room: int = 1_000, reach_ms: int = 30 * DAY_MS) -> np.ndarray:
    records, wake_at = empty_records(1), np.zeros(1, np.int64)
    log = UndoMemory(reach_ms, in_memory).of(records)
    found: list[np.ndarray] = []

    def buffers() -> ScoreBuffers:
        return ScoreBuffers(np.zeros(room, SCORE), empty_records(room), np.zeros(5, np.int64))

    done = 0
    while done < len(events):
        full = buffers()
        done += fold_and_score.fold_events(events[done:], records, wake_at, POLICY.parameters, log, full)
        found.append(full.scores[: full.counters[SCORES]])
    done = 0
    while done < 1:
        full = buffers()
        rows = np.zeros(1, np.int64)
        done = fold_and_score.score_rows(rows, records, wake_at, until, POLICY.parameters, log, full)
        found.append(full.scores[: full.counters[SCORES]])
    return np.concatenate(found)


UNTIL = NOON + 7 * DAY_MS + 2 * HOUR_MS


def test_a_late_payment_restates_every_scoring_since_with_a_later_known_at() -> None:
    late = paid_in_time_but_told_late()
    before = run(loan_with_a_missed_instalment(), UNTIL)
    scores = run(loan_with_a_missed_instalment(late), UNTIL)
    passed = scores[(scores["time"] > late["event_time"]) & (scores["time"] < late["merge_time"])]
    first, restated = passed[passed["restated"] == 0], passed[passed["restated"] == 1]
    assert len(first) >= 3
    assert restated["time"].tolist() == first["time"].tolist()
    assert (first["days_past_due"] > 0).sum() >= 2
    assert first["days_past_due"][-1] == before["days_past_due"][-1] == 2
    assert not restated["days_past_due"].any()
    assert (restated["lhi"] >= first["lhi"]).all()
    assert restated["lhi"][-1] > first["lhi"][-1]
    assert len(set(restated["known_at"])) == 1
    assert restated["known_at"][0] > late["merge_time"]
    assert (scores["known_at"] == scores["time"])[scores["restated"] == 0].all()
    assert (scores["restated"] == 1).sum() == len(restated), "no scoring before the late event is restated"


def recomputed(events: Events, instants: list[int], known_at: int) -> np.ndarray:
    """Score ``instants`` with all that is known at ``known_at``, as if each event had come in time."""
    record, scores = empty_records(1)[0], np.zeros(len(instants), SCORE)
    known = [event for event in events if event["merge_time"] < known_at]
    known.sort(key=lambda event: int(event["event_time"]))
    for instant, score in zip(instants, scores, strict=True):
        while known and known[0]["event_time"] < instant:
            fold_event(record, known.pop(0))
        score_borrower(record, instant, int(ScoringCause.EVENT), POLICY.parameters, score)
    return scores


NOT_COMPARED = ("row", "kept", "restated", "known_at", "cause", "lender", "missed_loans")
"""The last two are by slots of the ledger, which mean nothing."""


@settings(deadline=None, max_examples=60)
@given(event_batches(), st.lists(st.integers(0, 3 * DAY_MS), min_size=12, max_size=12))
def test_a_restated_scoring_is_a_recomputation_from_all_that_is_known_by_then(
    events: np.ndarray, delays: list[int]
) -> None:
    """Of several late events, before and after one another, and at the very time of a scoring."""
    events["merge_time"] = events["event_time"] + delays[: len(events)]
    events.sort(order="merge_time")
    for source in range(3):
        own = events["source"] == source
        events["offset"][own] = np.arange(own.sum()) + 1
    scores = run(events, int(events["merge_time"].max()) + DAY_MS)
    instants = scores["time"][scores["restated"] == 0]
    restated = scores[scores["restated"] == 1]
    for known_at in np.unique(restated["known_at"]).tolist():
        passed = instants[instants < known_at].tolist()
        news = [event for event in events if passed[-1] <= event["merge_time"] < known_at]
        since = min(int(event["event_time"]) for event in news)
        said = restated[restated["known_at"] == known_at]
        assert said["time"].tolist() == [instant for instant in passed if instant > since]
        told = recomputed(events, passed, known_at)[-len(said) :]
        for name in set(SCORE.names) - set(NOT_COMPARED):
            np.testing.assert_allclose(said[name], told[name], rtol=1e-9, atol=1e-9, err_msg=name)
    late = events[[bool((instants[instants <= event["merge_time"]] > event["event_time"]).any()) for event in events]]
    assert bool(len(restated)) == bool(len(late))


@pytest.mark.parametrize(("days", "said"), [(0, 0), (1, 2), (2, 3)])
def test_what_is_out_of_reach_keeps_what_was_known_then(days: int, said: int) -> None:
    events = loan_with_a_missed_instalment(paid_in_time_but_told_late())
    scores, unlimited = run(events, UNTIL, reach_ms=days * DAY_MS), run(events, UNTIL)
    wanted = unlimited[(unlimited["restated"] == 0) | (unlimited["time"] >= unlimited["known_at"] - days * DAY_MS)]
    assert (wanted["restated"] == 1).sum() == said
    assert scores.tobytes() == wanted.tobytes()


@pytest.mark.parametrize("later", [0, 1])
def test_a_scoring_holds_what_came_before_its_time(later: int) -> None:
    """An event at the very time of a scoring is of the next one, in time or late; one just before it is missing."""
    first = event(1, SPENDING, SpendingKind.PURCHASE, NOON, NOON, 55.0, loan_reference=0)
    instant = int(run(np.array([first], first.dtype), NOON + HOUR_MS)["time"][0])
    for order in (instant, instant + HOUR_MS):
        second = event(2, SPENDING, SpendingKind.PURCHASE, instant - 1 + later, order, 70.0, loan_reference=0)
        scores = run(np.array([first, second], first.dtype), instant + 2 * HOUR_MS)
        assert scores["time"][scores["restated"] == 1].tolist() == ([] if later else [instant])


def test_an_event_after_the_latest_scoring_restates_nothing() -> None:
    events = loan_with_a_missed_instalment()
    scores = run(events, UNTIL)
    assert not scores["restated"].any()


def test_a_newer_event_is_not_seen_by_the_restatement() -> None:
    late = paid_in_time_but_told_late()
    newer = event(2, SPENDING, SpendingKind.PURCHASE, late["merge_time"] + 5, late["merge_time"] + 5, 9_000.0)
    newer["id_hash"], newer["loan_reference"] = 101, 0
    alone = run(loan_with_a_missed_instalment(late), UNTIL)
    followed = run(loan_with_a_missed_instalment(late, newer), UNTIL)
    first, second = (scores[scores["restated"] == 1] for scores in (alone, followed))
    assert first.tobytes() == second.tobytes()


@pytest.mark.parametrize("room", CHUNKS)
def test_restatements_do_not_depend_on_the_room_for_scorings(room: int) -> None:
    events = loan_with_a_missed_instalment(paid_in_time_but_told_late())
    roomy, narrow = run(events, UNTIL), run(events, UNTIL, room)
    for scores in (roomy, narrow):
        scores["kept"] = 0  # a place in the room itself
    assert narrow.tobytes() == roomy.tobytes()


def test_a_restated_scoring_has_an_id_of_its_own_and_makes_no_alert() -> None:
    scores = run(loan_with_a_missed_instalment(paid_in_time_but_told_late()), UNTIL)
    keys = np.full(len(scores), b"b-1", "S64")
    ids = scoring_ids(keys, scores["time"], scores["known_at"])
    assert len(set(ids.tolist())) == len(scores)
    again = scoring_ids(keys, scores["time"], scores["known_at"])
    assert (ids == again).all()
    restated = np.flatnonzero(scores["restated"] == 1)
    moved = scores.copy()
    moved["level"][restated], moved["previous_level"][restated] = 4, 0
    assert not any(calls_for_alert(score) for score in moved[restated])
    moved["restated"] = 0
    assert all(calls_for_alert(score) for score in moved[restated])
