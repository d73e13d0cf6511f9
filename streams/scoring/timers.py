"""When time alone calls for the next scoring of a borrower."""

from loanpulse.schemas.compiled import compiled
from loanpulse.schemas.sources import SOURCES
from loanpulse.schemas.units import DAY_MS
from loanpulse.streams.behaviours import episodes
from loanpulse.streams.record import debt
from loanpulse.streams.record.codes import WATCH
from loanpulse.streams.record.layout import INSTALMENTS, NEVER, Record
from loanpulse.streams.scoring.parameters import ScoringParameters

QUIET_DAYS = 90
"""A borrower without an open loan is no longer scored by time once silent for so long."""


@compiled
def next_timer(record: Record, days_past_due: int, time_ms: int, parameters: ScoringParameters) -> int:
    """Return when (UTC ms) time alone calls for the next scoring after ``time_ms``; ``NEVER`` if it does not.

    That is when an instalment's grace ends, a day later while in arrears or at WATCH or worse, a week later while a
    loan is open, and whenever a behaviour's episode moves by itself.
    """
    timer = NEVER
    for slot in range(INSTALMENTS):
        if debt.unpaid(record, slot) > 0.0:
            missed_at_ms = debt.past_due_at_ms(record["instalment_day"][slot]) + parameters["grace_ms"]
            if missed_at_ms > time_ms:
                timer = min(timer, missed_at_ms)
    if days_past_due > 0 or record["level"] >= WATCH:
        timer = min(timer, time_ms + DAY_MS)
    heard = record["last_seen"][0]
    for source in range(1, SOURCES):
        heard = max(heard, record["last_seen"][source])
    if debt.open_loans(record) > 0 and time_ms - heard < 4 * QUIET_DAYS * DAY_MS:
        timer = min(timer, time_ms + 7 * DAY_MS)
    elif time_ms - heard > QUIET_DAYS * DAY_MS:
        timer = NEVER
    return min(timer, episodes.next_change_ms(record, time_ms, parameters["behaviours"]))
