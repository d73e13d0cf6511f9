"""Whether the household's bills are paid in time."""

import math

from loanpulse.schemas.compiled import compiled
from loanpulse.schemas.sources import UTILITY
from loanpulse.schemas.units import DAY_MS
from loanpulse.streams.indicators.base import Indicator
from loanpulse.streams.indicators.evidence import MONTHLY_DAYS, NAN, as_of, freshness, saturate
from loanpulse.streams.record.debt import past_due_at_ms
from loanpulse.streams.record.layout import BILLS, NO_TIME_S, Record
from loanpulse.streams.record.units import ms_of


@compiled
def late_days(record: Record, slot: int, time_ms: int) -> float:
    """Return by how many days the bill in ``slot`` was or is late; 0 where it was paid in time or is not yet due."""
    due = past_due_at_ms(record["bill_day"][slot])
    paid_at = int(record["bill_paid_at"][slot])
    until = ms_of(paid_at) if paid_at != NO_TIME_S else time_ms
    late = (until - due) / DAY_MS
    if record["bill_overdue"][slot] == 1 and paid_at == NO_TIME_S:
        late = max(late, 1.0)
    return max(0.0, late)


@compiled
def bill_fell_due(record: Record, slot: int, time_ms: int) -> bool:
    """Tell whether the bill in ``slot`` fell due before ``time_ms``."""
    return bool(record["bill_utility"][slot] != 0 and past_due_at_ms(record["bill_day"][slot]) <= time_ms)


@compiled
def late_streak(record: Record, time_ms: int) -> tuple[int, int, float]:
    """Return the bills fallen due, the newest of them late in a row, and the days that the oldest unpaid is late."""
    fallen_due = 0
    last_in_time = 0
    for slot in range(BILLS):
        if bill_fell_due(record, slot, time_ms):
            fallen_due += 1
            if late_days(record, slot, time_ms) < 1.0:
                last_in_time = max(last_in_time, int(record["bill_day"][slot]))
    streak = 0
    oldest = 0.0
    for slot in range(BILLS):
        if not bill_fell_due(record, slot, time_ms):
            continue
        late = late_days(record, slot, time_ms)
        if late >= 1.0 and record["bill_day"][slot] > last_in_time:
            streak += 1
        if record["bill_paid_at"][slot] == NO_TIME_S:
            oldest = max(oldest, late)
    return fallen_due, streak, oldest


@compiled
def read(record: Record, time_ms: int) -> tuple[float, float]:
    """Return the bills late in a row, with their age.

    Examples:
        One bill, unpaid for 40 days: itself, and one for each 30 days.

        >>> from loanpulse.streams.record.layout import empty_records
        >>> record = empty_records(1)[0]
        >>> now_ms = 20_041 * DAY_MS
        >>> record["bill_utility"][0], record["bill_day"][0], record["last_seen"][UTILITY] = 1, 20_000, now_ms
        >>> bills, evidence = read(record, now_ms)
        >>> float(bills), float(evidence)
        (2.0, 0.5)
    """
    evidence = freshness(record, UTILITY, time_ms, MONTHLY_DAYS)
    if evidence == 0.0:
        return NAN, 0.0
    fallen_due, streak, oldest = late_streak(record, as_of(record, UTILITY, time_ms, MONTHLY_DAYS))
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
