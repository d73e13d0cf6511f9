"""What is particular to a household beside its money: where it lives, who tells of it, when it is away."""

from __future__ import annotations

from dataclasses import dataclass

from loanpulse.city.dice import Dice
from loanpulse.schemas.topics import REPAYMENT_EVENTS, SPENDING_EVENTS, UTILITY_EVENTS

PROFILE_PATH = 2
"""Keeps these dice apart from those of the household's life."""
DISTRICTS = ("500103", "500105", "500106", "500107", "500108", "500112", "500113")
"""Districts of Chongqing as GB/T 2260 codes."""
WITHOUT_ACCOUNT, WITHOUT_UTILITIES = 0.06, 0.10
"""The shares of households of whom no bank or no utility tells anything."""
OUTAGE = 0.08
"""The share of households whose account is silent for some weeks, though life goes on."""
HOLIDAY_DAYS = 12


@dataclass(frozen=True, slots=True)
class HouseholdProfile:
    """A household's own; days are numbers of local days.

    ``sources`` are the topics on which anything is told of it; its account is silent from ``silent_from`` to
    ``silent_until``. It is away for ``HOLIDAY_DAYS`` from ``holiday``, every year.
    """

    region: str
    sources: frozenset[str]
    silent_from: int
    silent_until: int
    holiday: int

    def is_told(self, topic: str, day: int) -> bool:
        """Whether what happens on a day is told on a topic."""
        if topic not in self.sources:
            return False
        return topic != SPENDING_EVENTS or not self.silent_from <= day < self.silent_until

    def is_away(self, day: int) -> bool:
        """Whether nobody is at home on a day."""
        return 0 <= (day - self.holiday) % 365 < HOLIDAY_DAYS


def draw(seed: int, number: int, first_day: int) -> HouseholdProfile:
    """The profile of the household ``number``, the same for the same seed."""
    dice = Dice(seed, number, PROFILE_PATH)
    sources = {REPAYMENT_EVENTS, SPENDING_EVENTS, UTILITY_EVENTS}
    if dice.chance(WITHOUT_ACCOUNT):
        sources.discard(SPENDING_EVENTS)
    if dice.chance(WITHOUT_UTILITIES):
        sources.discard(UTILITY_EVENTS)
    region, holiday = dice.pick(DISTRICTS), first_day + dice.whole(30, 394)
    silent_from = first_day + dice.whole(60, 300) if dice.chance(OUTAGE) else 0
    return HouseholdProfile(
        region, frozenset(sources), silent_from, silent_from + dice.whole(21, 50) if silent_from else 0, holiday
    )
