"""Days as the city's people know them: local dates (UTC+8), months and seasons."""

from __future__ import annotations

import math
from calendar import monthrange
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from loanpulse.schemas.units import DAY_MS, UTC_OFFSET_MS

EPOCH = date(1970, 1, 1)
WEEKLY_REST = (5, 6)


@dataclass(frozen=True, slots=True)
class Day:
    """One local day and what is the same for every household on it.

    `number` counts days since 1970-01-01 in local dates, `midnight_ms` is its local midnight in UTC ms.
    """

    number: int
    midnight_ms: int
    date: date
    of_month: int
    last_of_month: int
    weekday: int
    spending: float
    cooling: float
    heating: float
    travel: float

    def is_monthly(self, wanted: int) -> bool:
        """Whether this is the `wanted` day of the month, or the month's last day where the month is too short."""
        return self.of_month == min(wanted, self.last_of_month)


def day_number(at: datetime) -> int:
    """The number of the local day in which `at` lies."""
    return (round(at.timestamp() * 1000) + UTC_OFFSET_MS) // DAY_MS


def date_of(number: int) -> date:
    """The date of the day `number`."""
    return EPOCH + timedelta(days=number)


def next_monthly(after: int, wanted: int) -> int:
    """The number of the first day after the day `after` that is the `wanted` one of its month."""
    today = date_of(after)
    year, month = today.year, today.month
    for _ in range(2):
        found = (date(year, month, min(wanted, monthrange(year, month)[1])) - EPOCH).days
        if found > after:
            return found
        year, month = (year + 1, 1) if month == 12 else (year, month + 1)
    return (date(year, month, min(wanted, monthrange(year, month)[1])) - EPOCH).days


def make_day(number: int) -> Day:
    """The day `number`, with its seasons."""
    today = date_of(number)
    turn = 2.0 * math.pi * (today.timetuple().tm_yday - 1) / 365.25
    peak_of_summer = math.cos(turn - 2.0 * math.pi * 205 / 365.25)
    return Day(
        number=number,
        midnight_ms=number * DAY_MS - UTC_OFFSET_MS,
        date=today,
        of_month=today.day,
        last_of_month=monthrange(today.year, today.month)[1],
        weekday=today.weekday(),
        spending=_spending_of(today),
        cooling=1.0 + 0.35 * max(0.0, peak_of_summer) + 0.10 * max(0.0, -peak_of_summer),
        heating=1.0 + 0.45 * max(0.0, -peak_of_summer),
        travel=2.5 if (today.month, today.day) >= (10, 1) and (today.month, today.day) <= (10, 7) else 1.0,
    )


def _spending_of(today: date) -> float:
    """How much more than usual is spent on this date: weekends, the spring holidays, the great sales."""
    factor = 1.15 if today.weekday() in WEEKLY_REST else 0.95
    spot = (today.month, today.day)
    if (1, 24) <= spot <= (2, 12):
        factor *= 1.2
    if (11, 9) <= spot <= (11, 12) or (6, 16) <= spot <= (6, 18):
        factor *= 1.4
    return factor
