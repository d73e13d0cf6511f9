"""How much of the income the instalments take."""

from loanpulse.schemas.compiled import compiled
from loanpulse.schemas.sources import REPAYMENT, SPENDING
from loanpulse.streams.indicators.base import Indicator
from loanpulse.streams.indicators.evidence import (
    MONTHLY_DAYS,
    NAN,
    OFTEN_DAYS,
    as_of,
    freshness,
    history_days,
    saturate,
)
from loanpulse.streams.record import debt
from loanpulse.streams.record.income import full_months, month_income, monthly_income
from loanpulse.streams.record.layout import DAY_MS, Record
from loanpulse.streams.record.months import month_of, month_start

MOST = 3.0
MONTHS_BACK = 3
ROSE_BY = 1.25
RISING_COSTS = 1.2


@compiled
def ratio_before(record: Record, time: int) -> float:
    """Return the instalments over the income of the calendar month three before, NaN where they are not known."""
    month = month_of(time) - MONTHS_BACK
    income = month_income(record, month)
    if full_months(record, time) < MONTHS_BACK or income <= 0.0:
        return NAN
    first = month_start(month) // DAY_MS
    last = month_start(month + 1) // DAY_MS - 1
    due = debt.due_between(record, first, last)
    return due / income if due > 0.0 else NAN


@compiled
def read(record: Record, time: int) -> tuple[float, float]:
    """Return the month's instalments over the month's income, at most 3."""
    due = debt.monthly_due(record, time)
    evidence = saturate(history_days(record, time), 30.0) * freshness(record, SPENDING, time, OFTEN_DAYS)
    evidence *= freshness(record, REPAYMENT, time, MONTHLY_DAYS)
    if due <= 0.0 or evidence == 0.0:
        return NAN, 0.0
    moment = as_of(record, SPENDING, time, OFTEN_DAYS)
    income = monthly_income(record, moment)
    ratio = min(MOST, due / income) if income > 0.0 else MOST
    before = ratio_before(record, moment)
    if before > 0.0 and ratio > ROSE_BY * before:
        ratio = min(MOST, RISING_COSTS * ratio)
    return ratio, evidence


INDICATOR = Indicator(
    name="debt_service",
    meaning=(
        "instalments due within 30 days (the minimum of revolving credit) over monthly income; a fifth more "
        "where that ratio rose by a quarter within three months"
    ),
    unit="share of income",
    healthy=0.15,
    unhealthy=0.8,
    weight=1.6,
    evidence=(
        "days of history (of thirty), with instalments known, halved for every 30 days of silence of "
        "movements over a week or of repayments over 35 days"
    ),
    source="the field: debt to income",
    reason_en="Instalments take much of the income",
    reason_zh="还款占收入比重过高",
    read=read,
    feeds=(REPAYMENT, SPENDING),
    watched=("a rising instalment-to-salary ratio",),
)
