"""Money out: rent, what a month's habits allow, shopping, and what tight money does to it."""

from __future__ import annotations

from loanpulse.city.days import Day
from loanpulse.city.household_state import HouseholdState
from loanpulse.city.truth import LifeEvent

EVERYDAY = (
    "GROCERIES",
    "GROCERIES",
    "GROCERIES",
    "DINING",
    "DINING",
    "TRANSPORT",
    "CLOTHING",
    "ENTERTAINMENT",
    "HEALTH",
)
HARD_TIMES = ("DISCOUNT_STORES", "DISCOUNT_STORES", "DISCOUNT_STORES", "GROCERIES", "TRANSPORT")
USUAL_CENTS = {
    "GROCERIES": 6_500, "DINING": 7_000, "TRANSPORT": 2_500, "CLOTHING": 18_000, "ENTERTAINMENT": 9_000,
    "HEALTH": 12_000, "TRAVEL": 22_000, "DISCOUNT_STORES": 3_500, "GAMBLING": 25_000, "PAWN": 40_000,
}  # fmt: skip
BASKETS_CENTS = 708_000
"""What a month's shopping costs at the usual prices above."""
BILLS_CENTS = 39_900
LEAST_BUDGET = 0.3
"""The least that a household spends freely, of its usual pay."""
CUSHION_DAYS = 4
"""So many days' costs a household wants to have left when pay comes."""


def strain_of(home: HouseholdState) -> float:
    """How tight money is, 0 (ease) to 1: the balance against the costs until the next pay, and what is overdue."""
    needed = monthly_cost(home) * (home.days_to_next_pay + CUSHION_DAYS) / 30.0
    short = 1.0 - home.balance / needed
    overdue = 0.4 if any(loan.unpaid and loan.missed for loan in home.loans if loan.is_open) else 0.0
    return min(1.0, max(0.0, short + overdue))


def monthly_cost(home: HouseholdState) -> float:
    """Return a month's costs (cents): rent, habits, bills and instalments."""
    owed = sum(loan.instalment for loan in home.loans if loan.is_open)
    return home.rent + home.budget + BILLS_CENTS * home.home + owed


def plan_month(home: HouseholdState) -> None:
    """Set what is spent freely in a month: by habit, out of the usual pay less what is fixed, never too little.

    A loss of pay changes it slowly, by strain alone: habits outlast the money.
    """
    owed = sum(loan.instalment for loan in home.loans if loan.is_open and loan.purpose != "DAILY_LIFE")
    left = home.income - home.rent - BILLS_CENTS * home.home - owed
    home.budget = home.thrift * max(LEAST_BUDGET * home.income, left)


def pay_rent(home: HouseholdState, today: Day) -> None:
    """Pay the rent on its day, where the balance allows."""
    if today.is_monthly(home.rent_day) and home.balance >= home.rent:
        home.balance -= home.rent
        home.record_movement("TRANSFER_OUT", home.rent, "HOUSING")


def buy(home: HouseholdState, category: str, cents: int, loan_id: str | None = None) -> None:
    """Buy something, for at most the balance."""
    cents = min(cents, home.balance)
    if cents >= 100:
        home.balance -= cents
        home.record_movement("PURCHASE", cents, category, loan_id)


def spend_at_night(home: HouseholdState, today: Day) -> None:
    """Spend at night, which tight money makes likelier."""
    strain = strain_of(home)
    if strain > 0.5 and home.dice.chance(0.12 * strain):
        home.tick(120)
        buy(home, home.dice.pick(("GAMBLING", "DINING", "PAWN")), round(15_000 * home.dice.spread(0.6)))


def shop(home: HouseholdState, today: Day) -> None:
    """Do the day's shopping."""
    strain = strain_of(home)
    willing = today.spending * home.budget / BASKETS_CENTS * (1.0 - 0.4 * strain)
    if home.life_event is LifeEvent.ILLNESS and home.dice.chance(0.25):
        buy(home, "HEALTH", round(60_000 * home.severity * home.dice.spread(0.5)))
    away = home.profile.is_away(today.number) and strain < 0.4
    for _ in range(home.dice.whole(1, 4)):
        home.tick(100)
        category = home.dice.pick(HARD_TIMES if home.dice.chance(strain * 0.8) else EVERYDAY)
        if away:
            category = "DINING" if category in ("GROCERIES", "DINING") else "TRAVEL"
        buy(home, category, round(USUAL_CENTS[category] * willing * home.dice.spread(0.5)))
    if home.life_event is LifeEvent.OVER_BORROWING and home.dice.chance(0.12):
        buy(
            home,
            home.dice.pick(("LUXURY", "TRAVEL", "ELECTRONICS")),
            round(home.income * 0.15 * home.dice.spread(0.4)),
        )
    if home.dice.chance(0.03):
        cash = min(home.balance, round(30_000 * home.dice.spread(0.4)))
        if cash > 1_000:
            home.balance -= cash
            home.record_movement("CASH_WITHDRAWAL", cash, "CASH")
