"""The hidden life events of a household and what they do to it."""

from __future__ import annotations

import math
from bisect import bisect
from dataclasses import dataclass
from itertools import accumulate

from loanpulse.city.days import date_of
from loanpulse.city.dice import Dice
from loanpulse.city.truth import LifeEvent, LifeEventTruth, OnTruth

YEAR_DAYS = 365.0
BENEFITS_AFTER_DAYS = 30
RECOVERY_SHARE = 0.75


@dataclass(frozen=True, slots=True)
class _Course:
    """How likely an adverse event is, how many days it lasts, and what share of the pay is left."""

    weight: float
    days: tuple[int, int]
    pay: tuple[float, float]


_COURSES = {
    LifeEvent.JOB_LOSS: _Course(0.28, (60, 210), (0.0, 0.0)),
    LifeEvent.CUT_PAY: _Course(0.24, (90, 270), (0.4, 0.7)),
    LifeEvent.ILLNESS: _Course(0.18, (30, 120), (0.25, 0.65)),
    LifeEvent.OVER_BORROWING: _Course(0.18, (60, 150), (1.0, 1.0)),
    LifeEvent.PURPOSE_FRAUD: _Course(0.12, (60, 150), (1.0, 1.0)),
}
_KINDS = tuple(_COURSES)
_ODDS = tuple(accumulate(course.weight for course in _COURSES.values()))


class Life:
    """The course of one household's life: at most one event at a time, drawn as the days pass."""

    __slots__ = ("_borrower_id", "_dice", "_next", "_rate", "_tell", "ends", "event", "pay", "pay_level", "starts")

    def __init__(self, borrower_id: str, dice: Dice, today: int, yearly_rate: float, tell: OnTruth) -> None:
        self._borrower_id = borrower_id
        self._dice = dice
        self._rate = yearly_rate / YEAR_DAYS
        self._tell = tell
        self._next = today + dice.days_until(self._rate)
        self.event: LifeEvent | None = None
        self.starts = 0
        self.ends = 0
        self.pay = 1.0
        self.pay_level = 1.0

    def turn(self, today: int) -> bool:
        """Live on to the day `today`; tells whether an event began."""
        if self.event is None:
            if today >= self._next:
                return self._begin(today)
        elif today > self.ends:
            return self._end(today)
        return False

    @property
    def income(self) -> float:
        """The share of the first pay that is earned now."""
        return self.pay * self.pay_level

    def gets_benefits(self, today: int) -> bool:
        """Whether the household lives on unemployment benefits."""
        return self.event is LifeEvent.JOB_LOSS and today - self.starts > BENEFITS_AFTER_DAYS

    def days_in(self, today: int) -> int:
        """Days since the present event began."""
        return today - self.starts

    def _begin(self, today: int) -> bool:
        kind = _KINDS[bisect(_ODDS, self._dice.between(0.0, _ODDS[-1]))]
        course = _COURSES[kind]
        self.pay = self._dice.between(*course.pay)
        self._happen(kind, today, self._dice.whole(*course.days))
        return True

    def _end(self, today: int) -> bool:
        ended = self.event
        self.pay = 1.0
        if ended is LifeEvent.JOB_LOSS:
            self.pay_level = self._dice.between(0.8, 1.05)
        if ended is LifeEvent.RECOVERY or (ended is not LifeEvent.JOB_LOSS and not self._dice.chance(RECOVERY_SHARE)):
            self.event = None
            self._next = math.floor(today + self._dice.days_until(self._rate)) if self._rate > 0.0 else math.inf
            return False
        self._happen(LifeEvent.RECOVERY, today, self._dice.whole(45, 120))
        return True

    def _happen(self, event: LifeEvent, today: int, days: int) -> None:
        self.event, self.starts, self.ends = event, today, today + days - 1
        self._tell(LifeEventTruth(self._borrower_id, event, date_of(self.starts), date_of(self.ends)))
