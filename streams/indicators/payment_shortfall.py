"""How much of what fell due was paid."""

import math

from loanpulse.schemas.compiled import compiled
from loanpulse.schemas.sources import REPAYMENT
from loanpulse.streams.indicators.base import Indicator
from loanpulse.streams.indicators.evidence import MONTHLY_DAYS, NAN, freshness, saturate
from loanpulse.streams.record.debt import due_moment, has_fallen_due
from loanpulse.streams.record.layout import DAY_MS, INSTALMENTS, Record

CONSTANT_DAYS = 90.0


@compiled
def read(record: Record, time: int) -> tuple[float, float]:
    """Return 1 - paid/due over the instalments fallen due."""
    due = 0.0
    paid = 0.0
    count = 0
    for slot in range(INSTALMENTS):
        if not has_fallen_due(record, slot, time):
            continue
        amount = record["instalment_due"][slot]
        weight = math.exp(-(time - due_moment(record["instalment_day"][slot])) / DAY_MS / CONSTANT_DAYS)
        due += weight * amount
        paid += weight * min(amount, record["instalment_paid"][slot])
        count += 1
    if count == 0:
        return NAN, 0.0
    return 1.0 - paid / due, saturate(count, 3.0) * freshness(record, REPAYMENT, time, MONTHLY_DAYS)


INDICATOR = Indicator(
    name="payment_shortfall",
    meaning=(
        "1 - paid / due over the instalments fallen due, each weighted by e^(-age / 90 days); of revolving "
        "credit the whole amount, so that living on the minimum shows"
    ),
    unit="share",
    healthy=0.0,
    unhealthy=0.5,
    weight=1.2,
    evidence="instalments fallen due, of three, halved for every 30 days of silence over 35",
    source="report: minimum-payment reliance",
    reason_en="Instalments are paid in part",
    reason_zh="分期仅部分偿还",
    read=read,
    feeds=(REPAYMENT,),
)
