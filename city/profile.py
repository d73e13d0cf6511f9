"""Who a household is: what it earns and when, where it lives, what it buys, how it is with money."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from itertools import accumulate

from loanpulse.city.dice import Dice
from loanpulse.schemas.contracts import SpendingCategory as Category


class PayCycle(Enum):
    """How often pay comes."""

    WEEKLY = "weekly"
    BIWEEKLY = "biweekly"
    MONTHLY = "monthly"
    IRREGULAR = "irregular"


@dataclass(frozen=True, slots=True)
class Habits:
    """What a kind of household buys: categories, how often each (cumulative, last is 1) and how large (mean 1)."""

    categories: tuple[Category, ...]
    often: tuple[float, ...]
    size: tuple[float, ...]
    purchases_a_day: float


_COMMON: dict[Category, tuple[float, float]] = {
    Category.GROCERIES: (30, 1.0),
    Category.DINING: (20, 0.6),
    Category.TRANSPORT: (13, 0.2),
    Category.DISCOUNT_STORES: (3, 0.5),
    Category.CASH: (3, 3.0),
    Category.HEALTH: (2, 1.5),
    Category.CLOTHING: (3, 2.0),
    Category.ELECTRONICS: (0.8, 6.0),
    Category.ENTERTAINMENT: (5, 0.8),
    Category.HOME_IMPROVEMENT: (0.8, 3.0),
    Category.TRAVEL: (0.7, 6.0),
    Category.EDUCATION: (1, 3.0),
    Category.INSURANCE: (0.5, 4.0),
    Category.LUXURY: (0.3, 6.0),
    Category.GAMBLING: (0.2, 0.6),
    Category.OTHER: (4, 1.0),
}
"""Of each category how often (relative) and how large (relative) a purchase is."""


def _habits(purchases_a_day: float, changes: dict[Category, tuple[float, float]]) -> Habits:
    table = {**_COMMON, **changes}
    total = sum(often for often, _ in table.values())
    mean = sum(often * size for often, size in table.values()) / total
    return Habits(
        tuple(table),
        tuple(accumulate(often / total for often, _ in table.values())),
        tuple(size / mean for _, size in table.values()),
        purchases_a_day,
    )


HABITS = (
    _habits(1.9, {}),
    _habits(2.2, {Category.FUEL: (5, 2.2), Category.VEHICLE: (0.6, 5.0), Category.TRANSPORT: (4, 0.2)}),
    _habits(2.1, {Category.EDUCATION: (4, 3.0), Category.GROCERIES: (38, 1.1), Category.CLOTHING: (5, 1.5)}),
    _habits(2.3, {Category.DINING: (34, 0.5), Category.ENTERTAINMENT: (11, 0.8), Category.GROCERIES: (16, 0.8)}),
    _habits(1.5, {Category.HEALTH: (7, 1.5), Category.CASH: (8, 3.0), Category.DINING: (7, 0.6)}),
)
"""A plain household, one with a car, a family, a young single, an older couple."""


@dataclass(frozen=True, slots=True)
class Profile:
    """A household's lasting traits. Money is in cents, days of the month are 1..28, probabilities 0..1.

    `buffer` is the cash that the household likes to hold, `cash` what it holds at first, `card_limit` what it may
    draw in cash advances. `borrows` is how readily it repays loans with new ones, `candid` how readily it asks its
    lender for time, `early_days` how long before a due date it pays.
    """

    pay_cycle: PayCycle
    monthly_pay: int
    pay_day: int
    pay_phase: int
    rent: int
    rent_day: int
    habits: Habits
    cash: int
    buffer: int
    card_limit: int
    card_day: int
    borrows: float
    candid: float
    early_days: int
    bonus: bool
    shows_balance: bool
    night_share: float
    thrift: float
    bank: str


_CYCLES = (PayCycle.WEEKLY,) * 2 + (PayCycle.BIWEEKLY,) * 3 + (PayCycle.MONTHLY,) * 11 + (PayCycle.IRREGULAR,) * 4
_PAY_DAYS = (5, 8, 10, 10, 15, 15, 20, 25, 28)
_BANKS = ("bank-one", "bank-two", "bank-three", "wallet-one")
_MEDIAN_PAY = 620_000


def draw_profile(dice: Dice) -> Profile:
    """A household as the city has them."""
    cycle = dice.pick(_CYCLES)
    pay = min(4_000_000, max(280_000, round(_MEDIAN_PAY * dice.spread(0.45))))
    buffer = round(pay * min(9.0, max(0.35, 1.6 * dice.spread(0.7))))
    return Profile(
        pay_cycle=cycle,
        monthly_pay=pay,
        pay_day=dice.pick(_PAY_DAYS),
        pay_phase=dice.whole(0, 13),
        rent=round(pay * dice.between(0.15, 0.28)) if dice.chance(0.6) else 0,
        rent_day=dice.whole(1, 28),
        habits=dice.pick(HABITS),
        cash=round(buffer * dice.between(0.6, 1.1)),
        buffer=buffer,
        card_limit=round(pay * dice.between(0.3, 1.4)),
        card_day=dice.whole(1, 28),
        borrows=dice.between(0.02, 0.45),
        candid=dice.roll(),
        early_days=dice.whole(0, 6),
        bonus=cycle is PayCycle.MONTHLY and dice.chance(0.25),
        shows_balance=dice.chance(0.85),
        night_share=dice.between(0.003, 0.03),
        thrift=dice.between(0.86, 1.0),
        bank=dice.pick(_BANKS),
    )
