"""Whether more comes in than goes out."""

from loanpulse.schemas.compiled import compiled
from loanpulse.schemas.sources import SPENDING
from loanpulse.streams.indicators.base import Indicator
from loanpulse.streams.indicators.evidence import NAN, OFTEN_DAYS, as_of, freshness, history_days, saturate
from loanpulse.streams.record import decayed_sums
from loanpulse.streams.record.income import short_income
from loanpulse.streams.record.layout import INCOME, INFLOW, OUTFLOW, Record

WORST = -2.0


@compiled
def read(record: Record, time: int) -> tuple[float, float]:
    """Return (inflow - outflow) / inflow, at worst -2."""
    evidence = saturate(record["spending_events"], 30.0) * saturate(history_days(record, time), 30.0)
    evidence *= freshness(record, SPENDING, time, OFTEN_DAYS)
    if evidence == 0.0:
        return NAN, 0.0
    moment = as_of(record, SPENDING, time, OFTEN_DAYS)
    other = max(0.0, decayed_sums.short_rate(record, INFLOW, moment) - decayed_sums.short_rate(record, INCOME, moment))
    inflow = other + short_income(record, moment)
    outflow = max(0.0, decayed_sums.short_rate(record, OUTFLOW, moment))
    if inflow <= 0.0:
        return (WORST if outflow > 0.0 else 0.0), evidence
    return max(WORST, (inflow - outflow) / inflow), evidence


INDICATOR = Indicator(
    name="net_cash_flow",
    meaning=(
        "(inflow - outflow) / inflow over 30-day decayed rates; loan proceeds and what they buy are neither, "
        "and a steady income counts at its mean rate whatever the day of its cycle"
    ),
    unit="share of inflow",
    healthy=0.1,
    unhealthy=-1.0,
    weight=0.5,
    evidence=(
        "account movements seen (of thirty) and days of history (of thirty), halved for every 30 days of "
        "silence over a week"
    ),
    source="report: named by the LHI",
    reason_en="More goes out than comes in",
    reason_zh="支出超过收入",
    read=read,
    feeds=(SPENDING,),
)
