"""Behaviours of a household: utility bills late in a row, usage that collapses, and spending in distress."""

import math

from loanpulse.schemas.compiled import compiled
from loanpulse.schemas.units import DAY_MS
from loanpulse.streams.record import usage_forecaster
from loanpulse.streams.record.debt import past_due_at_ms
from loanpulse.streams.record.layout import (
    BILLS_IN_A_ROW,
    DISTRESS,
    NEVER,
    NIGHT,
    PURCHASES,
    UTILITIES,
    Reals,
    Record,
)

BILLS_LATE, LATE_DAYS = range(1, 3)
USAGE_SHARE, DEVIATIONS = range(1, 3)
RISE, TIMES, LEAST_EVENTS, LEAST_DAYS = range(1, 5)
PAID_IN_TIME, PAID_LATE, CALLED_OVERDUE = 1, 2, 4
"""The signs that a bill's slot gathers; they only add up, so that their order is of no meaning."""
NIGHT_WEIGHT = 0.5


@compiled
def late_at_ms(day: int, parameters: Reals) -> int:
    """Return the time (UTC ms) from which an unpaid bill due on ``day`` counts as late."""
    return past_due_at_ms(day) + int(parameters[LATE_DAYS] * DAY_MS)


@compiled
def late_in_a_row(record: Record, utility: int, time_ms: int, parameters: Reals) -> int:
    """Return how many of a utility's newest bills that are decided by ``time_ms`` are late in a row."""
    streak = 0
    before = 1 << 16
    while streak < BILLS_IN_A_ROW:
        newest = 0
        signs = 0
        for slot in range(BILLS_IN_A_ROW):
            day = int(record["late_bill_day"][utility][slot])
            # A bill that is neither paid nor late yet is skipped.
            decided = record["late_bill_signs"][utility][slot] != 0 or late_at_ms(day, parameters) <= time_ms
            if day != 0 and newest < day < before and decided:
                newest = day
                signs = int(record["late_bill_signs"][utility][slot])
        if newest == 0 or signs & PAID_IN_TIME:
            break
        streak += 1
        before = newest
    return streak


@compiled
def utility_late_streak(record: Record, time_ms: int, parameters: Reals) -> tuple[float, bool]:
    """Return the most bills late in a row of any utility, and whether they make a streak."""
    longest = 0
    for utility in range(UTILITIES):
        longest = max(longest, late_in_a_row(record, utility, time_ms, parameters))
    return float(longest), longest >= parameters[BILLS_LATE]


@compiled
def next_late_ms(record: Record, time_ms: int, parameters: Reals) -> int:
    """Return when (ms) time alone next makes a bill late that would lengthen a row; ``NEVER`` where none would."""
    next_ms = NEVER
    for utility in range(UTILITIES):
        if late_in_a_row(record, utility, time_ms, parameters) == 0:
            continue
        for slot in range(BILLS_IN_A_ROW):
            day = int(record["late_bill_day"][utility][slot])
            if day != 0 and record["late_bill_signs"][utility][slot] == 0:
                late = late_at_ms(day, parameters)
                if late > time_ms:
                    next_ms = min(next_ms, late)
    return next_ms


@compiled
def usage_collapse(record: Record, time_ms: int, parameters: Reals) -> tuple[float, bool]:
    """Return how many utilities' newest period collapsed against their own forecast, and whether any did."""
    collapsed = 0
    known = False
    for utility in range(UTILITIES):
        rate, forecast, deviation, _ = usage_forecaster.latest(record, utility)
        if math.isnan(forecast) or forecast <= 0.0:
            continue
        known = True
        lower = forecast - parameters[DEVIATIONS] * deviation
        if rate < lower and rate < parameters[USAGE_SHARE] * forecast:
            collapsed += 1
    return (float(collapsed) if known else math.nan), collapsed > 0


@compiled
def distress_share(short: bool, record: Record) -> float:
    """Return the share of spending that shows distress, in the 30-day or the 180-day sums; 0 without spending.

    Examples:
        >>> from loanpulse.streams.record.layout import empty_records
        >>> record = empty_records(1)[0]
        >>> sums = record["short_sums"]
        >>> sums[PURCHASES], sums[DISTRESS], sums[NIGHT] = 1000.0, 300.0, 200.0
        >>> float(distress_share(True, record)), float(distress_share(False, record))
        (0.4, 0.0)
    """
    sums = record["short_sums"] if short else record["long_sums"]
    if sums[PURCHASES] <= 0.0:
        return 0.0
    share: float = (sums[DISTRESS] + NIGHT_WEIGHT * sums[NIGHT]) / sums[PURCHASES]
    return share


@compiled
def distress_spending(record: Record, time_ms: int, parameters: Reals) -> tuple[float, bool]:
    """Return the rise of the distress share over the borrower's own baseline, and whether it shows distress."""
    if record["spending_events"] < parameters[LEAST_EVENTS]:
        return math.nan, False
    if time_ms - record["first_seen"] < parameters[LEAST_DAYS] * DAY_MS:
        return math.nan, False
    now, baseline = distress_share(True, record), distress_share(False, record)
    return now - baseline, now - baseline >= parameters[RISE] and now >= parameters[TIMES] * baseline
