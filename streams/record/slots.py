"""The small ledgers of a borrower: loans, instalments, bills, months, latest credits and repayments, proceeds traced.

Each keeps the latest entries by a key that does not depend on the order of arrival, and matches by identity (a
payment names its instalment), so that folding commutes as long as a ledger does not overflow with entries younger
than the allowed lateness.
"""

import numpy as np

from loanpulse.schemas.compiled import compiled
from loanpulse.streams.record.codes import STATUS_NONE, STATUS_SETTLED
from loanpulse.streams.record.layout import (
    BILLS,
    CREDITS,
    INSTALMENTS,
    LOANS,
    MONTHS,
    NO_TIME_S,
    REPAYMENTS,
    TRACED,
    Record,
)
from loanpulse.streams.record.loan_purpose import USE_REPAYMENT

CENT = 0.005
LAST_DAY = np.iinfo(np.int16).max
SCHEDULE_DAYS = 92
"""An instalment announced further ahead is part of a schedule, and gives way to nearer ones in a full ledger."""


@compiled
def loan_slot(record: Record, key: int, epoch2020_s: int) -> int:
    """Return the slot of the loan ``key``, opened at ``epoch2020_s`` if new.

    A full ledger gives up its oldest settled loan, or its oldest where none is settled.

    Examples:
        >>> from loanpulse.streams.record.layout import empty_records
        >>> record = empty_records(1)[0]
        >>> [int(loan_slot(record, key, 0)) for key in (70, 71, 70)]
        [0, 1, 0]
    """
    free = -1
    oldest = -1
    for slot in range(LOANS):
        if record["loan_key"][slot] == key:
            return slot
        if record["loan_key"][slot] == 0:
            if free < 0:
                free = slot
            continue
        if oldest < 0:
            oldest = slot
            continue
        settled = record["loan_status"][slot] == STATUS_SETTLED
        other = record["loan_status"][oldest] == STATUS_SETTLED
        if (settled and not other) or (
            settled == other and record["loan_opened"][slot] < record["loan_opened"][oldest]
        ):
            oldest = slot
    slot = free if free >= 0 else oldest
    record["loan_key"][slot] = key
    record["loan_reference"][slot] = 0
    record["loan_opened"][slot] = epoch2020_s
    record["loan_status"][slot] = STATUS_NONE
    record["loan_status_time"][slot] = NO_TIME_S
    record["loan_outstanding"][slot] = 0.0
    record["loan_outstanding_time"][slot] = NO_TIME_S
    record["loan_disbursed"][slot] = 0.0
    record["loan_deferral_day"][slot] = 0
    record["loan_restructured_day"][slot] = 0
    record["loan_purpose"][slot] = -1
    record["loan_product"][slot] = -1
    return slot


@compiled
def short_key(key: int) -> np.uint64:
    """Return the low half of a loan's key, by which its instalments name it; never 0.

    Examples:
        >>> hex(short_key(0x1234_5678_9ABC_DEF0)), int(short_key(0x1234_5678_0000_0000))
        ('0x9abcdef0', 1)
    """
    low = np.uint64(key) & np.uint64(0xFFFFFFFF)
    return low if low != np.uint64(0) else np.uint64(1)


@compiled
def is_settled(record: Record, slot: int) -> bool:
    """Tell whether the instalment in ``slot`` is paid, or was never announced."""
    return bool(record["instalment_due"][slot] - record["instalment_paid"][slot] < CENT)


@compiled
def gives_way_to(record: Record, slot: int, other: int, today: int) -> bool:
    """Tell whether the instalment in ``other`` leaves a full ledger before the one in ``slot``.

    First go the settled, then those of a schedule from the farthest, then the oldest.
    """
    settled = is_settled(record, other)
    if settled != is_settled(record, slot):
        return settled
    ahead = int(record["instalment_day"][slot]) - today > SCHEDULE_DAYS
    other_ahead = int(record["instalment_day"][other]) - today > SCHEDULE_DAYS
    if not settled and ahead != other_ahead:
        return other_ahead
    days = int(record["instalment_day"][other]) - int(record["instalment_day"][slot])
    if days == 0:
        return bool(record["instalment_loan"][other] < record["instalment_loan"][slot])
    return days > 0 if (other_ahead and not settled) else days < 0


