"""Money in: pay by its cycle, benefits, and what a cash advance takes of it."""

from __future__ import annotations

from loanpulse.city import life_events
from loanpulse.city.days import Day, next_monthly
from loanpulse.city.household_state import HouseholdState
from loanpulse.city.truth import LifeEvent

WITHOUT_WORK_DAYS = 45


def days_to_pay(home: HouseholdState, today: Day) -> int:
    """Days until money is next expected; nobody without work knows when."""
    if home.life_event is LifeEvent.JOB_LOSS:
        return WITHOUT_WORK_DAYS
    if home.cycle == "monthly":
        return next_monthly(today.number, home.pay_day) - today.number
    if home.cycle == "irregular":
        return 7
    length = 14 if home.cycle == "biweekly" else 7
    return length - (today.number + home.pay_phase) % length


def earn(home: HouseholdState, today: Day) -> None:
    """Receive what is due today."""
    if home.life_event is LifeEvent.JOB_LOSS:
        if today.is_monthly(home.pay_day) and home.honest < 0.6:
            receive(home, round(home.income * 0.22), "BENEFITS")
        return
    factor = life_events.income_factor(home)
    if home.cycle == "monthly" and today.is_monthly(home.pay_day):
        receive(home, round(home.income * factor * home.dice.spread(0.02)), "SALARY")
    elif home.cycle == "biweekly" and (today.number + home.pay_phase) % 14 == 0:
        receive(home, round(home.income * 12 / 26 * factor * home.dice.spread(0.04)), "SALARY")
    elif home.cycle == "weekly" and (today.number + home.pay_phase) % 7 == 0:
        receive(home, round(home.income * 12 / 52 * factor * home.dice.spread(0.08)), "SALARY")
    elif home.cycle == "irregular" and home.dice.chance(0.16):
        receive(home, round(home.income / 4.9 * factor * home.dice.spread(0.35)), "OTHER")


def receive(home: HouseholdState, cents: int, category: str) -> None:
    """Book an income; a cash advance taken before is paid back out of it."""
    if cents > 0:
        home.balance += cents
        home.record_movement("INCOME", cents, category)
        back = min(home.advanced, cents // 4)
        if back:
            home.advanced -= back
            home.balance -= back
            home.record_movement("TRANSFER_OUT", back, "FEES")
