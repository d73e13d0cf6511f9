"""The house: meters, bills, how late they are paid, and notices of disconnection."""

from __future__ import annotations

from loanpulse.city import spending
from loanpulse.city.days import Day
from loanpulse.city.household_state import HouseholdState

UTILITIES = (("ELECTRICITY", 18_000, 260.0), ("WATER", 5_000, 12.0), ("GAS", 7_000, 25.0), ("TELECOM", 9_900, 30.0))
BILL_DAYS = 15


def keep_house(home: HouseholdState, today: Day) -> None:
    """Issue bills on their day, and pay those that stand out by how tight money is."""
    if today.is_monthly(home.bill_day):
        issue_bills(home, today)
    strain = spending.strain_of(home)
    for bill in home.bills:
        utility, cents, due, told_overdue = bill
        late = today.number - due
        willing = 0.25 if strain < 0.6 else (0.02 if late < 0 else 0.05 * (1.2 - strain))
        if home.balance > cents * 4 and home.dice.chance(willing):
            home.balance -= cents
            home.record_movement("PURCHASE", cents, "TELECOM" if utility == "TELECOM" else "UTILITIES")
            home.record_utility(utility, "BILL_PAID", cents, due, None)
            bill[1] = 0
        elif late == 1 and not told_overdue:
            home.record_utility(utility, "BILL_OVERDUE", cents, due, None)
            bill[3] = True
        elif late == 70 and utility != "TELECOM":
            home.record_utility(utility, "DISCONNECTION_NOTICE", None, None, None)
    home.bills = [bill for bill in home.bills if bill[1] > 0]


def issue_bills(home: HouseholdState, today: Day) -> None:
    """Read the meters and issue the month's bills."""
    days_away = sum(home.profile.is_away(today.number - back) for back in range(30))
    thrift = (1.0 - 0.35 * spending.strain_of(home)) * (1.0 - 0.8 * days_away / 30)
    for utility, cents, usage in UTILITIES:
        season = {"ELECTRICITY": today.cooling, "GAS": today.heating}.get(utility, 1.0)
        used = usage * home.home * season * thrift * home.dice.spread(0.06)
        if utility != "TELECOM":
            home.record_utility(utility, "METER_READ", None, None, round(used, 2))
        owed = cents if utility == "TELECOM" else round(cents * used / usage)
        due = today.number + BILL_DAYS
        home.record_utility(utility, "BILL_ISSUED", owed, due, None)
        home.bills.append([utility, owed, due, False])
