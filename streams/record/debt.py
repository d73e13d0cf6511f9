"""What a borrower owes as several indicators read it: open loans, instalments that stand, arrears."""

import numpy as np

from loanpulse.schemas.compiled import compiled
from loanpulse.schemas.units import DAY_MS
from loanpulse.streams.record.codes import STATUS_APPLIED, STATUS_DEFERRED, STATUS_SETTLED, STATUS_WRITTEN_OFF
from loanpulse.streams.record.layout import INSTALMENTS, LOANS, Record
from loanpulse.streams.record.slots import CENT, short_key
from loanpulse.streams.record.units import ms_of

CLOSED = (STATUS_SETTLED, STATUS_WRITTEN_OFF, STATUS_APPLIED)
"""The statuses of a loan that is not open: an application is not disbursed yet."""
MONTH_DAYS = 30


@compiled
def past_due_at_ms(day: int) -> int:
    """Return when (UTC ms) an instalment due on ``day`` is past due: the end of that day, UTC.

    Examples:
        >>> int(past_due_at_ms(0)) == DAY_MS
        True
    """
    return (int(day) + 1) * DAY_MS


@compiled
def is_open(record: Record, slot: int) -> bool:
    """Tell whether the loan in ``slot`` is disbursed and neither settled nor written off."""
    return record["loan_key"][slot] != 0 and record["loan_status"][slot] not in CLOSED


@compiled
def open_loans(record: Record) -> int:
    """Return the number of open loans."""
    count = 0
    for slot in range(LOANS):
        if is_open(record, slot):
            count += 1
    return count


@compiled
def loan_of(record: Record, slot: int) -> int:
    """Return the slot of the loan of the instalment in ``slot``, -1 where it is not kept."""
    for loan in range(LOANS):
        if record["loan_key"][loan] != 0 and short_key(record["loan_key"][loan]) == record["instalment_loan"][slot]:
            return loan
    return -1


@compiled
def instalment_stands(record: Record, slot: int) -> bool:
    """Tell whether the instalment in ``slot`` is asked for.

    It is not where its loan is closed, where the loan was restructured after it fell due (it moved into the new
    plan), and, while the loan is deferred, where it fell due since the deferral was asked for.
    """
    if record["instalment_loan"][slot] == 0:
        return False
    loan = loan_of(record, slot)
    if loan < 0:
        return True
    if not is_open(record, loan):
        return False
    day = record["instalment_day"][slot]
    if day < record["loan_restructured_day"][loan]:
        return False
    deferred = record["loan_status"][loan] == STATUS_DEFERRED
    return not (deferred and day >= record["loan_deferral_day"][loan])


@compiled
def asked(record: Record, slot: int) -> float:
    """Return what an instalment asks for at least: the minimum of revolving credit, else all of it (currency).

    Examples:
        Revolving credit asks for its minimum, an instalment loan for all.

        >>> from loanpulse.streams.record.layout import empty_records
        >>> record = empty_records(1)[0]
        >>> record["instalment_due"][:2], record["instalment_minimum"][0] = 900.0, 225.0
        >>> float(asked(record, 0)), float(asked(record, 1))
        (225.0, 900.0)
    """
    minimum = np.float64(record["instalment_minimum"][slot])
    due: float = record["instalment_due"][slot]
    return min(minimum, due) if minimum > 0.0 else due


@compiled
def unpaid(record: Record, slot: int) -> float:
    """Return what is still asked for of an instalment that stands (currency)."""
    if not instalment_stands(record, slot):
        return 0.0
    rest = asked(record, slot) - record["instalment_paid"][slot]
    return rest if rest > CENT else 0.0


@compiled
def has_fallen_due(record: Record, slot: int, time_ms: int) -> bool:
    """Tell whether the instalment in ``slot`` stands, was announced, and fell due before ``time_ms``."""
    if record["instalment_due"][slot] <= 0.0 or past_due_at_ms(record["instalment_day"][slot]) > time_ms:
        return False
    return instalment_stands(record, slot)