@compiled
def instalment_slot(record: Record, key: int, day: int, today: int) -> int:
    """Return the slot of the instalment of the loan ``key`` due on ``day``, or -1 where a full ledger has none for it.

    ``today`` is the day of the event that names it.

    Examples:
        The same instalment keeps its slot; one that is announced too far ahead still has one while there is room.

        >>> from loanpulse.streams.record.layout import empty_records
        >>> record = empty_records(1)[0]
        >>> [int(instalment_slot(record, 70, day, 20_000)) for day in (20_010, 20_010, 20_200)]
        [0, 0, 1]
    """
    if day > LAST_DAY or day <= 0:
        return -1
    loan = short_key(key)
    free = -1
    victim = -1
    for slot in range(INSTALMENTS):
        if record["instalment_loan"][slot] == loan and record["instalment_day"][slot] == day:
            return slot
        if record["instalment_loan"][slot] == 0:
            if free < 0:
                free = slot
        elif victim < 0 or gives_way_to(record, victim, slot, today):
            victim = slot
    if free < 0:
        if day - today > SCHEDULE_DAYS:
            return -1
        scheduled = not is_settled(record, victim) and record["instalment_day"][victim] - today > SCHEDULE_DAYS
        if not scheduled and record["instalment_day"][victim] > day:
            return -1
        if record["instalment_day"][victim] == day and record["instalment_loan"][victim] > loan:
            return -1
        free = victim
    record["instalment_loan"][free] = loan
    record["instalment_day"][free] = day
    record["instalment_due"][free] = 0.0
    record["instalment_paid"][free] = 0.0
    record["instalment_in_time"][free] = 0.0
    record["instalment_minimum"][free] = 0.0
    return free


@compiled
def bill_slot(record: Record, utility: int, day: int) -> int:
    """Return the slot of the bill of ``utility`` (0..3) due on ``day``, or -1: older than all of a full ledger."""
    if day > LAST_DAY or day <= 0:
        return -1
    free = -1
    oldest = 0
    for slot in range(BILLS):
        if record["bill_utility"][slot] == utility + 1 and record["bill_day"][slot] == day:
            return slot
        if record["bill_utility"][slot] == 0:
            if free < 0:
                free = slot
        else:
            days = int(record["bill_day"][slot]) - int(record["bill_day"][oldest])
            if days < 0 or (days == 0 and record["bill_utility"][slot] < record["bill_utility"][oldest]):
                oldest = slot
    if free < 0:
        if record["bill_day"][oldest] > day:
            return -1
        if record["bill_day"][oldest] == day and record["bill_utility"][oldest] > utility + 1:
            return -1
        free = oldest
    record["bill_utility"][free] = utility + 1
    record["bill_day"][free] = day
    record["bill_paid_at"][free] = NO_TIME_S
    record["bill_overdue"][free] = 0
    return free


@compiled
def month_slot(record: Record, month: int) -> int:
    """Return the bucket of a calendar month (``units.month_of``), or -1 where it is older than all that are kept."""
    slot = month % MONTHS
    if record["month"][slot] < month:
        record["month"][slot] = month
        record["income_amount"][slot] = 0.0
        record["income_credits"][slot] = 0
        record["balance_most"][slot] = -np.inf
        record["balance_least"][slot] = np.inf
    return slot if record["month"][slot] == month else -1


@compiled
def keep_latest_credit(record: Record, epoch2020_s: int) -> None:
    """Keep ``epoch2020_s`` among the latest at which new credit came."""
    slot = 0
    for index in range(CREDITS):
        if record["credit_time"][index] < record["credit_time"][slot]:
            slot = index
    if epoch2020_s > record["credit_time"][slot]:
        record["credit_time"][slot] = epoch2020_s


@compiled
def keep_latest_repayment(record: Record, epoch2020_s: int, amount: float) -> None:
    """Keep a repayment among the latest; of equal times the smaller amount goes first."""
    slot = 0
    for index in range(REPAYMENTS):
        later = int(record["repayment_time"][slot]) - int(record["repayment_time"][index])
        if later > 0 or (later == 0 and record["repayment_amount"][index] < record["repayment_amount"][slot]):
            slot = index
    later = epoch2020_s - int(record["repayment_time"][slot])
    if later > 0 or (later == 0 and amount > record["repayment_amount"][slot]):
        record["repayment_time"][slot] = epoch2020_s
        record["repayment_amount"][slot] = amount


@compiled
def trace(record: Record, reference: int, use: int, amount: float, day: int) -> None:
    """Add proceeds spent to what the loan ``reference`` spent on a class of use.

    A full ledger gives up instalments paid first, then what was spent longest ago.
    """
    free = -1
    victim = 0
    for slot in range(TRACED):
        if record["traced_loan"][slot] == 0:
            if free < 0:
                free = slot
            continue
        if record["traced_loan"][slot] == reference and record["traced_class"][slot] == use:
            record["traced_amount"][slot] += amount
            record["traced_day"][slot] = max(int(record["traced_day"][slot]), day)
            return
        repays = record["traced_class"][slot] == USE_REPAYMENT
        other = record["traced_class"][victim] == USE_REPAYMENT
        if (repays and not other) or (repays == other and record["traced_day"][slot] < record["traced_day"][victim]):
            victim = slot
    if free < 0:
        free = victim
    record["traced_loan"][free] = reference
    record["traced_class"][free] = use
    record["traced_amount"][free] = amount
    record["traced_day"][free] = day
