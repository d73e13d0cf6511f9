"""With how many lenders a borrower is in debt, and how fast that grew."""

from loanpulse.schemas.compiled import compiled
from loanpulse.schemas.sources import REPAYMENT
from loanpulse.streams.indicators.base import Indicator
from loanpulse.streams.indicators.evidence import MONTHLY_DAYS, NAN, freshness
from loanpulse.streams.record.debt import effective_lenders, new_lenders
from loanpulse.streams.record.layout import LOANS, Record

NEW_DAYS = 30


@compiled
def read(record: Record, time_ms: int) -> tuple[float, float]:
    """Return the effective number of lenders plus those who came lately.

    Examples:
        Two loans of two lenders, of the same size and opened long ago.

        >>> from loanpulse.streams.record.layout import empty_records
        >>> record = empty_records(1)[0]
        >>> from loanpulse.schemas.units import DAY_MS
        >>> now_ms = 20_010 * DAY_MS
        >>> record["loan_key"][:2], record["loan_status"][:2], record["loan_outstanding"][:2] = (7, 8), 1, 1000.0
        >>> record["loan_lender"][:2, 0] = (4, 5)
        >>> record["last_seen"][REPAYMENT] = now_ms
        >>> lenders, evidence = read(record, now_ms)
        >>> float(lenders), float(evidence)
        (2.0, 1.0)
    """
    effective, lenders = effective_lenders(record)
    evidence = freshness(record, REPAYMENT, time_ms, MONTHLY_DAYS)
    if lenders == 0:
        for slot in range(LOANS):
            if record["loan_key"][slot] != 0 and record["loan_status"][slot] > 0:
                return 0.0, 0.5 * evidence
        return NAN, 0.0
    recent = new_lenders(record, time_ms, NEW_DAYS)
    if recent == lenders:
        recent -= 1
    return effective + recent, evidence


INDICATOR = Indicator(
    name="debt_concentration",
    meaning=(
        "effective number of lenders (inverse Herfindahl index over what is outstanding) and 1 for each "
        "lender new within 30 days beside one already there"
    ),
    unit="lenders",
    healthy=1.0,
    unhealthy=4.0,
    weight=0.6,
    evidence="a loan known (half where all are closed), halved for every 30 days of silence over 35",
    source="report: named by the LHI (共债集中度)",
    reason_en="Debt with many lenders",
    reason_zh="多头共债",
    read=read,
    feeds=(REPAYMENT,),
)
