"""The city: its households day by day, and how their events come to be published: in time, late, twice or broken."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from loanpulse.city.days import day_number, make_day
from loanpulse.city.dice import Dice
from loanpulse.city.household import Household
from loanpulse.city.household_state import Record
from loanpulse.city.plan import CityPlan
from loanpulse.city.published import BYTE_FLAWS, Flaw, Published
from loanpulse.city.truth import OnTruth, ignore
from loanpulse.schemas.units import DAY_MS, HOUR_MS, MINUTE_MS

PUBLISHING_PATH = 1
"""Keeps the dice of publishing apart from those of the households' lives."""
FIRST_NUMBER = 1


class City:
    """A simulated city; ``on_truth`` is told the life events and defaults as they happen."""

    def __init__(self, plan: CityPlan, on_truth: OnTruth = ignore) -> None:
        self.plan = plan
        self._first = day_number(plan.start)
        self._households = [
            Household(plan, FIRST_NUMBER + number, self._first, on_truth) for number in range(plan.borrowers)
        ]
        self._dice = [Dice(plan.seed, FIRST_NUMBER + number, PUBLISHING_PATH) for number in range(plan.borrowers)]
        self._order = itertools.count()

    def events(self) -> Iterator[Published]:
        """Yield what is published, in that order; without end where the plan has none."""
        waiting: list[tuple[int, int, Published]] = []
        for number in itertools.count(self._first):
            today = make_day(number)
            if self.plan.end is not None and today.date > (self.plan.end + timedelta(hours=8)).date():
                break
            for household, dice in zip(self._households, self._dice, strict=True):
                for record in household.day(today):
                    if record[0] >= self.plan.start_ms:
                        for published in self._publish(record, household.id, dice):
                            heapq.heappush(waiting, (published.at_ms, next(self._order), published))
            yield from self._until(waiting, today.midnight_ms + DAY_MS)
        yield from self._until(waiting, None)

    def _until(self, waiting: list[tuple[int, int, Published]], until_ms: int | None) -> Iterator[Published]:
        end = None if self.plan.end is None else round(self.plan.end.timestamp() * 1000)
        while waiting and (until_ms is None or waiting[0][0] < until_ms):
            at_ms, _, published = heapq.heappop(waiting)
            if end is not None and at_ms >= end:
                return
            yield published

    def _publish(self, record: Record, key: str, dice: Dice) -> Iterator[Published]:
        happened, topic, value = record
        plan, roll = self.plan, dice.roll()
        delay = dice.between(500, 4_000)
        if roll < plan.late_share:
            delay += dice.between(2 * HOUR_MS, 3 * DAY_MS)
        elif roll < plan.late_share + plan.too_late_share:
            delay += dice.between(8 * DAY_MS, 20 * DAY_MS)
        elif roll < plan.late_share + plan.too_late_share + plan.shuffle_share:
            delay += dice.between(2 * MINUTE_MS, 40 * MINUTE_MS)
        at_ms = happened + int(delay)
        yield Published(at_ms, topic, key, value)
        if dice.chance(plan.duplicate_share):
            yield Published(at_ms + int(dice.between(0, 10 * MINUTE_MS)), topic, key, value)
        if dice.chance(plan.malformed_share):
            yield _broken(Published(at_ms, topic, key, value), dice)


def _broken(whole: Published, dice: Dice) -> Published:
    """Return a copy with one flaw, under an event id of its own so that it is no duplicate."""
    value: dict[str, Any] = {**(whole.value or {})}
    value["event_id"] = value["event_id"][:-2] + ("00" if value["event_id"][-2:] != "00" else "01")
    flaw = dice.pick(tuple(Flaw))
    if flaw in BYTE_FLAWS:
        raw = {
            Flaw.BAD_MAGIC: b'{"borrower": 1}',
            Flaw.UNKNOWN_SCHEMA: b"\x00\x00\x00\x00\x07 no such schema",
            Flaw.UNDECODABLE: b"",
        }[flaw]
        return Published(whole.at_ms, whole.topic, whole.key, None, raw, flaw)
    key = whole.key
    if flaw is Flaw.AMOUNT_MISSING and value.get("amount") is not None:
        value["amount"] = None
        if whole.topic == "repayment-events":
            value["kind"] = "PAID"
    elif flaw is Flaw.AMOUNT_NEGATIVE and value.get("amount"):
        value["amount"] = -value["amount"]
    elif flaw is Flaw.OTHER_CURRENCY:
        value["currency"] = "XTS"
    elif flaw is Flaw.TIME_IN_FUTURE:
        value["event_time"] += timedelta(days=36_500)
    else:
        flaw, key = Flaw.WRONG_KEY, key + "-other"
    return Published(whole.at_ms, whole.topic, key, value, None, flaw)
