"""How much of the income the instalments take."""

from loanpulse.schemas.compiled import compiled
from loanpulse.schemas.sources import REPAYMENT, SPENDING
from loanpulse.schemas.units import DAY_MS
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
from loanpulse.streams.record.layout import Record
from loanpulse.streams.record.units import month_of, month_start_ms

MOST = 3.0
MONTHS_BACK = 3
ROSE_BY = 1.25
RISING_COSTS = 1.2


@compiled
def ratio_before(record: Record, time_ms: int) -> float:
    """Return the instalments over the income of the calendar month three before, NaN where they are not known."""
    month = month_of(time_ms) - MONTHS_BACK
    income = month_income(record, month)
    if full_months(record, time_ms) < MONTHS_BACK or income <= 0.0:
        return NAN
    first = month_start_ms(month) // DAY_MS
    last = month_start_ms(month + 1) // DAY_MS - 1
    due = debt.due_between(record, first, last)
    return due / income if due > 0.0 else NAN


@compiled
def read(record: Record, time_ms: int) -> tuple[float, float]:
    """Return the month's instalments over the month's income, at most 3.

    Examples:
        An instalment without any income gives the largest value.

        >>> from loanpulse.streams.record.layout import empty_records
        >>> record = empty_records(1)[0]
        >>> now_ms = 20_010 * DAY_MS
        >>> record["instalment_loan"][0], record["instalment_day"][0], record["instalment_due"][0] = 7, 20_020, 900.0
        >>> record["first_seen"], record["reference_time"], record["last_seen"][:] = 0, now_ms, now_ms
        >>> ratio, evidence = read(record, now_ms)
        >>> float(ratio), float(evidence)
        (3.0, 1.0)
    """
    due = debt.monthly_due(record, time_ms)
    evidence = saturate(history_days(record, time_ms), 30.0) * freshness(record, SPENDING, time_ms, OFTEN_DAYS)
    evidence *= freshness(record, REPAYMENT, time_ms, MONTHLY_DAYS)
    if due <= 0.0 or evidence == 0.0:
        return NAN, 0.0
    as_of_ms = as_of(record, SPENDING, time_ms, OFTEN_DAYS)
    income = monthly_income(record, as_of_ms)
    ratio = min(MOST, due / income) if income > 0.0 else MOST
    before = ratio_before(record, as_of_ms)
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
