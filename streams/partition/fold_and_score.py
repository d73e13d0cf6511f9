"""Carrying borrowers through event time: fold events in their order, score when a moment of scoring is reached.

A borrower is scored at the end of the scoring interval (in event time) in which an event came, and at its own
timers. Both depend on the borrower's events alone, never on how they were batched, so that every way of running
gives the same scorings.
"""

from loanpulse.schemas.compiled import compiled, int64
from loanpulse.streams.fold.event import fold_event, seen_before
from loanpulse.streams.partition.restatement import is_late, restate
from loanpulse.streams.partition.undo_log import (
    BEFORE,
    FOLDED,
    LATE,
    REACH,
    SCORED,
    SPARE_CHUNKS,
    UndoLog,
    has_room,
    keep_before,
    leave,
)
from loanpulse.streams.record.codes import EVENT_CAME, TIME_PASSED
from loanpulse.streams.record.event import Event, Events
from loanpulse.streams.record.layout import Integers, Record, Records
from loanpulse.streams.scoring.borrower import score_borrower
from loanpulse.streams.scoring.parameters import ScoringParameters
from loanpulse.streams.scoring.score import Score, Scores, calls_for_alert

NEW, DUPLICATES, REDELIVERED = range(3)


@compiled
def score_now(
    record: Record, row: int, moment: int, cause: int, parameters: ScoringParameters, trail: UndoLog, score: Score
) -> None:
    """Score the record at ``moment`` (ms) and leave what that changed in its trail."""
    past = trail.state[REACH] > 0
    if past:
        keep_before(trail, record)
    score_borrower(record, moment, cause, parameters, score)
    score["row"] = row
    score["kept"] = -1
    if past:
        # What no scoring reads is left out of the trail.
        before = trail.past[BEFORE]
        before["pending_at"], before["timer_at"] = record["pending_at"], record["timer_at"]
        before["lhi"] = record["lhi"]
        leave(trail, row, SCORED, moment)


@compiled
def fold_now(record: Record, row: int, event: Event, trail: UndoLog) -> None:
    """Fold a new event and leave what that changed in the record's trail; a late one is to restate earlier scorings."""
    past = trail.state[REACH] > 0
    late = past and is_late(record, event["event_time"])
    if late:
        record["restate"] = 1
        trail.event[0] = event
        trail.event[0]["row"] = 0  # its place in this process's memory, which must not be stored
    if past:
        keep_before(trail, record)
    fold_event(record, event)
    if past:
        trail.past[BEFORE]["recent_next"] = record["recent_next"]
        leave(trail, row, LATE if late else FOLDED, event["event_time"])


@compiled
def score_until(
    record: Record,
    row: int,
    time: int,
    parameters: ScoringParameters,
    trail: UndoLog,
    scores: Scores,
    count: int,
    kept: Records,
    keeping: int,
) -> tuple[int, int]:
    """Do the record's scorings up to ``time`` (ms), while ``scores``, ``kept`` and the trail have room.

    ``kept`` gains the record as it is at each scoring that calls for an alert. Returns the number of scores in
    ``scores`` and of records in ``kept``.
    """
    while count < len(scores) and keeping < len(kept) and has_room(trail, SPARE_CHUNKS):
        moment = min(record["pending_at"], record["timer_at"])
        if moment > time:
            break
        if record["restate"] == 1:
            count = restate(record, row, moment, parameters, trail, scores, count)
            continue
        cause = EVENT_CAME if record["pending_at"] <= moment else TIME_PASSED
        score = scores[count]
        score_now(record, row, moment, cause, parameters, trail, score)
        if calls_for_alert(score):
            kept[keeping] = record
            score["kept"] = keeping
            keeping += 1
        count += 1
    return count, keeping


@compiled
def fold_events(
    events: Events,
    start: int,
    records: Records,
    wake_at: Integers,
    parameters: ScoringParameters,
    trail: UndoLog,
    scores: Scores,
    kept: Records,
    counts: Integers,
) -> tuple[int, int, int]:
    """Fold ``events[start:]``, which stand in their merged order, and score what falls due before each.

    ``wake_at`` mirrors each record's next moment. ``counts`` gains folded, duplicate and redelivered events.
    Returns (the next event to fold, the number of scores, that of records kept): not the end where room ran out.
    """
    count, keeping = int64(0), int64(0)  # of one type throughout, so that what they go to compiles once
    for position in range(start, len(events)):
        event = events[position]
        row = int64(event["row"])
        record = records[row]
        source = event["source"]
        if event["offset"] <= record["offsets"][source]:
            counts[REDELIVERED] += 1
            continue
        count, keeping = score_until(record, row, event["merge_time"], parameters, trail, scores, count, kept, keeping)
        if count >= len(scores) or keeping >= len(kept) or not has_room(trail, SPARE_CHUNKS):
            return position, count, keeping
        record["offsets"][source] = event["offset"]
        if seen_before(record, event["id_hash"]):
            counts[DUPLICATES] += 1
            continue
        fold_now(record, row, event, trail)
        counts[NEW] += 1
        interval = parameters["interval_ms"]
        record["pending_at"] = min(record["pending_at"], (event["merge_time"] // interval + 1) * interval)
        wake_at[row] = min(record["pending_at"], record["timer_at"])
    return len(events), count, keeping


@compiled
def score_rows(
    rows: Integers,
    start: int,
    records: Records,
    wake_at: Integers,
    time: int,
    parameters: ScoringParameters,
    trail: UndoLog,
    scores: Scores,
    kept: Records,
) -> tuple[int, int, int]:
    """Score the borrowers ``rows[start:]`` up to ``time`` (ms); returns like ``fold_events``."""
    count, keeping = int64(0), int64(0)  # of one type throughout, so that what they go to compiles once
    for position in range(start, len(rows)):
        row = int64(rows[position])
        record = records[row]
        count, keeping = score_until(record, row, time, parameters, trail, scores, count, kept, keeping)
        wake_at[row] = min(record["pending_at"], record["timer_at"])
        if wake_at[row] <= time:
            return position, count, keeping
    return len(rows), count, keeping
