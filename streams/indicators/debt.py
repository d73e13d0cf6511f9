"""Indicators of what is owed: concentration, service, arrears, shortfall, and borrowing to repay."""

import math

from loanpulse.schemas.contracts import LoanStatus
from loanpulse.streams import decay
from loanpulse.streams.borrower_record import CREDITS, DAY_MS, INCOME, INSTALMENTS, LOANS, REPAYMENTS, SPENDING, Record
from loanpulse.streams.compiled import compiled
from loanpulse.streams.indicators.income import NAN, freshness, saturate

CLOSED = (int(LoanStatus.SETTLED), int(LoanStatus.WRITTEN_OFF), int(LoanStatus.APPLIED))
NEW_CREDIT_DAYS = 3
CENT = 0.005


@compiled
def due_moment(day: int) -> int:
    """Return the moment (ms) at which an instalment due on ``day`` is past due: the end of that day, UTC."""
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
def instalment_stands(record: Record, slot: int) -> bool:
    """Tell whether the instalment in ``slot`` belongs to a loan that is not closed."""
    for loan in range(LOANS):
        if record["loan_key"][loan] == record["instalment_loan"][slot]:
            return is_open(record, loan)
    return True


@compiled
def unpaid(record: Record, slot: int) -> float:
    """Return what is still owed of an instalment of an open loan, in currency."""
    if record["instalment_loan"][slot] == 0 or not instalment_stands(record, slot):
        return 0.0
    rest: float = record["instalment_due"][slot] - record["instalment_paid"][slot]
    return rest if rest > CENT else 0.0


@compiled
def arrears_now(record: Record, time: int) -> tuple[int, float, float]:
    """Return the worst days past due, the overdue amount, and the amount-weighted days past due."""
    worst = 0
    overdue = 0.0
    weighted = 0.0
    owed = 0.0
    for slot in range(INSTALMENTS):
        rest = unpaid(record, slot)
        if rest > 0.0 and due_moment(record["instalment_day"][slot]) <= time:
            days = (time - due_moment(record["instalment_day"][slot])) // DAY_MS + 1
            worst = max(worst, days)
            overdue += rest
            weighted += rest * days
        if record["instalment_loan"][slot] != 0 and due_moment(record["instalment_day"][slot]) <= time:
            owed = max(owed, record["instalment_due"][slot])
    if overdue == 0.0:
        return 0, 0.0, 0.0
    return worst, overdue, weighted / max(overdue, owed)


@compiled
def debt_concentration(record: Record, time: int) -> tuple[float, float]:
    """Return the lenders with an open loan, plus those among them whose first loan is younger than 30 days."""
    lenders = 0.0
    recent = 0.0
    for slot in range(LOANS):
        if not is_open(record, slot):
            continue
        first = True
        opened = record["loan_opened"][slot]
        for other in range(LOANS):
            same = record["loan_lender"][other][0] == record["loan_lender"][slot][0]
            same = same and record["loan_lender"][other][1] == record["loan_lender"][slot][1]
            same = same and record["loan_lender"][other][2] == record["loan_lender"][slot][2]
            if same and record["loan_key"][other] != 0:
                if other < slot and is_open(record, other):
                    first = False
                opened = min(opened, record["loan_opened"][other])
        if first:
            lenders += 1.0
            if time - opened < 30 * DAY_MS:
                recent += 1.0
    if lenders == 0.0:
        return NAN, 0.0
    return lenders + max(0.0, recent - 1.0), 1.0


@compiled
def monthly_due(record: Record, time: int) -> float:
    """Return the instalments due in the 30 days before or after ``time``, whichever is more (currency)."""
    before = 0.0
    after = 0.0
    today = time // DAY_MS
    for slot in range(INSTALMENTS):
        if record["instalment_loan"][slot] != 0 and instalment_stands(record, slot):
            ahead = record["instalment_day"][slot] - today
            if -30 <= ahead < 0:
                before += record["instalment_due"][slot]
            elif 0 <= ahead <= 30:
                after += record["instalment_due"][slot]
    return max(before, after)


@compiled
def debt_service(record: Record, time: int) -> tuple[float, float]:
    """Return the month's instalments over the month's income, at most 3."""
    due = monthly_due(record, time)
    income = 30.0 * (decay.short_rate(record, INCOME, time) + decay.long_rate(record, INCOME, time)) / 2.0
    if due <= 0.0:
        return NAN, 0.0
    age = (time - record["first_seen"]) / DAY_MS
    evidence = saturate(age, 30.0) * freshness(record, SPENDING, time)
    if income <= 0.0:
        return 3.0, evidence
    return min(3.0, due / income), evidence


@compiled
def arrears(record: Record, time: int) -> tuple[float, float]:
    """Return the amount-weighted days past due."""
    for slot in range(INSTALMENTS):
        if record["instalment_loan"][slot] != 0:
            return arrears_now(record, time)[2], 1.0
    return NAN, 0.0


@compiled
def payment_shortfall(record: Record, time: int) -> tuple[float, float]:
    """Return 1 - paid/due over the instalments fallen due, each weighted by e^(-age / 90 days)."""
    due = 0.0
    paid = 0.0
    count = 0
    for slot in range(INSTALMENTS):
        amount = record["instalment_due"][slot]
        if record["instalment_loan"][slot] == 0 or due_moment(record["instalment_day"][slot]) > time or amount <= 0.0:
            continue
        weight = math.exp(-(time - due_moment(record["instalment_day"][slot])) / DAY_MS / 90.0)
        due += weight * amount
        paid += weight * min(amount, record["instalment_paid"][slot])
        count += 1
    if count == 0:
        return NAN, 0.0
    return 1.0 - paid / due, saturate(count, 3.0)


@compiled
def borrow_to_repay(record: Record, time: int) -> tuple[float, float]:
    """Return the share of the latest repayments (60 days) that came within 3 days after new credit."""
    total = 0.0
    borrowed = 0.0
    count = 0
    for slot in range(REPAYMENTS):
        paid_at = record["repayment_time"][slot]
        if paid_at == 0 or time - paid_at > 60 * DAY_MS:
            continue
        count += 1
        total += record["repayment_amount"][slot]
        for credit in range(CREDITS):
            since = paid_at - record["credit_time"][credit]
            if record["credit_time"][credit] != 0 and 0 <= since <= NEW_CREDIT_DAYS * DAY_MS:
                borrowed += record["repayment_amount"][slot]
                break
    if total <= 0.0:
        return NAN, 0.0
    return borrowed / total, saturate(count, 3.0)
