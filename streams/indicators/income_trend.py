"""Whether income has fallen or stopped."""

from loanpulse.schemas.compiled import compiled
from loanpulse.schemas.sources import SPENDING
from loanpulse.streams.indicators.base import Indicator
from loanpulse.streams.indicators.evidence import NAN, OFTEN_DAYS, as_of, freshness, history_days, saturate
from loanpulse.streams.record import decayed_sums
from loanpulse.streams.record.income import full_months, month_credits, short_income
from loanpulse.streams.record.layout import INCOME, Record
from loanpulse.streams.record.units import month_of

MOST = 2.0


@compiled
def credits_kept(record: Record, time_ms: int) -> float:
    """Return the payments of income of the last three full months over those of the three before, at most 1."""
    if full_months(record, time_ms) < 6:
        return 1.0
    month = month_of(time_ms)
    before = month_credits(record, month - 6, month - 4)
    recent = month_credits(record, month - 3, month - 1)
    # One payment more or less may be a matter of the calendar.
    return 1.0 if before < 2 or recent >= before - 1 else recent / before


@compiled
def read(record: Record, time_ms: int) -> tuple[float, float]:
    """Return the recent over the long income rate, at most 2.

    Examples:
        Income has halved against a steady 100 a day.

        >>> from loanpulse.streams.record.layout import empty_records
        >>> record = empty_records(1)[0]
        >>> from loanpulse.schemas.units import DAY_MS
        >>> now_ms = 20_010 * DAY_MS
        >>> record["first_seen"], record["reference_time"], record["last_seen"][SPENDING] = 0, now_ms, now_ms
        >>> record["short_sums"][INCOME], record["long_sums"][INCOME] = 30 * 50.0, 180 * 100.0
        >>> trend, evidence = read(record, now_ms)
        >>> round(float(trend), 3), float(evidence)
        (0.5, 1.0)
    """
    evidence = saturate(history_days(record, time_ms) - 30.0, 60.0) * freshness(record, SPENDING, time_ms, OFTEN_DAYS)
    if evidence == 0.0:
        return NAN, 0.0
    as_of_ms = as_of(record, SPENDING, time_ms, OFTEN_DAYS)
    long = decayed_sums.long_rate(record, INCOME, as_of_ms)
    if long <= 0.0:
        return NAN, 0.0
    trend = min(MOST, short_income(record, as_of_ms) / long)
    return trend * (1.0 + credits_kept(record, as_of_ms)) / 2.0, evidence


INDICATOR = Indicator(
    name="income_trend",
    meaning=(
        "30-day over 180-day income rate, free of the day in the pay cycle; less where fewer payments of "
        "income came in the last three full months than in the three before"
    ),
    unit="ratio",
    healthy=0.95,
    unhealthy=0.5,
    weight=1.2,
    evidence=("days of income history (of sixty, after thirty), halved for every 30 days of silence over a week"),
    source="report: a 30% drop in pay is its example",
    reason_en="Income has fallen",
    reason_zh="收入下降",
    read=read,
    feeds=(SPENDING,),
    watched=("fewer salary credits in three months",),
)
