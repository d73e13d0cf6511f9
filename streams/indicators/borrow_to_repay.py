"""Whether old debt is paid with new."""

from loanpulse.schemas.compiled import compiled
from loanpulse.schemas.sources import REPAYMENT
from loanpulse.streams.indicators.base import Indicator
from loanpulse.streams.indicators.evidence import MONTHLY_DAYS, NAN, freshness, saturate
from loanpulse.streams.record.layout import CREDITS, NO_TIME_S, REPAYMENTS, Record
from loanpulse.streams.record.units import seconds_of

NEW_CREDIT_SECONDS = 3 * 86_400
WINDOW_SECONDS = 60 * 86_400


@compiled
def follows_credit(record: Record, epoch2020_s: int) -> bool:
    """Tell whether new credit came within the 3 days before a time (seconds since 2020)."""
    for slot in range(CREDITS):
        credit = int(record["credit_time"][slot])
        if credit != NO_TIME_S and 0 <= epoch2020_s - credit <= NEW_CREDIT_SECONDS:
            return True
    return False


@compiled
def read(record: Record, time_ms: int) -> tuple[float, float]:
    """Return the share of the latest repayments that new credit went before.

    Examples:
        A repayment a day after a cash advance, and no other.

        >>> from loanpulse.streams.record.layout import empty_records
        >>> record = empty_records(1)[0]
        >>> record["credit_time"][0], record["repayment_time"][0], record["repayment_amount"][0] = 0, 86_400, 900.0
        >>> now_ms = (1_577_836_800 + 2 * 86_400) * 1000
        >>> record["last_seen"][REPAYMENT] = now_ms
        >>> share, evidence = read(record, now_ms)
        >>> float(share), round(float(evidence), 2)
        (1.0, 0.33)
    """
    total = 0.0
    borrowed = 0.0
    count = 0
    for slot in range(REPAYMENTS):
        paid_at = int(record["repayment_time"][slot])
        if paid_at == NO_TIME_S or seconds_of(time_ms) - paid_at > WINDOW_SECONDS:
            continue
        count += 1
        total += record["repayment_amount"][slot]
        if follows_credit(record, paid_at):
            borrowed += record["repayment_amount"][slot]
    if total <= 0.0:
        return NAN, 0.0
    return borrowed / total, saturate(count, 3.0) * freshness(record, REPAYMENT, time_ms, MONTHLY_DAYS)


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
