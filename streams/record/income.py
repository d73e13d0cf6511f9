"""A borrower's income as several indicators read it: its cycle, its rate free of the payday's phase, its months."""

import math

from loanpulse.schemas.compiled import compiled
from loanpulse.schemas.units import DAY_MS
from loanpulse.streams.record import decayed_sums
from loanpulse.streams.record.layout import INCOME, MONTHS, NO_TIME_S, SHORT_DAYS, Record
from loanpulse.streams.record.units import month_of, month_start_ms, ms_of

DAYS_PER_MONTH = 30.0
MONTHLY_CYCLE, BIWEEKLY_CYCLE, WEEKLY_CYCLE = 30.4, 14.0, 7.0
PAYDAY_TOLERANCE = 1.15
"""A pay is late once the time since the last one is longer than the cycle by this factor."""


@compiled
def cycle_days(record: Record, time_ms: int) -> float:
    """Return the usual days between payments of income: what was counted, brought to month, fortnight or week."""
    month = month_of(time_ms)
    begins = max(record["first_seen"], month_start_ms(month - MONTHS + 1))
    credits = 0
    for slot in range(MONTHS):
        if record["month"][slot] > month - MONTHS:
            credits += record["income_credits"][slot]
    if credits < 2 or record["income_time"] == NO_TIME_S:
        return MONTHLY_CYCLE
    days = (ms_of(record["income_time"]) - begins) / DAY_MS / (credits - 0.5)
    if days > 20.0:
        return MONTHLY_CYCLE
    if days > 10.0:
        return BIWEEKLY_CYCLE
    return WEEKLY_CYCLE if days > 5.0 else max(1.0, days)


@compiled
def phase_factor(record: Record, time_ms: int) -> float:
    """Return how much the 30-day rate of a steady income stands above its mean at this point of its cycle.

    Just after a monthly payday it is 1.58, just before 0.58. After a payday that passed by it stays where it was.
    """
    if record["income_time"] == NO_TIME_S:
        return 1.0
    cycle = cycle_days(record, time_ms)
    since = max(0.0, (time_ms - ms_of(record["income_time"])) / DAY_MS)
    since = min(since, PAYDAY_TOLERANCE * cycle)
    return cycle / SHORT_DAYS * math.exp(-since / SHORT_DAYS) / (1.0 - math.exp(-cycle / SHORT_DAYS))


@compiled
def short_income(record: Record, time_ms: int) -> float:
    """Return the income a day over some 30 days, free of the payday's phase (currency a day)."""
    days = (time_ms - record["first_seen"]) / DAY_MS
    rate = max(0.0, decayed_sums.short_rate(record, INCOME, time_ms))
    # A young history holds too few paydays for their phase to be steady; it is let in with the days.
    settled = min(1.0, max(0.0, days - 30.0) / 30.0)
    return float(rate / (settled * phase_factor(record, time_ms) + (1.0 - settled)))


@compiled
def monthly_income(record: Record, time_ms: int) -> float:
    """Return the income of a month, halfway between its short and its long rate (currency)."""
    long = max(0.0, decayed_sums.long_rate(record, INCOME, time_ms))
    return DAYS_PER_MONTH * (short_income(record, time_ms) + long) / 2.0


@compiled
def month_income(record: Record, month: int) -> float:
    """Return a calendar month's income (currency), 0 where none is kept.

    Examples:
        >>> from loanpulse.streams.record.layout import empty_records
        >>> record = empty_records(1)[0]
        >>> record["month"][600 % MONTHS], record["income_amount"][600 % MONTHS] = 600, 6000.0
        >>> month_income(record, 600), month_income(record, 601)
        (6000.0, 0.0)
    """
    slot = month % MONTHS
    return float(record["income_amount"][slot]) if record["month"][slot] == month else 0.0


@compiled
def full_months(record: Record, time_ms: int) -> int:
    """Return the number of full calendar months behind the current one that the record can tell, at most six."""
    return int(min(MONTHS - 1, month_of(time_ms) - month_of(record["first_seen"]) - 1))


@compiled
def month_credits(record: Record, first: int, last: int) -> int:
    """Return the payments of income from the month ``first`` to ``last``."""
    credits = 0
    for month in range(first, last + 1):
        slot = month % MONTHS
        if record["month"][slot] == month:
            credits += record["income_credits"][slot]
    return credits
