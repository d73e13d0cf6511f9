"""Behaviours of borrowing: new lenders at once, new credit that pays old, and living on cash advances."""

import math

from loanpulse.schemas.compiled import compiled
from loanpulse.schemas.units import DAY_MS
from loanpulse.streams.indicators.borrow_to_repay import follows_credit
from loanpulse.streams.record.codes import STATUS_APPLIED, STATUS_NONE
from loanpulse.streams.record.debt import balance_of_loan, is_open, lender_is
from loanpulse.streams.record.layout import (
    CASH_ADVANCES,
    INFLOW,
    LOANS,
    NO_TIME_S,
    REPAYMENTS,
    Reals,
    Record,
)
from loanpulse.streams.record.units import local_day, ms_of

NEW_LENDERS, SURGE_DAYS, GROWTH, LEAST_EFFECTIVE = range(1, 5)
REPAY_SHARE, REPAY_DAYS, REPAY_TIMES = range(1, 4)
ADVANCES, ADVANCE_DAYS, ADVANCE_SHARE, ADVANCE_LEAST_DAYS = range(1, 5)
LEAST_OWED = 1.0
"""What a loan with nothing told of its principal counts for, so that it counts at all (currency)."""


@compiled
def new_lenders(record: Record, time_ms: int, days: float) -> int:
    """Return the lenders whose first known loan was disbursed within ``days``.

    A loan known by its instalments only began before the feed did, and is not new.

    Examples:
        Two loans of two lenders, opened on 1 January 2020, seen two days later.

        >>> from loanpulse.streams.record.layout import empty_records
        >>> record = empty_records(1)[0]
        >>> record["loan_key"][:2], record["loan_status"][:2] = (7, 8), 1
        >>> record["loan_lender"][:2, 0] = (4, 5)
        >>> int(new_lenders(record, ms_of(2 * 86_400), 30.0))
        2
    """
    count = 0
    for slot in range(LOANS):
        status = record["loan_status"][slot]
        if record["loan_key"][slot] == 0 or status in (STATUS_NONE, STATUS_APPLIED):
            continue
        newest = time_ms - ms_of(record["loan_opened"][slot]) < days * DAY_MS
        for other in range(LOANS):
            known = record["loan_status"][other]
            if other == slot or record["loan_key"][other] == 0 or known == STATUS_APPLIED:
                continue
            if not lender_is(record, slot, other):
                continue
            earlier = record["loan_opened"][other] - record["loan_opened"][slot]
            if earlier < 0 or (earlier == 0 and (known == STATUS_NONE or other < slot)):
                newest = False
        if newest:
            count += 1
    return count


@compiled
def effective_lenders(record: Record, opened_before: int) -> float:
    """Return the inverse Herfindahl index of what is owed per lender, over open loans opened before a time (ms)."""
    total = 0.0
    squares = 0.0
    for slot in range(LOANS):
        if not is_open(record, slot) or ms_of(record["loan_opened"][slot]) >= opened_before:
            continue
        owed = 0.0
        first = True
        for other in range(LOANS):
            if not is_open(record, other) or ms_of(record["loan_opened"][other]) >= opened_before:
                continue
            if lender_is(record, slot, other):
                owed += max(balance_of_loan(record, other), LEAST_OWED)
                first = first and other >= slot
        if first:
            total += owed
            squares += owed * owed
    if squares == 0.0:
        return 0.0
    return total * total / squares


@compiled
def multi_lender_surge(record: Record, time_ms: int, parameters: Reals) -> tuple[float, bool]:
    """Return the lenders that are new, and whether they or the growth of the effective number make a surge."""
    count = new_lenders(record, time_ms, parameters[SURGE_DAYS])
    if count >= parameters[NEW_LENDERS]:
        return float(count), True
    if count == 0:
        return 0.0, False
    now = effective_lenders(record, time_ms + 1)
    before = effective_lenders(record, time_ms - int(parameters[SURGE_DAYS] * DAY_MS))
    grown = before >= 1.0 and now >= (1.0 + parameters[GROWTH]) * before - 1e-9
    return float(count), grown and now >= parameters[LEAST_EFFECTIVE] - 1e-9


@compiled
def borrow_to_repay(record: Record, time_ms: int, parameters: Reals) -> tuple[float, bool]:
    """Return the share of what was repaid that came soon after new credit, and whether it is a habit."""
    total = 0.0
    borrowed = 0.0
    times = 0
    for slot in range(REPAYMENTS):
        if record["repayment_time"][slot] == NO_TIME_S:
            continue
        paid_at = ms_of(record["repayment_time"][slot])
        if not 0 <= time_ms - paid_at <= parameters[REPAY_DAYS] * DAY_MS:
            continue
        total += record["repayment_amount"][slot]
        if follows_credit(record, int(record["repayment_time"][slot])):
            borrowed += record["repayment_amount"][slot]
            times += 1
    if total <= 0.0:
        return math.nan, False
    share = borrowed / total
    return share, share >= parameters[REPAY_SHARE] and times >= parameters[REPAY_TIMES]


@compiled
def cash_advance_reliance(record: Record, time_ms: int, parameters: Reals) -> tuple[float, bool]:
    """Return the latest advances (three at most), and whether they are many or much against the inflow."""
    count = 0
    today = local_day(time_ms)
    for slot in range(len(record["advance_day"])):
        day = int(record["advance_day"][slot])
        if day != 0 and today - day < parameters[ADVANCE_DAYS]:
            count += 1
    if count >= parameters[ADVANCES]:
        return float(count), True
    if count == 0 or time_ms - record["first_seen"] < parameters[ADVANCE_LEAST_DAYS] * DAY_MS:
        return float(count), False
    inflow = record["short_sums"][INFLOW]
    return float(count), record["short_sums"][CASH_ADVANCES] > parameters[ADVANCE_SHARE] * inflow
