"""With how many lenders a borrower is in debt, and how fast that grew."""

from loanpulse.schemas.compiled import compiled
from loanpulse.schemas.sources import REPAYMENT
from loanpulse.streams.indicators.base import Indicator
from loanpulse.streams.indicators.evidence import MONTHLY_DAYS, NAN, freshness
from loanpulse.streams.record.debt import effective_lenders, new_lenders
from loanpulse.streams.record.layout import LOANS, Record

NEW_DAYS = 30


@compiled
def read(record: Record, time: int) -> tuple[float, float]:
    """Return the effective number of lenders plus those who came lately."""
    effective, lenders = effective_lenders(record)
    evidence = freshness(record, REPAYMENT, time, MONTHLY_DAYS)
    if lenders == 0:
        for slot in range(LOANS):
            if record["loan_key"][slot] != 0 and record["loan_status"][slot] > 0:
                return 0.0, 0.5 * evidence
        return NAN, 0.0
    recent = new_lenders(record, time, NEW_DAYS)
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
