"""Loans in life: instalments announced, paid, paid in part or missed, restructured, written off."""

from __future__ import annotations

from loanpulse.city import borrowing
from loanpulse.city.days import Day, date_of, next_monthly
from loanpulse.city.household_state import HouseholdState, money
from loanpulse.city.loan import MINIMUM_SHARE, STATEMENT_DAYS, WRITE_OFF_DAYS, Instalment, Loan
from loanpulse.city.truth import DefaultTruth, LifeEvent, MissedTruth, ShortfallTruth
from loanpulse.schemas.delinquency import DEFAULT_DAYS


def serve_loans(home: HouseholdState, today: Day) -> None:
    """Announce, pay and age every open loan; settle one that is paid."""
    for loan in tuple(home.loans):
        if loan.is_open:
            announce(home, loan, today)
            pay(home, loan, today)
            fall_behind(home, loan, today)
            if not loan.remaining and not loan.unpaid and loan.is_open:
                loan.status = "SETTLED"
                home.record_loan(loan, "SETTLED", status="SETTLED")


def announce(home: HouseholdState, loan: Loan, today: Day) -> None:
    """Announce the next instalment when its statement is due."""
    if loan.remaining and today.number >= loan.next_due - STATEMENT_DAYS:
        loan.unpaid.append(Instalment(loan.next_due, loan.instalment))
        minimum = money(round(loan.instalment * MINIMUM_SHARE)) if loan.is_revolving else None
        home.record_loan(loan, "INSTALMENT_DUE", loan.instalment, loan.next_due, minimum=minimum)
        loan.remaining -= 1
        loan.next_due = next_monthly(loan.next_due, loan.day_of_month)


def pay(home: HouseholdState, loan: Loan, today: Day) -> None:
    """Pay the instalments that are due, whole or in part, as far as money goes."""
    for instalment in tuple(loan.unpaid):
        ahead = instalment.due - today.number
        if ahead > 3 or (ahead > 0 and not home.dice.chance(0.3)):
            continue
        if ahead < 0 and not home.dice.chance(0.35):
            continue
        spare = home.balance - 30_000
        if ahead == 0 and spare < instalment.rest:
            home.on_truth(ShortfallTruth(home.id, today.date))
            if home.dice.chance(0.12):
                home.record_loan(loan, "DEFERRAL_REQUESTED")
        if spare < instalment.rest and -10 < ahead <= 0:
            find_money(home, instalment.rest, today)
            spare = home.balance - 30_000
        if spare >= instalment.rest:
            pay_part(home, loan, instalment, instalment.rest)
        elif ahead == 0 and spare >= instalment.amount * 0.3:
            pay_part(home, loan, instalment, round(instalment.amount * home.dice.between(0.25, 0.3)))
    loan.unpaid = [instalment for instalment in loan.unpaid if instalment.rest > 0]
    if not loan.unpaid:
        loan.missed = False


def pay_part(home: HouseholdState, loan: Loan, instalment: Instalment, cents: int) -> None:
    """Pay an amount (cents) of an instalment."""
    home.balance -= cents
    instalment.paid += cents
    home.record_movement("TRANSFER_OUT", cents, "LOAN_REPAYMENT", loan.loan_id)
    home.record_loan(loan, "PAID", cents, instalment.due)


def find_money(home: HouseholdState, needed: int, today: Day) -> None:
    """Before an instalment is missed: a cash advance, or a new lender."""
    cents = min(round(home.income * 0.25), needed)
    if home.advanced + cents <= home.income * 0.6 and home.dice.chance(0.4):
        home.advanced += cents
        home.balance += cents
        home.record_movement("CASH_ADVANCE", cents, "CASH")
    elif home.life_event in (LifeEvent.OVER_BORROWING, LifeEvent.JOB_LOSS) and home.dice.chance(0.25):
        borrowing.borrow(home, today, "DAILY_LIFE", home.dice.between(0.4, 1.0))


def fall_behind(home: HouseholdState, loan: Loan, today: Day) -> None:
    """Record what was missed today, and what follows from being late."""
    late = loan.days_past_due(today.number)
    for instalment in loan.unpaid:
        if instalment.due == today.number and loan.is_short(instalment):
            home.on_truth(MissedTruth(home.id, loan.loan_id, today.date))
    if late == 1 and not loan.missed:
        loan.missed = True
        loan.first_missed = min(one.due for one in loan.unpaid if loan.is_short(one))
        if home.dice.chance(0.2):
            home.record_loan(loan, "DEFERRAL_REQUESTED")
    if late >= DEFAULT_DAYS and not loan.defaulted:
        loan.defaulted = True
        home.on_truth(DefaultTruth(home.id, loan.loan_id, date_of(loan.first_missed), today.date))
    if late == 45 and loan.status == "ACTIVE" and home.dice.chance(0.25):
        restructure(home, loan, today)
    elif late >= WRITE_OFF_DAYS:
        loan.status = "WRITTEN_OFF"
        home.record_loan(loan, "WRITTEN_OFF", status="WRITTEN_OFF")


def restructure(home: HouseholdState, loan: Loan, today: Day) -> None:
    """Spread what is owed over twice the time: what was overdue moves into the new plan."""
    owed = loan.outstanding
    loan.status = "RESTRUCTURED"
    home.record_loan(loan, "RESTRUCTURED", status="RESTRUCTURED")
    loan.unpaid = []
    loan.missed = loan.defaulted = False
    loan.remaining = max(6, 2 * loan.remaining)
    loan.instalment = max(1, owed // loan.remaining)
    loan.next_due = next_monthly(today.number + STATEMENT_DAYS + 3, loan.day_of_month)