@compiled
def arrears_now(record: Record, time_ms: int) -> tuple[int, float, float]:
    """Return the worst days past due, the overdue amount, and the amount-weighted days past due.

    Examples:
        900 fell due on day 20,000; ten days later 300 of it are paid.

        >>> from loanpulse.streams.record.layout import empty_records
        >>> record = empty_records(1)[0]
        >>> record["instalment_loan"][0], record["instalment_day"][0] = 7, 20_000
        >>> record["instalment_due"][0], record["instalment_paid"][0] = 900.0, 300.0
        >>> worst, overdue, weighted = arrears_now(record, 20_010 * DAY_MS)
        >>> int(worst), float(overdue), round(float(weighted), 2)
        (10, 600.0, 6.67)
    """
    worst = 0
    overdue = 0.0
    weighted = 0.0
    owed = 0.0
    for slot in range(INSTALMENTS):
        if not has_fallen_due(record, slot, time_ms):
            continue
        owed = max(owed, asked(record, slot))
        rest = asked(record, slot) - record["instalment_paid"][slot]
        if rest > CENT:
            days = (time_ms - past_due_at_ms(record["instalment_day"][slot])) // DAY_MS + 1
            worst = max(worst, days)
            overdue += rest
            weighted += rest * days
    if overdue == 0.0:
        return 0, 0.0, 0.0
    return worst, overdue, weighted / max(overdue, owed)


@compiled
def due_between(record: Record, first: int, last: int) -> float:
    """Return what is asked for from the day ``first`` to ``last`` by instalments that stand (currency)."""
    total = 0.0
    for slot in range(INSTALMENTS):
        if first <= record["instalment_day"][slot] <= last and instalment_stands(record, slot):
            total += asked(record, slot)
    return total


@compiled
def monthly_due(record: Record, time_ms: int) -> float:
    """Return the instalments due in the 30 days before or after ``time_ms``, whichever is more (currency)."""
    today = time_ms // DAY_MS
    before = due_between(record, today - MONTH_DAYS, today - 1)
    after = due_between(record, today, today + MONTH_DAYS)
    return max(before, after)


@compiled
def lender_is(record: Record, slot: int, other: int) -> bool:
    """Tell whether two loans are of the same lender."""
    for word in range(3):  # noqa: SIM110 - a generator does not compile
        if record["loan_lender"][slot][word] != record["loan_lender"][other][word]:
            return False
    return True


@compiled
def balance_of_loan(record: Record, slot: int) -> float:
    """Return what is outstanding on a loan, or was disbursed where that was never told (currency)."""
    outstanding: float = record["loan_outstanding"][slot]
    return outstanding if outstanding > 0.0 else float(record["loan_disbursed"][slot])


@compiled
def effective_lenders(record: Record) -> tuple[float, int]:
    """Return the effective number of lenders (inverse Herfindahl over outstanding) and their plain number."""
    total = 0.0
    squares = 0.0
    lenders = 0
    for slot in range(LOANS):
        if not is_open(record, slot):
            continue
        first = True
        amount = 0.0
        for other in range(LOANS):
            if is_open(record, other) and lender_is(record, slot, other):
                if other < slot:
                    first = False
                amount += balance_of_loan(record, other)
        if first:
            lenders += 1
            total += amount
            squares += amount * amount
    if squares <= 0.0:
        return float(lenders), lenders
    return total * total / squares, lenders


@compiled
def new_lenders(record: Record, time_ms: int, days: int) -> int:
    """Return the lenders with an open loan whose first loan kept is younger than ``days``."""
    since = time_ms - days * DAY_MS
    count = 0
    for slot in range(LOANS):
        if not is_open(record, slot):
            continue
        counted = True
        for other in range(LOANS):
            if record["loan_key"][other] != 0 and lender_is(record, slot, other):
                if other < slot and is_open(record, other):
                    counted = False
                if ms_of(record["loan_opened"][other]) <= since:
                    counted = False
        if counted:
            count += 1
    return count
