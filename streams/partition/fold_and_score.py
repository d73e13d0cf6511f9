"""Moving borrowers through event time: fold events in their order, and score when a scoring is due.

A borrower is scored at the end of each scoring interval (in event time) that had an event, and at its own timers. Both
depend on the borrower's events alone and not on how these were batched, so every way of running gives the same
scorings (I1).
"""

from loanpulse.schemas.compiled import compiled, int64
from loanpulse.streams.fold.event import fold_event, seen_before
from loanpulse.streams.partition.chunk_arena import has_room
from loanpulse.streams.partition.restatement import is_late, restate
from loanpulse.streams.partition.score_buffers import DUPLICATES, KEPT, NEW, REDELIVERED, SCORES, ScoreBuffers
from loanpulse.streams.partition.undo_log import (
    BEFORE,
    FOLDED,
    LATE,
    REACH_MS,
    SCORED,
    SPARE_CHUNKS,
    UndoLog,
    append_delta,
    keep_before,
)
from loanpulse.streams.record.codes import EVENT_CAME, TIME_PASSED
from loanpulse.streams.record.event import Event, Events
from loanpulse.streams.record.layout import Integers, Record, Records
from loanpulse.streams.scoring.borrower import score_borrower
from loanpulse.streams.scoring.parameters import ScoringParameters
from loanpulse.streams.scoring.score import Score, calls_for_alert


@compiled
def score_now(
    record: Record, row: int, time_ms: int, cause: int, parameters: ScoringParameters, log: UndoLog, score: Score
) -> None:
    """Score the record at ``time_ms`` and append what that changed to its undo log."""
    logged = log.state[REACH_MS] > 0
    if logged:
        keep_before(log, record)
    score_borrower(record, time_ms, cause, parameters, score)
    score["row"] = row
    score["kept"] = -1
    if logged:
        # Fields that no scoring reads are left out of the log.
        before = log.past[BEFORE]
        before["pending_at"], before["timer_at"] = record["pending_at"], record["timer_at"]
        before["lhi"] = record["lhi"]
        append_delta(log, row, SCORED, time_ms)


@compiled
def fold_now(record: Record, row: int, event: Event, log: UndoLog) -> None:
    """Fold a new event and append what that changed to the undo log; a late event marks the record for restatement."""
    logged = log.state[REACH_MS] > 0
    late = logged and is_late(record, event["event_time"])
    if late:
        record["restate"] = 1
        log.event[0] = event
        log.event[0]["row"] = 0  # an index into this process's memory, which must not be stored
    if logged:
        keep_before(log, record)
    fold_event(record, event)
    if logged:
        log.past[BEFORE]["recent_next"] = record["recent_next"]
        append_delta(log, row, LATE if late else FOLDED, event["event_time"])


@compiled
def is_full(log: UndoLog, buffers: ScoreBuffers) -> bool:
    """Return whether a pass has to stop until there is more room for scorings, kept records or the undo log."""
    return (
        buffers.counters[SCORES] >= len(buffers.scores)
        or buffers.counters[KEPT] >= len(buffers.kept)
        or not has_room(log.arena, SPARE_CHUNKS)
    )


@compiled
def score_until(
    record: Record, row: int, until_ms: int, parameters: ScoringParameters, log: UndoLog, buffers: ScoreBuffers
) -> None:
    """Do the record's scorings up to ``until_ms``, while there is room.

    ``buffers.kept`` gains a copy of the record at each scoring that calls for an alert.
    """
    while not is_full(log, buffers):
        time_ms = min(record["pending_at"], record["timer_at"])
        if time_ms > until_ms:
            break
        if record["restate"] == 1:
            restate(record, row, time_ms, parameters, log, buffers)
            continue
        cause = int64(EVENT_CAME if record["pending_at"] <= time_ms else TIME_PASSED)
        score = buffers.scores[buffers.counters[SCORES]]
        score_now(record, row, time_ms, cause, parameters, log, score)
        if calls_for_alert(score):
            buffers.kept[buffers.counters[KEPT]] = record
            score["kept"] = buffers.counters[KEPT]
            buffers.counters[KEPT] += 1
        buffers.counters[SCORES] += 1


@compiled
def fold_events(
    events: Events,
    records: Records,
    wake_at: Integers,
    parameters: ScoringParameters,
    log: UndoLog,
    buffers: ScoreBuffers,
) -> int:
    """Fold ``events``, which are in merge order, and do the scorings that fall due before each.

    ``wake_at`` mirrors each record's next scoring time (ms). Returns the number of events done: fewer than all where
    room ran out.
    """
    for index in range(len(events)):
        event = events[index]
        row = int64(event["row"])
        record = records[row]
        source = event["source"]
        if event["offset"] <= record["offsets"][source]:
            buffers.counters[REDELIVERED] += 1
            continue
        score_until(record, row, int64(event["merge_time"]), parameters, log, buffers)
        if is_full(log, buffers):
            return index
        record["offsets"][source] = event["offset"]
        if seen_before(record, event["id_hash"]):
            buffers.counters[DUPLICATES] += 1
            continue
        fold_now(record, row, event, log)
        buffers.counters[NEW] += 1
        interval_ms = parameters["interval_ms"]
        record["pending_at"] = min(record["pending_at"], (event["merge_time"] // interval_ms + 1) * interval_ms)
        wake_at[row] = min(record["pending_at"], record["timer_at"])
    return len(events)


@compiled
def score_rows(
    rows: Integers,
    records: Records,
    wake_at: Integers,
    until_ms: int,
    parameters: ScoringParameters,
    log: UndoLog,
    buffers: ScoreBuffers,
) -> int:
    """Do the scorings of the borrowers ``rows`` up to ``until_ms``; returns like ``fold_events``."""
    for index in range(len(rows)):
        row = int64(rows[index])
        record = records[row]
        score_until(record, row, until_ms, parameters, log, buffers)
        wake_at[row] = min(record["pending_at"], record["timer_at"])
        if wake_at[row] <= until_ms:
            return index
    return len(rows)
