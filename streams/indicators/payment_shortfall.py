"""How much of what fell due was paid."""

import math

from loanpulse.schemas.compiled import compiled
from loanpulse.schemas.sources import REPAYMENT
from loanpulse.schemas.units import DAY_MS
from loanpulse.streams.indicators.base import Indicator
from loanpulse.streams.indicators.evidence import MONTHLY_DAYS, NAN, freshness, saturate
from loanpulse.streams.record.debt import has_fallen_due, past_due_at_ms
from loanpulse.streams.record.layout import INSTALMENTS, Record

CONSTANT_DAYS = 90.0


@compiled
def read(record: Record, time_ms: int) -> tuple[float, float]:
    """Return 1 - paid/due over the instalments fallen due.

    Examples:
        Of 900 that fell due, 600 were paid.

        >>> from loanpulse.streams.record.layout import empty_records
        >>> record = empty_records(1)[0]
        >>> now_ms = 20_010 * DAY_MS
        >>> record["instalment_loan"][0], record["instalment_day"][0] = 7, 20_000
        >>> record["instalment_due"][0], record["instalment_paid"][0] = 900.0, 600.0
        >>> record["last_seen"][REPAYMENT] = now_ms
        >>> share, evidence = read(record, now_ms)
        >>> round(float(share), 3), round(float(evidence), 2)
        (0.333, 0.33)
    """
    due = 0.0
    paid = 0.0
    count = 0
    for slot in range(INSTALMENTS):
        if not has_fallen_due(record, slot, time_ms):
            continue
        amount = record["instalment_due"][slot]
        weight = math.exp(-(time_ms - past_due_at_ms(record["instalment_day"][slot])) / DAY_MS / CONSTANT_DAYS)
        due += weight * amount
        paid += weight * min(amount, record["instalment_paid"][slot])
        count += 1
    if count == 0:
        return NAN, 0.0
    return 1.0 - paid / due, saturate(count, 3.0) * freshness(record, REPAYMENT, time_ms, MONTHLY_DAYS)


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
