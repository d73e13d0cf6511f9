"""How much is known: whether a feed is heard, for how long, and how far a count reaches."""

import math

from loanpulse.schemas.compiled import compiled
from loanpulse.schemas.units import DAY_MS
from loanpulse.streams.record.layout import LONG_AGO, Record

NAN = math.nan
OFTEN_DAYS = 7.0
"""A feed of movements is silent when nothing came for so long."""
MONTHLY_DAYS = 35.0
"""A feed of instalments or bills is silent when nothing came for so long."""
HALF_LIFE_DAYS = 30.0
LN_2 = math.log(2.0)


@compiled
def fresh(age_days: float, allowed_days: float) -> float:
    """Return 1 for an age within what is allowed, falling by half for every 30 days over it.

    Examples:
        >>> fresh(35.0, 35.0), round(fresh(65.0, 35.0), 6)
        (1.0, 0.5)
    """
    return float(math.exp(-LN_2 * max(0.0, age_days - allowed_days) / HALF_LIFE_DAYS))


@compiled
def silent_days(record: Record, source: int, time_ms: int) -> float:
    """Return the days since a source was last heard; infinite where it never was."""
    heard = record["last_seen"][source]
    if heard == LONG_AGO:
        return math.inf
    return float(max(0.0, (time_ms - heard) / DAY_MS))


@compiled
def freshness(record: Record, source: int, time_ms: int, allowed_days: float) -> float:
    """Return how fresh a source is: 1 while heard within the allowed days, 0 where it never was."""
    if record["last_seen"][source] == LONG_AGO:
        return 0.0
    return fresh(silent_days(record, source, time_ms), allowed_days)


@compiled
def as_of(record: Record, source: int, time_ms: int, allowed_days: float) -> int:
    """Return the time (ms) up to which a source is informative: ``time_ms``, or its last event and what is allowed.

    A feed that stops leaves its indicators where they were, with less and less evidence: missing data move the
    index towards neutral, never towards health or risk.
    """
    return int(min(time_ms, record["last_seen"][source] + int(allowed_days) * DAY_MS))


@compiled
def saturate(count: float, enough: float) -> float:
    """Return the share of ``enough`` that ``count`` reaches, at most 1.

    Examples:
        >>> saturate(1.0, 4.0), saturate(9.0, 4.0)
        (0.25, 1.0)
    """
    return min(1.0, max(0.0, count) / enough)


@compiled
def history_days(record: Record, time_ms: int) -> float:
    """Return the days since the borrower was first seen."""
    days: float = (time_ms - record["first_seen"]) / DAY_MS
    return max(0.0, days)
