"""Restating scorings that were made before a late event arrived.

A late (but accepted) event invalidates every scoring with a time after it. At the borrower's next scoring a copy of the
record is rewound along the undo log and replayed; each invalidated scoring is made again, with all events known by now
that happened before it: the same ``time``, a later ``known_at``. Level, episodes and calibration pass from one restated
scoring to the next. The record itself is not changed: only the scoring that follows moves the level now, and only it
can call for an alert.
"""

from loanpulse.schemas.compiled import compiled, int64
from loanpulse.streams.fold.event import fold_event
from loanpulse.streams.partition.chunk_arena import Words
from loanpulse.streams.partition.score_buffers import SCORES, ScoreBuffers
from loanpulse.streams.partition.undo_log import (
    HANDED_ON,
    LATE,
    REACH_MS,
    RESTATED,
    RESUME_AT,
    REWOUND,
    SCORED,
    UndoLog,
    apply_delta,
    entries_of,
    kind_of,
    read_event,
    size_of,
    time_of,
    truncate_before,
)
from loanpulse.streams.record.codes import EVENT_CAME
from loanpulse.streams.record.layout import LONG_AGO, NEVER, Record
from loanpulse.streams.scoring.borrower import score_borrower
from loanpulse.streams.scoring.parameters import ScoringParameters


@compiled
def is_late(record: Record, event_time_ms: int) -> bool:
    """Return whether the last scoring should have included a new event of this time: whether it is later than it."""
    return bool(record["scored"] == 1 and event_time_ms < record["scored_at"])


@compiled
def copy_carried_fields(before: Record, record: Record) -> None:
    """Copy to ``record`` the fields that a scoring reads from the scoring before it."""
    record["level"], record["level_since"] = before["level"], before["level_since"]
    record["improved"], record["behaviours"] = before["improved"], before["behaviours"]
    record["clear_day"][:] = before["clear_day"]
    record["level_shift"][:] = before["level_shift"]
    record["pin_day"][:], record["pin_low"][:] = before["pin_day"], before["pin_low"]
    record["pin_high"][:] = before["pin_high"]


@compiled
def late_times(entries: Words) -> tuple[int, int]:
    """Return the earliest time (ms) of the late events since the last scoring, and of all late events in the log."""
    waiting = NEVER
    earliest = NEVER
    at = 0
    while at < len(entries):
        header = entries[at]
        if kind_of(header) == SCORED:
            waiting = NEVER
        elif kind_of(header) == LATE:
            waiting = min(waiting, time_of(header))
            earliest = min(earliest, time_of(header))
        at += size_of(header)
    return waiting, earliest


@compiled
def first_scoring_after(entries: Words, time_ms: int) -> int:
    """Return the position of the first entry of a scoring after ``time_ms``, or the end."""
    at = 0
    while at < len(entries):
        header = entries[at]
        if kind_of(header) == SCORED and time_of(header) > time_ms:
            return at
        at += size_of(header)
    return at


@compiled
def fold_late(log: UndoLog, entries: Words, at: int, time_ms: int) -> None:
    """Fold into the restated copy the events before ``time_ms`` whose entries lie at or after ``at``."""
    while at < len(entries):
        header = entries[at]
        if kind_of(header) == LATE and time_of(header) < time_ms:
            read_event(log, entries, at)
            fold_event(log.past[RESTATED], log.event[0])
        at += size_of(header)


@compiled
def restate(
    record: Record, row: int, known_at_ms: int, parameters: ScoringParameters, log: UndoLog, buffers: ScoreBuffers
) -> None:
    """Restate into ``buffers`` the scorings before ``known_at_ms`` that late events invalidated.

    Where the buffers are full, the record's ``restate`` stays 1 and ``log.state[RESUME_AT]`` is set; the next call,
    which must be for the same row, resumes there.
    """
    truncate_before(log, row, known_at_ms - log.state[REACH_MS])
    entries = entries_of(log, row)
    waiting, earliest = late_times(entries)
    at = first_scoring_after(entries, earliest)
    restated = log.past[RESTATED]
    log.past[REWOUND] = record
    back = at
    # XOR commutes: to rewind from the newest entry to ``at``, the entries may be applied in any order.
    while back < len(entries):
        back = apply_delta(log.past_words[REWOUND], entries, back)
    first = True
    while at < len(entries):
        header = entries[at]
        if kind_of(header) == SCORED:
            if buffers.counters[SCORES] >= len(buffers.scores):
                return
            log.past[RESTATED] = log.past[REWOUND]
            if not first:
                copy_carried_fields(log.past[HANDED_ON], restated)
            first = False
            time_ms = time_of(header)
            fold_late(log, entries, at, time_ms)
            score = buffers.scores[buffers.counters[SCORES]]
            score_borrower(restated, time_ms, int64(EVENT_CAME), parameters, score)
            log.past[HANDED_ON] = restated
            if time_ms > waiting and time_ms > log.state[RESUME_AT]:
                score["known_at"], score["restated"] = known_at_ms, 1
                score["row"], score["kept"] = row, -1
                log.state[RESUME_AT] = time_ms
                buffers.counters[SCORES] += 1
        at = apply_delta(log.past_words[REWOUND], entries, at)
    log.state[RESUME_AT] = LONG_AGO
    record["restate"] = 0
