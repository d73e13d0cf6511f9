"""The small ledgers of a borrower: loans, instalments, bills, months, and the latest credits and repayments.

Each keeps the latest entries by a key that does not depend on the order of arrival, and matches by identity (a
payment names its instalment), so that folding commutes as long as a ledger does not overflow with entries younger
than the allowed lateness.
"""

from loanpulse.streams.borrower_record import (
    BILLS,
    CREDITS,
    INSTALMENTS,
    LOANS,
    LONG_AGO,
    MONTHS,
    REPAYMENTS,
    USAGE_MONTHS,
    Integers,
    Reals,
    Record,
)
from loanpulse.streams.compiled import compiled


@compiled
def loan_slot(record: Record, key: int, time: int) -> int:
    """Return the slot of the loan ``key``, opened at ``time`` (ms) if new; a full ledger gives up its oldest loan."""
    free = -1
    oldest = 0
    for slot in range(LOANS):
        if record["loan_key"][slot] == key:
            return slot
        if record["loan_key"][slot] == 0 and free < 0:
            free = slot
        if record["loan_opened"][slot] < record["loan_opened"][oldest]:
            oldest = slot
    slot = free if free >= 0 else oldest
    record["loan_key"][slot] = key
    record["loan_opened"][slot] = time
    record["loan_status"][slot] = -1
    record["loan_status_time"][slot] = LONG_AGO
    record["loan_outstanding"][slot] = 0.0
    record["loan_outstanding_time"][slot] = LONG_AGO
    return slot


@compiled
def instalment_slot(record: Record, loan: int, day: int) -> int:
    """Return the slot of the instalment of ``loan`` due on ``day``, or -1: older than all of a full ledger."""
    free = -1
    oldest = 0
    for slot in range(INSTALMENTS):
        if record["instalment_loan"][slot] == loan and record["instalment_day"][slot] == day:
            return slot
        if record["instalment_loan"][slot] == 0:
            if free < 0:
                free = slot
        else:
            days = record["instalment_day"][slot] - record["instalment_day"][oldest]
            if days < 0 or (days == 0 and record["instalment_loan"][slot] < record["instalment_loan"][oldest]):
                oldest = slot
    if free < 0:
        if record["instalment_day"][oldest] > day:
            return -1
        if record["instalment_day"][oldest] == day and record["instalment_loan"][oldest] > loan:
            return -1
        free = oldest
    record["instalment_loan"][free] = loan
    record["instalment_day"][free] = day
    record["instalment_due"][free] = 0.0
    record["instalment_paid"][free] = 0.0
    return free


@compiled
def bill_slot(record: Record, utility: int, day: int) -> int:
    """Return the slot of the bill of ``utility`` (0..3) due on ``day``, or -1: older than all of a full ledger."""
    free = -1
    oldest = 0
    for slot in range(BILLS):
        if record["bill_utility"][slot] == utility + 1 and record["bill_day"][slot] == day:
            return slot
        if record["bill_utility"][slot] == 0:
            if free < 0:
                free = slot
        else:
            days = record["bill_day"][slot] - record["bill_day"][oldest]
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
    record["bill_paid_at"][free] = 0
    record["bill_overdue"][free] = 0
    return free


@compiled
def add_to_month(months: Integers, amounts: Reals, count: int, month: int, amount: float) -> None:
    """Add ``amount`` to the bucket of ``month``; the buckets keep the newest ``count`` months, 0 marks an empty one."""
    slot = month % count
    if months[slot] < month:
        months[slot] = month
        amounts[slot] = 0.0
    if months[slot] == month:
        amounts[slot] += amount


@compiled
def add_income_month(record: Record, month: int, amount: float) -> None:
    """Add an income to its month (months of 30 days since 1970)."""
    add_to_month(record["income_month"], record["income_amount"], MONTHS, month, amount)


@compiled
def add_usage_month(record: Record, utility: int, month: int, usage: float) -> None:
    """Add a reading of ``utility`` (0..3) to its month."""
    add_to_month(record["usage_month"][utility], record["usage_amount"][utility], USAGE_MONTHS, month, usage)


@compiled
def keep_latest_credit(record: Record, time: int) -> None:
    """Keep ``time`` among the latest times at which new credit came."""
    slot = 0
    for index in range(CREDITS):
        if record["credit_time"][index] < record["credit_time"][slot]:
            slot = index
    if time > record["credit_time"][slot]:
        record["credit_time"][slot] = time


@compiled
def keep_latest_repayment(record: Record, time: int, amount: float) -> None:
    """Keep a repayment among the latest; of equal times the smaller amount goes first."""
    slot = 0
    for index in range(REPAYMENTS):
        later = record["repayment_time"][slot] - record["repayment_time"][index]
        if later > 0 or (later == 0 and record["repayment_amount"][index] < record["repayment_amount"][slot]):
            slot = index
    later = time - record["repayment_time"][slot]
    if later > 0 or (later == 0 and amount > record["repayment_amount"][slot]):
        record["repayment_time"][slot] = time
        record["repayment_amount"][slot] = amount
