"""How far usage fell below the household's own forecast."""

import math

from loanpulse.schemas.compiled import compiled
from loanpulse.schemas.sources import UTILITY
from loanpulse.streams.indicators.base import Indicator
from loanpulse.streams.indicators.evidence import MONTHLY_DAYS, NAN, freshness, saturate
from loanpulse.streams.record import usage_forecaster
from loanpulse.streams.record.layout import UTILITIES, Record


@compiled
def read(record: Record, time_ms: int) -> tuple[float, float]:
    """Return the largest fall below the forecast.

    Examples:
        Half of the forecast usage, after four periods learned.

        >>> from loanpulse.streams.record.layout import empty_records
        >>> record = empty_records(1)[0]
        >>> from loanpulse.schemas.units import DAY_MS
        >>> now_ms = 20_010 * DAY_MS
        >>> record["usage_readings"][0], record["usage_rate"][0], record["usage_forecast"][0] = 4, 5.0, 10.0
        >>> record["last_seen"][UTILITY] = now_ms
        >>> fall, evidence = read(record, now_ms)
        >>> float(fall), float(evidence)
        (0.5, 1.0)
    """
    fresh = freshness(record, UTILITY, time_ms, MONTHLY_DAYS)
    if fresh == 0.0:
        return NAN, 0.0
    worst = NAN
    evidence = 0.0
    for utility in range(UTILITIES):
        rate, forecast, _, periods = usage_forecaster.latest(record, utility)
        if math.isnan(rate) or forecast <= 0.0:
            continue
        fall = 1.0 - rate / forecast
        if math.isnan(worst) or fall > worst:
            worst = fall
        evidence = max(evidence, saturate(periods, 4.0))
    return worst, evidence * fresh


INDICATOR = Indicator(
    name="usage_shock",
    meaning=(
        "the largest fall, over utilities, of the usage a day of the newest period below its forecast "
        "(River's HoltWinters per utility)"
    ),
    unit="share",
    healthy=0.2,
    unhealthy=0.5,
    weight=0.5,
    evidence="periods learned, of four, halved for every 30 days of silence over 35",
    source="report: 用电量骤降",
    reason_en="Household usage has collapsed",
    reason_zh="用电量骤降",
    read=read,
    feeds=(UTILITY,),
)
