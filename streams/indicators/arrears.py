"""What is overdue now, and for how long."""

from loanpulse.schemas.compiled import compiled
from loanpulse.schemas.sources import REPAYMENT
from loanpulse.streams.indicators.base import Indicator
from loanpulse.streams.indicators.evidence import MONTHLY_DAYS, NAN, freshness, saturate
from loanpulse.streams.record.debt import arrears_now, has_fallen_due
from loanpulse.streams.record.layout import INSTALMENTS, Record


@compiled
def read(record: Record, time_ms: int) -> tuple[float, float]:
    """Return the amount-weighted days past due.

    Examples:
        An instalment that fell due on day 20,000 is unpaid on day 20,010.

        >>> from loanpulse.streams.record.layout import empty_records
        >>> record = empty_records(1)[0]
        >>> from loanpulse.schemas.units import DAY_MS
        >>> now_ms = 20_010 * DAY_MS
        >>> record["instalment_loan"][0], record["instalment_day"][0], record["instalment_due"][0] = 7, 20_000, 900.0
        >>> record["last_seen"][REPAYMENT] = now_ms
        >>> days, evidence = read(record, now_ms)
        >>> float(days), float(evidence)
        (10.0, 0.75)
    """
    known = False
    fallen = 0
    for slot in range(INSTALMENTS):
        known = known or record["instalment_loan"][slot] != 0
        if has_fallen_due(record, slot, time_ms):
            fallen += 1
    if not known:
        return NAN, 0.0
    evidence = 0.5 + 0.5 * saturate(fallen, 2.0)
    return arrears_now(record, time_ms)[2], evidence * freshness(record, REPAYMENT, time_ms, MONTHLY_DAYS)


INDICATOR = Indicator(
    name="arrears",
    meaning=(
        "amount-weighted days past due now; a restructured instalment or one deferred by agreement is not in "
        "arrears, of revolving credit the minimum counts"
    ),
    unit="days",
    healthy=0.0,
    unhealthy=20.0,
    weight=2.0,
    evidence=(
        "half for an instalment announced, all for two that fell due, halved for every 30 days of silence over 35"
    ),
    source="the field: overdue status",
    reason_en="Instalments are overdue",
    reason_zh="存在逾期",
    read=read,
    feeds=(REPAYMENT,),
    watched=("5-30 days past due",),
)
