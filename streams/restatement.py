"""Restating the latest scoring when an event comes that happened before it.

A scoring says what was known at its moment. An event that is late, but allowed, changes what should have been said of
moments that were scored before it came. The record holds the present only, so that what can be said again, whole, is
the latest scored moment: nothing newer has been folded into the record since. It is said again with the same moment
and a later ``known_at``, and never makes an alert: the scoring that follows moves the level, now. Moments before
the latest keep what was known then; where something newer had been folded already, the scoring that follows says all.
"""

from loanpulse.streams.borrower_record import NO_MOMENT, SOURCES, Record, ms_of
from loanpulse.streams.compiled import compiled
from loanpulse.streams.scoring import EVENT_CAME, UNKNOWN, Card, Score, describe, next_level


@compiled
def is_late(record: Record, event_time: int) -> bool:
    """Tell whether an event of this time (ms), not yet folded, is to restate the borrower's latest scoring."""
    if record["scored"] == 0 or event_time > record["scored_at"]:
        return False
    for source in range(SOURCES):  # noqa: SIM110 - a generator does not compile
        if record["last_seen"][source] > record["scored_at"]:
            return False
    return True


@compiled
def restate(record: Record, known_at: int, card: Card, score: Score) -> None:
    """Score the latest scored moment again into ``score``, as known at ``known_at`` (ms); the record stays as it is."""
    level, since, improved = record["level"], record["level_since"], record["improved"]
    moment = record["scored_at"]
    describe(record, moment, card, score)
    first = record["level_since_before"] == NO_MOMENT
    record["level"], record["improved"] = record["level_before"], record["improved_before"]
    if first:
        record["scored"] = 0
    else:
        record["level_since"] = ms_of(record["level_since_before"])
    score["previous_level"] = UNKNOWN if first else record["level_before"]
    score["level"] = next_level(record, score["lhi"], score["hard_event"], moment, card)
    score["cause"] = EVENT_CAME
    score["known_at"] = known_at
    score["restated"] = 1
    record["level"], record["level_since"], record["improved"], record["scored"] = level, since, improved, 1
    record["restate"] = 0
