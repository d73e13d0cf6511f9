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
def read(record: Record, time_ms: int) -> tuple[float, float]:
    """Return (inflow - outflow) / inflow, at worst -2.

    Examples:
        Of 100 a day that come in, 80 go out.

        >>> from loanpulse.streams.record.layout import empty_records
        >>> record = empty_records(1)[0]
        >>> from loanpulse.schemas.units import DAY_MS
        >>> now_ms = 20_010 * DAY_MS
        >>> record["first_seen"], record["reference_time"], record["last_seen"][SPENDING] = 0, now_ms, now_ms
        >>> record["spending_events"], record["short_sums"][INFLOW], record["short_sums"][OUTFLOW] = 30, 3000.0, 2400.0
        >>> share, evidence = read(record, now_ms)
        >>> round(float(share), 3), float(evidence)
        (0.2, 1.0)
    """
    evidence = saturate(record["spending_events"], 30.0) * saturate(history_days(record, time_ms), 30.0)
    evidence *= freshness(record, SPENDING, time_ms, OFTEN_DAYS)
    if evidence == 0.0:
        return NAN, 0.0
    as_of_ms = as_of(record, SPENDING, time_ms, OFTEN_DAYS)
    other = max(
        0.0, decayed_sums.short_rate(record, INFLOW, as_of_ms) - decayed_sums.short_rate(record, INCOME, as_of_ms)
    )
    inflow = other + short_income(record, as_of_ms)
    outflow = max(0.0, decayed_sums.short_rate(record, OUTFLOW, as_of_ms))
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
