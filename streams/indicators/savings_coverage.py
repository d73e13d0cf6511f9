"""How long what is left on the account would last."""

import numpy as np

from loanpulse.schemas.compiled import compiled
from loanpulse.schemas.sources import SPENDING
from loanpulse.schemas.units import DAY_MS
from loanpulse.streams.indicators.base import BALANCE, Indicator
from loanpulse.streams.indicators.evidence import NAN, OFTEN_DAYS, as_of, fresh, history_days, saturate
from loanpulse.streams.record import debt, decayed_sums
from loanpulse.streams.record.income import DAYS_PER_MONTH
from loanpulse.streams.record.layout import ESSENTIAL, LONG_AGO, MONTHS, Record
from loanpulse.streams.record.units import month_of

MOST_MONTHS = 24.0
FALLEN_TO = 0.05
OVERDRAFT_COSTS = 0.25
BALANCE_DAYS = 3.0


@compiled
def peak_and_overdrafts(record: Record, time: int) -> tuple[float, int]:
    """Return the highest balance of the months kept (currency), and in how many of them the account was overdrawn."""
    oldest = month_of(time) - MONTHS + 1
    peak = 0.0
    overdrawn = 0
    for slot in range(MONTHS):
        if record["month"][slot] >= oldest:
            peak = max(peak, np.float64(record["balance_most"][slot]))
            if record["balance_least"][slot] < 0.0:
                overdrawn += 1
    return peak, overdrawn


@compiled
def read(record: Record, time: int) -> tuple[float, float]:
    """Return the months that the last balance covers, 0..24.

    Examples:
        A balance of 3,000 against an instalment of 1,000 in the month.

        >>> from loanpulse.streams.record.layout import empty_records
        >>> record = empty_records(1)[0]
        >>> now_ms = 20_010 * DAY_MS
        >>> record["first_seen"], record["reference_time"], record["last_seen"][SPENDING] = 0, now_ms, now_ms
        >>> record["balance"], record["balance_time"] = 3000.0, now_ms
        >>> record["instalment_loan"][0], record["instalment_day"][0], record["instalment_due"][0] = 7, 20_020, 1000.0
        >>> months, evidence = read(record, now_ms)
        >>> float(months), float(evidence)
        (3.0, 1.0)
    """
    if record["balance_time"] == LONG_AGO:
        return NAN, 0.0
    age_days = max(0.0, (time - record["balance_time"]) / DAY_MS)
    evidence = fresh(age_days, BALANCE_DAYS) * saturate(history_days(record, time), 20.0)
    as_of_ms = as_of(record, SPENDING, time, OFTEN_DAYS)
    essential = DAYS_PER_MONTH * decayed_sums.long_rate(record, ESSENTIAL, as_of_ms)
    needed = max(essential, debt.monthly_due(record, as_of_ms))
    if needed <= 0.0:
        return NAN, 0.0
    balance = max(0.0, record["balance"])
    peak, overdrawn = peak_and_overdrafts(record, as_of_ms)
    months = balance / needed
    if peak > needed and balance < FALLEN_TO * peak:
        months *= 0.5
    return min(MOST_MONTHS, max(0.0, months - OVERDRAFT_COSTS * overdrawn)), evidence


INDICATOR = Indicator(
    name="savings_coverage",
    meaning=(
        "balance / the larger of a month's essential outflow and the instalments due within 30 days; halved "
        "where the balance is down by more than 95% from its six-month peak, a quarter of a month less for "
        "each month with an overdraft"
    ),
    unit="months",
    healthy=1.5,
    unhealthy=0.0,
    weight=2.4,
    evidence=("age of the last reported balance (halved for every 30 days over three) and days of history (of twenty)"),
    source="report: named by the LHI (应急储蓄覆盖率)",
    reason_en="Savings cover few months of essentials",
    reason_zh="应急储蓄不足以覆盖基本支出",
    read=read,
    feeds=(BALANCE,),
    watched=(
        "a balance down by more than 95% in six months",
        "months in overdraft",
        "a small balance against debt",
    ),
)
