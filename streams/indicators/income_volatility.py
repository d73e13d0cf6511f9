"""How evenly income comes."""

import math

from loanpulse.schemas.compiled import compiled
from loanpulse.schemas.sources import SPENDING
from loanpulse.streams.indicators.base import Indicator
from loanpulse.streams.indicators.evidence import NAN, OFTEN_DAYS, as_of, freshness, saturate
from loanpulse.streams.record.income import full_months, month_income
from loanpulse.streams.record.layout import Record
from loanpulse.streams.record.months import month_of


@compiled
def read(record: Record, time: int) -> tuple[float, float]:
    """Return the coefficient of variation of the full months' income."""
    evidence = freshness(record, SPENDING, time, OFTEN_DAYS)
    if evidence == 0.0:
        return NAN, 0.0
    moment = as_of(record, SPENDING, time, OFTEN_DAYS)
    months = full_months(record, moment)
    if months < 2:
        return NAN, 0.0
    current = month_of(moment)
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
