"""Whether spending shifts to what people do when money is short."""

from loanpulse.schemas.compiled import compiled
from loanpulse.schemas.sources import SPENDING
from loanpulse.streams.indicators.base import Indicator
from loanpulse.streams.indicators.evidence import NAN, OFTEN_DAYS, freshness, history_days, saturate
from loanpulse.streams.record.layout import CASH_ADVANCES, DISTRESS, LONG_DAYS, NIGHT, PURCHASES, SHORT_DAYS, Record

OWN_BASELINE = 0.5


@compiled
def stress_share(record: Record, constant: float) -> float:
    """Return distress, night and cash-advance amounts over all spending, in the sums of one time constant (days)."""
    sums = record["short_sums"] if constant == SHORT_DAYS else record["long_sums"]
    spent = sums[PURCHASES] + sums[CASH_ADVANCES]
    if spent <= 0.0:
        return 0.0
    stressed = max(0.0, sums[DISTRESS]) + 0.5 * sums[NIGHT] + sums[CASH_ADVANCES]
    return float(min(1.0, stressed / spent))


@compiled
def read(record: Record, time_ms: int) -> tuple[float, float]:
    """Return how far the 30-day share of distress spending stands above half of the own 180-day share.

    Examples:
        Lately 40% of spending shows distress, before none did.

        >>> from loanpulse.streams.record.layout import empty_records
        >>> record = empty_records(1)[0]
        >>> from loanpulse.schemas.units import DAY_MS
        >>> now_ms = 20_010 * DAY_MS
        >>> record["first_seen"], record["last_seen"][SPENDING], record["spending_events"] = 0, now_ms, 60
        >>> record["short_sums"][PURCHASES], record["short_sums"][DISTRESS] = 1000.0, 400.0
        >>> record["long_sums"][PURCHASES] = 6000.0
        >>> rise, evidence = read(record, now_ms)
        >>> float(rise), float(evidence)
        (0.4, 1.0)
    """
    evidence = saturate(record["spending_events"], 60.0) * saturate(history_days(record, time_ms), 60.0)
    evidence *= freshness(record, SPENDING, time_ms, OFTEN_DAYS)
    if evidence == 0.0:
        return NAN, 0.0
    own = OWN_BASELINE * stress_share(record, LONG_DAYS)
    return max(0.0, stress_share(record, SHORT_DAYS) - own), evidence


INDICATOR = Indicator(
    name="spending_stress",
    meaning=(
        "share of discount stores, pawn, gambling, cash advances and half of night spending in 30-day decayed"
        " spending, less half of the borrower's own 180-day share"
    ),
    unit="share of spending",
    healthy=0.05,
    unhealthy=0.45,
    weight=1.1,
    evidence=(
        "account movements seen (of sixty) and days of history (of sixty), halved for every 30 days of "
        "silence over a week"
    ),
    source="the field: retail early warning 7-14 days ahead",
    reason_en="Spending shows distress",
    reason_zh="消费行为呈现压力",
    read=read,
    feeds=(SPENDING,),
)
