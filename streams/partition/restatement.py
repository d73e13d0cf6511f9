"""Restating what was scored before a late event came.

A scoring says what was known at its moment. An event that is late, but allowed, changes what should have been said of
every moment after it that was scored before it came. At the next scoring a copy of the record is led back along its
trail (``trail.py``) and goes forward again; each of these moments is said once more, with all events known by now that
happened before it, the same moment and a later ``known_at``. What one scoring hands on to the next (level, episodes,
calibration) comes from the restated one before it. The record itself stays as it is: the scoring that follows moves
the level, now, and only it can call for an alert.
"""

from loanpulse.schemas.compiled import compiled, int64
from loanpulse.streams.fold.event import fold_event
from loanpulse.streams.partition.undo_log import (
    HANDED_ON,
    LATE,
    LED_BACK,
    REACH,
    RESTATED,
    SAID,
    SCORED,
    UndoLog,
    Words,
    apply_delta,
    entries_of,
    kind_of,
    let_go,
    read_event,
    size_of,
    time_of,
)
from loanpulse.streams.record.codes import EVENT_CAME
from loanpulse.streams.record.layout import LONG_AGO, NEVER, Record
from loanpulse.streams.scoring.borrower import score_borrower
from loanpulse.streams.scoring.parameters import ScoringParameters
from loanpulse.streams.scoring.score import Scores


@compiled
def is_late(record: Record, event_time: int) -> bool:
    """Tell whether a scoring lacks an event of this time (ms), not yet folded: it holds those before its moment."""
    return bool(record["scored"] == 1 and event_time < record["scored_at"])


@compiled
def hand_on(before: Record, record: Record) -> None:
    """Give ``record`` what a scoring reads of the one before it."""
    record["level"], record["level_since"] = before["level"], before["level_since"]
    record["improved"], record["behaviours"] = before["improved"], before["behaviours"]
    record["clear_day"][:] = before["clear_day"]
    record["level_shift"][:] = before["level_shift"]
    record["pin_day"][:], record["pin_low"][:] = before["pin_day"], before["pin_low"]
    record["pin_high"][:] = before["pin_high"]


@compiled
def late_times(entries: Words) -> tuple[int, int]:
    """Return the earliest time (ms) of the late events that wait to be said, and of all that the trail holds."""
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
def first_moment(entries: Words, after: int) -> int:
    """Return where the first scoring of a moment after ``after`` (ms) stands, or the end."""
    at = 0
    while at < len(entries):
        header = entries[at]
        if kind_of(header) == SCORED and time_of(header) > after:
            return at
        at += size_of(header)
    return at


@compiled
def fold_late(trail: UndoLog, entries: Words, at: int, moment: int) -> None:
    """Fold into the record that is being restated what came later than ``moment`` (ms) and happened before it."""
    while at < len(entries):
        header = entries[at]
        if kind_of(header) == LATE and time_of(header) < moment:
            read_event(trail, entries, at)
            fold_event(trail.past[RESTATED], trail.event[0])
        at += size_of(header)


@compiled
def restate(
    record: Record, row: int, known_at: int, parameters: ScoringParameters, trail: UndoLog, scores: Scores, count: int
) -> int:
    """Say again, into ``scores[count:]``, what late events change of the moments scored before ``known_at`` (ms).

    Returns the number of scores then. Where they are full there may be more to say, and the record's ``restate`` still
    stands; the next call goes on.
    """
    let_go(trail, row, known_at - trail.state[REACH])
    entries = entries_of(trail, row)
    waiting, earliest = late_times(entries)
    at = first_moment(entries, earliest)
    restated = trail.past[RESTATED]
    trail.past[LED_BACK] = record
    back = at
    while back < len(entries):
        back = apply_delta(trail.past_words[LED_BACK], entries, back)
    first = True
    while at < len(entries):
        header = entries[at]
        if kind_of(header) == SCORED:
            if count >= len(scores):
                return count
            trail.past[RESTATED] = trail.past[LED_BACK]
            if not first:
                hand_on(trail.past[HANDED_ON], restated)
            first = False
            moment = time_of(header)
            fold_late(trail, entries, at, moment)
            score = scores[count]
            score_borrower(restated, moment, int64(EVENT_CAME), parameters, score)
            trail.past[HANDED_ON] = restated
            if moment > waiting and moment > trail.state[SAID]:
                score["known_at"], score["restated"] = known_at, 1
                score["row"], score["kept"] = row, -1
                trail.state[SAID] = moment
                count += 1
        at = apply_delta(trail.past_words[LED_BACK], entries, at)
    trail.state[SAID] = LONG_AGO
    record["restate"] = 0
    return count
