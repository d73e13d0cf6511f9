"""How evenly income comes."""

import math

from loanpulse.schemas.compiled import compiled
from loanpulse.schemas.sources import SPENDING
from loanpulse.streams.indicators.base import Indicator
from loanpulse.streams.indicators.evidence import NAN, OFTEN_DAYS, as_of, freshness, saturate
from loanpulse.streams.record.income import full_months, month_income
from loanpulse.streams.record.layout import Record
from loanpulse.streams.record.units import month_of


@compiled
def read(record: Record, time_ms: int) -> tuple[float, float]:
    """Return the coefficient of variation of the full months' income.

    Examples:
        Two full months with incomes of 1,000 and 3,000.

        >>> from loanpulse.streams.record.layout import empty_records
        >>> record = empty_records(1)[0]
        >>> from loanpulse.streams.record.units import month_start_ms
        >>> now_ms = month_start_ms(603)
        >>> record["first_seen"], record["last_seen"][SPENDING] = month_start_ms(600), now_ms
        >>> for month, amount in ((601, 1000.0), (602, 3000.0)):
        ...     record["month"][month % 7], record["income_amount"][month % 7] = month, amount
        >>> variation, evidence = read(record, now_ms)
        >>> float(variation), round(float(evidence), 2)
        (0.5, 0.67)
    """
    evidence = freshness(record, SPENDING, time_ms, OFTEN_DAYS)
    if evidence == 0.0:
        return NAN, 0.0
    as_of_ms = as_of(record, SPENDING, time_ms, OFTEN_DAYS)
    months = full_months(record, as_of_ms)
    if months < 2:
        return NAN, 0.0
    current = month_of(as_of_ms)
    total = 0.0
    squares = 0.0
    for back in range(1, months + 1):
        amount = month_income(record, current - back)
        total += amount
        squares += amount * amount
    mean = total / months
    if mean <= 0.0:
        return NAN, 0.0
    return math.sqrt(max(0.0, squares / months - mean * mean)) / mean, evidence * saturate(months, 3.0)


INDICATOR = Indicator(
    name="income_volatility",
    meaning="coefficient of variation of the last six full calendar months' income",
    unit="ratio",
    healthy=0.1,
    unhealthy=0.8,
    weight=0.3,
    evidence="full months known, of three, halved for every 30 days of silence over a week",
    source="report: named by the LHI",
    reason_en="Income varies from month to month",
    reason_zh="收入波动较大",
    read=read,
    feeds=(SPENDING,),
)
