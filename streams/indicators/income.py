"""Indicators of what comes in, goes out and is kept: net cash flow, savings, income volatility and trend."""

import math

from loanpulse.streams import decay
from loanpulse.streams.borrower_record import (
    DAY_MS,
    ESSENTIAL,
    INCOME,
    INFLOW,
    LONG_AGO,
    MONTHS,
    OUTFLOW,
    SPENDING,
    Record,
)
from loanpulse.streams.compiled import compiled

BUCKET_MS = 30 * DAY_MS
DAYS_PER_MONTH = 30.0
NAN = math.nan


@compiled
def freshness(record: Record, source: int, time: int) -> float:
    """Return 1 for a source heard within a week, falling by half for every 30 days of silence after."""
    heard = record["last_seen"][source]
    if heard == LONG_AGO:
        return 0.0
    silent_days = max(0.0, (time - heard) / DAY_MS - 7.0)
    return float(0.5 ** (silent_days / 30.0))


@compiled
def saturate(count: float, enough: float) -> float:
    """Return the share of ``enough`` that ``count`` reaches, at most 1."""
    return min(1.0, max(0.0, count) / enough)


@compiled
def history_days(record: Record, time: int) -> float:
    """Return the days since the borrower was first seen."""
    days: float = (time - record["first_seen"]) / DAY_MS
    return max(0.0, days)


@compiled
def net_cash_flow(record: Record, time: int) -> tuple[float, float]:
    """Return (inflow - outflow) / inflow over 30-day decayed rates, at worst -2."""
    inflow = decay.short_rate(record, INFLOW, time)
    outflow = decay.short_rate(record, OUTFLOW, time)
    evidence = saturate(record["spending_events"], 30.0) * saturate(history_days(record, time), 30.0)
    evidence *= freshness(record, SPENDING, time)
    if evidence == 0.0:
        return NAN, 0.0
    if inflow <= 0.0:
        return (-2.0 if outflow > 0.0 else 0.0), evidence
    return max(-2.0, (inflow - outflow) / inflow), evidence


@compiled
def savings_coverage(record: Record, time: int) -> tuple[float, float]:
    """Return the months of essential outflow that the last balance covers, 0..24."""
    if record["balance_time"] == LONG_AGO:
        return NAN, 0.0
    age_days = max(0.0, (time - record["balance_time"]) / DAY_MS - 3.0)
    evidence = 0.5 ** (age_days / 30.0) * saturate(history_days(record, time), 20.0)
    essential = decay.long_rate(record, ESSENTIAL, time) * DAYS_PER_MONTH
    if essential <= 0.0:
        return NAN, 0.0
    return min(24.0, max(0.0, record["balance"]) / essential), evidence


@compiled
def income_volatility(record: Record, time: int) -> tuple[float, float]:
    """Return the coefficient of variation of the last six full months' income."""
    current = time // BUCKET_MS
    first = record["first_seen"] // BUCKET_MS + 1
    months = min(6, current - first)
    if months < 2:
        return NAN, 0.0
    total = 0.0
    squares = 0.0
    for back in range(1, months + 1):
        slot = (current - back) % MONTHS
        amount = record["income_amount"][slot] if record["income_month"][slot] == current - back else 0.0
        total += amount
        squares += amount * amount
    mean = total / months
    if mean <= 0.0:
        return NAN, 0.0
    deviation = math.sqrt(max(0.0, squares / months - mean * mean))
    return deviation / mean, saturate(months, 3.0) * freshness(record, SPENDING, time)


@compiled
def income_trend(record: Record, time: int) -> tuple[float, float]:
    """Return the 30-day over the 180-day income rate, at most 2."""
    long = decay.long_rate(record, INCOME, time)
    if long <= 0.0:
        return NAN, 0.0
    days = history_days(record, time)
    evidence = saturate(days - 30.0, 60.0) * freshness(record, SPENDING, time)
    return min(2.0, decay.short_rate(record, INCOME, time) / long), evidence
