"""Behaviours of repaying: an instalment missed, and instalments in a row paid only in part."""

import numpy as np

from loanpulse.schemas.compiled import compiled
from loanpulse.schemas.units import DAY_MS
from loanpulse.streams.record.debt import has_fallen_due, loan_of, past_due_at_ms, unpaid
from loanpulse.streams.record.layout import INSTALMENTS, LOANS, Reals, Record
from loanpulse.streams.record.slots import CENT

INSTALMENTS_IN_A_ROW = 1


@compiled
def is_missed(record: Record, slot: int, time_ms: int, grace_ms: int) -> bool:
    """Tell whether the instalment in ``slot`` is unpaid at ``time_ms``, when its due date and grace are over."""
    return bool(past_due_at_ms(record["instalment_day"][slot]) + grace_ms <= time_ms and unpaid(record, slot) > 0.0)


@compiled
def instalment_missed(record: Record, time_ms: int, grace_ms: int) -> tuple[float, bool]:
    """Return the days past due of the oldest instalment whose due date and grace (ms) have passed unpaid."""
    worst = 0.0
    missed = False
    for slot in range(INSTALMENTS):
        if is_missed(record, slot, time_ms, grace_ms):
            missed = True
            worst = max(worst, (time_ms - past_due_at_ms(record["instalment_day"][slot])) / DAY_MS)
    return worst, missed


@compiled
def loans_newly_missed(record: Record, before: int, time_ms: int, grace_ms: int) -> int:
    """Return the bits of the loans (by slot) with a missed instalment whose lender had none missed at ``before`` (ms).

    What is unpaid now was unpaid then, so the ledger tells it: each lender has an episode of its own.
    """
    missed = 0
    known = 0
    for slot in range(INSTALMENTS):
        loan = loan_of(record, slot)
        if loan >= 0 and is_missed(record, slot, time_ms, grace_ms):
            missed |= 1 << loan
            if is_missed(record, slot, before, grace_ms):
                known |= 1 << loan
    for loan in range(LOANS):
        for other in range(LOANS):
            if (known >> loan) & 1 and np.array_equal(record["loan_lender"][loan], record["loan_lender"][other]):
                missed &= ~(1 << other)
    return missed


@compiled
def paid_in_part(record: Record, slot: int) -> bool:
    """Tell whether something, but not all, of an instalment has been paid.

    Examples:
        >>> from loanpulse.streams.record.layout import empty_records
        >>> record = empty_records(1)[0]
        >>> record["instalment_due"][0], record["instalment_paid"][0] = 900.0, 300.0
        >>> paid_in_part(record, 0), paid_in_part(record, 1)
        (True, False)
    """
    paid = record["instalment_paid"][slot]
    return bool(paid > CENT and record["instalment_due"][slot] - paid > CENT)


@compiled
def partial_streak(record: Record, loan_slot: int, time_ms: int) -> int:
    """Return how many of a loan's newest instalments fallen due, in a row, are paid in part.

    ``loan_slot`` is the slot of any of the loan's instalments.
    """
    streak = 0
    before = time_ms
    while True:
        newest = -1
        for slot in range(INSTALMENTS):
            if record["instalment_loan"][slot] != record["instalment_loan"][loan_slot]:
                continue
            if record["instalment_due"][slot] <= 0.0 or past_due_at_ms(record["instalment_day"][slot]) > before:
                continue
            if newest < 0 or record["instalment_day"][slot] > record["instalment_day"][newest]:
                newest = slot
        if newest < 0 or not paid_in_part(record, newest):
            return streak
        streak += 1
        before = past_due_at_ms(record["instalment_day"][newest]) - 1


@compiled
def partial_payment_streak(record: Record, time_ms: int, parameters: Reals) -> tuple[float, bool]:
    """Return the longest row of a loan's newest instalments paid in part, and whether it is long enough."""
    longest = 0
    for slot in range(INSTALMENTS):
        if paid_in_part(record, slot) and has_fallen_due(record, slot, time_ms):
            longest = max(longest, partial_streak(record, slot, time_ms))
    return float(longest), longest >= parameters[INSTALMENTS_IN_A_ROW]
