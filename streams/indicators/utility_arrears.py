"""Whether the household's bills are paid in time."""

import math

from loanpulse.schemas.compiled import compiled
from loanpulse.schemas.sources import UTILITY
from loanpulse.streams.indicators.base import Indicator
from loanpulse.streams.indicators.evidence import MONTHLY_DAYS, NAN, as_of, freshness, saturate
from loanpulse.streams.record.debt import due_moment
from loanpulse.streams.record.layout import BILLS, DAY_MS, NO_MOMENT, Record, ms_of


@compiled
def late_days(record: Record, slot: int, time: int) -> float:
    """Return by how many days the bill in ``slot`` was or is late; 0 where it was paid in time or is not yet due."""
    due = due_moment(record["bill_day"][slot])
    paid_at = int(record["bill_paid_at"][slot])
    until = ms_of(paid_at) if paid_at != NO_MOMENT else time
    late = (until - due) / DAY_MS
    if record["bill_overdue"][slot] == 1 and paid_at == NO_MOMENT:
        late = max(late, 1.0)
    return max(0.0, late)


@compiled
def bill_fell_due(record: Record, slot: int, time: int) -> bool:
    """Tell whether the bill in ``slot`` fell due before ``time`` (ms)."""
    return bool(record["bill_utility"][slot] != 0 and due_moment(record["bill_day"][slot]) <= time)


@compiled
def late_streak(record: Record, time: int) -> tuple[int, int, float]:
    """Return the bills fallen due, the newest of them late in a row, and the days that the oldest unpaid is late."""
    fallen_due = 0
    last_in_time = 0
    for slot in range(BILLS):
        if bill_fell_due(record, slot, time):
            fallen_due += 1
            if late_days(record, slot, time) < 1.0:
                last_in_time = max(last_in_time, int(record["bill_day"][slot]))
    streak = 0
    oldest = 0.0
    for slot in range(BILLS):
        if not bill_fell_due(record, slot, time):
            continue
        late = late_days(record, slot, time)
        if late >= 1.0 and record["bill_day"][slot] > last_in_time:
            streak += 1
        if record["bill_paid_at"][slot] == NO_MOMENT:
            oldest = max(oldest, late)
    return fallen_due, streak, oldest


@compiled
def read(record: Record, time: int) -> tuple[float, float]:
    """Return the bills late in a row, with their age."""
    evidence = freshness(record, UTILITY, time, MONTHLY_DAYS)
    if evidence == 0.0:
        return NAN, 0.0
    fallen_due, streak, oldest = late_streak(record, as_of(record, UTILITY, time, MONTHLY_DAYS))
    if fallen_due == 0:
        return NAN, 0.0
    return streak + math.floor(oldest / 30.0), evidence * saturate(fallen_due, 2.0)


INDICATOR = Indicator(
    name="utility_arrears",
    meaning=(
        "the newest bills late in a row (by a day or more, or called overdue), and 1 for each 30 days that "
        "the oldest unpaid one is late"
    ),
    unit="bills",
    healthy=0.0,
    unhealthy=6.0,
    weight=0.8,
    evidence="bills fallen due, of two, halved for every 30 days of silence over 35",
    source="report: three months of late utilities",
    reason_en="Utility bills are late",
    reason_zh="水电燃气费逾期",
    read=read,
    feeds=(UTILITY,),
)
