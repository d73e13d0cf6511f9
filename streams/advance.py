"""Carrying borrowers through event time: fold events in their order, score when a moment of scoring is reached.

A borrower is scored at the end of the scoring interval (in event time) in which an event came, and at its own
timers. Both depend on the borrower's events alone, never on how they were batched, so that every way of running
gives the same scorings.
"""

from loanpulse.streams.borrower_record import Integers, Record, Records
from loanpulse.streams.compiled import compiled
from loanpulse.streams.event_columns import Events
from loanpulse.streams.fold import fold_event, seen_before
from loanpulse.streams.restatement import is_late, restate
from loanpulse.streams.scoring import EVENT_CAME, TIME_PASSED, Card, Scores, score_borrower

FOLDED, DUPLICATES, REDELIVERED = range(3)


@compiled
def score_until(record: Record, row: int, time: int, card: Card, scores: Scores, count: int) -> int:
    """Do the record's scorings up to ``time`` (ms), while ``scores`` has room; return the number of scores in it."""
    while count < len(scores):
        moment = min(record["pending_at"], record["timer_at"])
        if moment > time:
            break
        if record["restate"] == 1:
            restate(record, moment, card, scores[count])
            scores[count]["row"] = row
            count += 1
            continue
        cause = EVENT_CAME if record["pending_at"] <= moment else TIME_PASSED
        score_borrower(record, moment, cause, card, scores[count])
        scores[count]["row"] = row
        count += 1
    return count


@compiled
def fold_events(
    events: Events, start: int, records: Records, wake_at: Integers, card: Card, scores: Scores, counts: Integers
) -> tuple[int, int]:
    """Fold ``events[start:]``, which stand in their merged order, and score what falls due before each.

    ``wake_at`` mirrors each record's next moment. ``counts`` gains folded, duplicate and redelivered events.
    Returns (the next event to fold, the number of scores): not the end where ``scores`` ran full.
    """
    count = 0
    for position in range(start, len(events)):
        event = events[position]
        row = event["row"]
        record = records[row]
        source = event["source"]
        if event["offset"] <= record["offsets"][source]:
            counts[REDELIVERED] += 1
            continue
        count = score_until(record, row, event["order_time"], card, scores, count)
        if count >= len(scores):
            return position, count
        if record["restate"] == 1 and event["event_time"] > record["scored_at"]:
            # What is newer than the scoring to be restated must not be seen by it.
            restate(record, min(record["pending_at"], record["timer_at"]), card, scores[count])
            scores[count]["row"] = row
            count += 1
        record["offsets"][source] = event["offset"]
        if seen_before(record, event["id_hash"]):
            counts[DUPLICATES] += 1
            continue
        late = is_late(record, event["event_time"])
        fold_event(record, event)
        if late:
            record["restate"] = 1
        counts[FOLDED] += 1
        interval = card["interval_ms"]
        record["pending_at"] = min(record["pending_at"], (event["order_time"] // interval + 1) * interval)
        wake_at[row] = min(record["pending_at"], record["timer_at"])
    return len(events), count


@compiled
def score_rows(
    rows: Integers, start: int, records: Records, wake_at: Integers, time: int, card: Card, scores: Scores
) -> tuple[int, int]:
    """Score the borrowers ``rows[start:]`` up to ``time`` (ms); returns like ``fold_events``."""
    count = 0
    for position in range(start, len(rows)):
        row = rows[position]
        record = records[row]
        count = score_until(record, row, time, card, scores, count)
        wake_at[row] = min(record["pending_at"], record["timer_at"])
        if wake_at[row] <= time:
            return position, count
    return len(rows), count
