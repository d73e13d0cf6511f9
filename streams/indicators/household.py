"""Indicators of how a household lives: its bills, its usage, and what it spends on."""

import math

from loanpulse.streams.borrower_record import (
    BILLS,
    CASH_ADVANCES,
    DAY_MS,
    DISTRESS,
    LONG_DAYS,
    NIGHT,
    PURCHASES,
    SHORT_DAYS,
    SPENDING,
    USAGE_MONTHS,
    UTILITIES,
    UTILITY,
    Record,
)
from loanpulse.streams.compiled import compiled
from loanpulse.streams.indicators.debt import due_moment
from loanpulse.streams.indicators.income import BUCKET_MS, NAN, freshness, saturate


@compiled
def late_days(record: Record, slot: int, time: int) -> float:
    """Return by how many days the bill in ``slot`` was or is late; 0 where it was paid in time or is not yet due."""
    due = due_moment(record["bill_day"][slot])
    paid_at = record["bill_paid_at"][slot]
    until = paid_at if paid_at != 0 else time
    late = (until - due) / DAY_MS
    if record["bill_overdue"][slot] == 1 and paid_at == 0:
        late = max(late, 1.0)
    return max(0.0, late)


@compiled
def utility_arrears(record: Record, time: int) -> tuple[float, float]:
    """Return the newest bills late in a row, plus one for every 30 days that the oldest unpaid one is late."""
    fallen_due = 0
    last_in_time = 0
    for slot in range(BILLS):
        if record["bill_utility"][slot] != 0 and due_moment(record["bill_day"][slot]) <= time:
            fallen_due += 1
            if late_days(record, slot, time) < 1.0:
                last_in_time = max(last_in_time, record["bill_day"][slot])
    if fallen_due == 0:
        return NAN, 0.0
    streak = 0.0
    oldest = 0.0
    for slot in range(BILLS):
        late = late_days(record, slot, time)
        if record["bill_utility"][slot] != 0 and due_moment(record["bill_day"][slot]) <= time and late >= 1.0:
            if record["bill_day"][slot] > last_in_time:
                streak += 1.0
            if record["bill_paid_at"][slot] == 0:
                oldest = max(oldest, late)
    return streak + math.floor(oldest / 30.0), saturate(fallen_due, 2.0)


@compiled
def usage_shock(record: Record, time: int) -> tuple[float, float]:
    """Return the largest fall, over utilities, of the last full month below the mean of the full months before it."""
    last = time // BUCKET_MS - 1
    worst = NAN
    evidence = 0.0
    for utility in range(UTILITIES):
        before = 0.0
        months = 0
        for back in range(1, USAGE_MONTHS - 1):
            slot = (last - back) % USAGE_MONTHS
            if record["usage_month"][utility][slot] == last - back:
                before += record["usage_amount"][utility][slot]
                months += 1
        slot = last % USAGE_MONTHS
        if months == 0 or before <= 0.0 or record["usage_month"][utility][slot] != last:
            continue
        fall = 1.0 - record["usage_amount"][utility][slot] / (before / months)
        if math.isnan(worst) or fall > worst:
            worst = fall
        evidence = max(evidence, saturate(months + 1, 3.0))
    return worst, evidence * freshness(record, UTILITY, time)


@compiled
def stress_share(record: Record, constant: float) -> float:
    """Return distress, night and cash-advance amounts over all spending, in the sums of one time constant."""
    sums = record["short_sums"] if constant == SHORT_DAYS else record["long_sums"]
    spent = sums[PURCHASES] + sums[CASH_ADVANCES]
    if spent <= 0.0:
        return 0.0
    share: float = (sums[DISTRESS] + 0.5 * sums[NIGHT] + sums[CASH_ADVANCES]) / spent
    return share


@compiled
def spending_stress(record: Record, time: int) -> tuple[float, float]:
    """Return how far the 30-day share of distress spending stands above the borrower's own 180-day share."""
    evidence = saturate(record["spending_events"], 60.0) * saturate((time - record["first_seen"]) / DAY_MS, 60.0)
    evidence *= freshness(record, SPENDING, time)
    if evidence == 0.0:
        return NAN, 0.0
    return max(0.0, stress_share(record, SHORT_DAYS) - 0.5 * stress_share(record, LONG_DAYS)), evidence
