"""One household: what it earns, spends, owes and goes through, day by day.

What goes wrong shows in the streams in the order in which it does in life: income first, then what is bought and
where, cash advances and new lenders, late bills, and only then instalments paid in part or not at all.
"""

from __future__ import annotations

from loanpulse.city import bills, borrowing, income, life_events, repaying, spending
from loanpulse.city.days import Day
from loanpulse.city.household_state import HouseholdState, Record
from loanpulse.city.plan import CityPlan
from loanpulse.city.truth import OnTruth
from loanpulse.schemas.units import HOUR_MS, MINUTE_MS


class Household:
    """One borrower and the accounts around it. The same plan and number give the same life."""

    def __init__(self, plan: CityPlan, number: int, first_day: int, on_truth: OnTruth) -> None:
        self._home = HouseholdState(plan, number, first_day, on_truth)
        spending.plan_month(self._home)

    @property
    def id(self) -> str:
        """The borrower's pseudonym."""
        return self._home.id

    def day(self, today: Day) -> list[Record]:
        """Live one day; returns what happened, in order of time. Days must come one after the other."""
        home = self._home
        home.records = []
        home.clock = today.midnight_ms + 20 * MINUTE_MS
        life_events.live_through_events(home, today)
        home.days_to_next_pay = income.days_to_pay(home, today)
        if today.of_month == 1:
            spending.plan_month(home)
        spending.spend_at_night(home, today)
        home.clock = max(home.clock, today.midnight_ms + 8 * HOUR_MS)
        income.earn(home, today)
        spending.pay_rent(home, today)
        bills.keep_house(home, today)
        borrowing.borrow_as_planned(home, today)
        repaying.serve_loans(home, today)
        home.clock = max(home.clock, today.midnight_ms + 12 * HOUR_MS)
        spending.shop(home, today)
        return [record for record in home.records if home.profile.is_told(record[1], today.number)]
