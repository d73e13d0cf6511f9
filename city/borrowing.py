"""New loans: when a household borrows, from whom, and what it does with the proceeds."""

from __future__ import annotations

from loanpulse.city import spending
from loanpulse.city.days import Day, next_monthly
from loanpulse.city.household_state import HouseholdState
from loanpulse.city.loan import STATEMENT_DAYS, Loan
from loanpulse.city.truth import LifeEvent

PURPOSES = {
    "EDUCATION": "EDUCATION",
    "MEDICAL": "HEALTH",
    "RENOVATION": "HOME_IMPROVEMENT",
    "VEHICLE": "VEHICLE",
    "TRAVEL": "TRAVEL",
    "DURABLES": "ELECTRONICS",
}
MOST_LOANS = 6


def borrow_as_planned(home: HouseholdState, today: Day) -> None:
    """Borrow where a plan, a life event or chance says so."""
    if today.number in home.planned:
        borrow(home, today, home.dice.pick(tuple(PURPOSES)), home.dice.between(1.0, 4.0))
    elif home.life_event is LifeEvent.OVER_BORROWING and home.dice.chance(0.05):
        borrow(home, today, "DAILY_LIFE", home.dice.between(0.5, 1.5))
    elif home.life_event is LifeEvent.PURPOSE_FRAUD and home.dice.chance(0.06):
        borrow(home, today, home.dice.pick(tuple(PURPOSES)), home.dice.between(1.0, 2.5))
    elif not any(loan.is_open for loan in home.loans) and home.dice.chance(0.004):
        borrow(home, today, home.dice.pick(tuple(PURPOSES)), home.dice.between(1.0, 3.0))


def borrow(home: HouseholdState, today: Day, purpose: str, months_of_income: float) -> Loan | None:
    """Take a new loan of some months of income; None where no lender would lend."""
    active = [loan for loan in home.loans if loan.is_open]
    if len(active) >= MOST_LOANS or any(loan.status == "WRITTEN_OFF" for loan in home.loans):
        return None
    used = {loan.lender for loan in active}
    fresh = [lender for lender in home.plan.lenders if lender not in used] or list(home.plan.lenders)
    terms = home.dice.pick((6, 12, 12, 18, 24, 36))
    principal = round(home.income * months_of_income)
    instalment = round(principal * (1.0 + 0.012 * terms) / terms)
    day_of_month = home.dice.whole(1, 28)
    home.loan_number += 1
    loan = Loan(
        f"{home.id}-{home.loan_number}",
        home.dice.pick(fresh),
        purpose,
        principal,
        instalment,
        terms,
        day_of_month,
        next_monthly(today.number + STATEMENT_DAYS + 3, day_of_month),
    )
    home.loans.append(loan)
    home.record_loan(loan, "APPLIED", principal, purpose=purpose, status="APPLIED")
    home.record_loan(loan, "DISBURSED", principal, purpose=purpose, status="ACTIVE")
    home.balance += principal
    home.record_movement("TRANSFER_IN", principal, None, loan.loan_id)
    spend_proceeds(home, loan)
    return loan


def spend_proceeds(home: HouseholdState, loan: Loan) -> None:
    """Spend a loan's proceeds, as declared or not."""
    if home.life_event is LifeEvent.PURPOSE_FRAUD:
        cash = round(loan.principal * 0.6)
        home.balance -= cash
        home.record_movement("CASH_WITHDRAWAL", cash, "CASH", loan.loan_id)
        spending.buy(home, "GAMBLING", round(loan.principal * 0.2), loan.loan_id)
    elif loan.purpose in PURPOSES:
        spending.buy(home, PURPOSES[loan.purpose], round(loan.principal * home.dice.between(0.75, 0.98)), loan.loan_id)
