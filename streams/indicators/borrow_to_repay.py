"""Whether old debt is paid with new."""

from loanpulse.schemas.compiled import compiled
from loanpulse.schemas.sources import REPAYMENT
from loanpulse.streams.indicators.base import Indicator
from loanpulse.streams.indicators.evidence import MONTHLY_DAYS, NAN, freshness, saturate
from loanpulse.streams.record.layout import CREDITS, NO_MOMENT, REPAYMENTS, Record, seconds_of

NEW_CREDIT_SECONDS = 3 * 86_400
WINDOW_SECONDS = 60 * 86_400


@compiled
def follows_credit(record: Record, moment: int) -> bool:
    """Tell whether new credit came within 3 days before a moment."""
    for slot in range(CREDITS):
        credit = int(record["credit_time"][slot])
        if credit != NO_MOMENT and 0 <= moment - credit <= NEW_CREDIT_SECONDS:
            return True
    return False


@compiled
def read(record: Record, time: int) -> tuple[float, float]:
    """Return the share of the latest repayments that new credit went before."""
    total = 0.0
    borrowed = 0.0
    count = 0
    for slot in range(REPAYMENTS):
        paid_at = int(record["repayment_time"][slot])
        if paid_at == NO_MOMENT or seconds_of(time) - paid_at > WINDOW_SECONDS:
            continue
        count += 1
        total += record["repayment_amount"][slot]
        if follows_credit(record, paid_at):
            borrowed += record["repayment_amount"][slot]
    if total <= 0.0:
        return NAN, 0.0
    return borrowed / total, saturate(count, 3.0) * freshness(record, REPAYMENT, time, MONTHLY_DAYS)


INDICATOR = Indicator(
    name="borrow_to_repay",
    meaning=(
        "share of the amount repaid in 60 days that came within 3 days after new credit (a loan paid out, a "
        "cash advance)"
    ),
    unit="share",
    healthy=0.0,
    unhealthy=0.8,
    weight=0.8,
    evidence="repayments seen in 60 days, of three, halved for every 30 days of silence over 35",
    source="the regulator: 以贷养贷",
    reason_en="New credit pays old instalments",
    reason_zh="以贷养贷",
    read=read,
    feeds=(REPAYMENT,),
)
