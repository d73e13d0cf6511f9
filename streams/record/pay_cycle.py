"""The pay cycle that a borrower's latest paydays show: weekly, biweekly, monthly or irregular.

The paydays stand in a small ring of the record (``traces.py``); the cycle is a function of what it holds and never
stored, so that it does not depend on the order of arrival.
"""

import numpy as np

from loanpulse.schemas.compiled import compiled
from loanpulse.streams.record.layout import PAYS, Integers, Reals, Record
from loanpulse.streams.record.units import months_later

UNKNOWN, WEEKLY, BIWEEKLY, MONTHLY, IRREGULAR = range(5)
CYCLE_NAMES = ("UNKNOWN", "WEEKLY", "BIWEEKLY", "MONTHLY", "IRREGULAR")
SAME_PAY_DAYS = 2
"""Payments of income so close together are one pay."""
FEWEST_PAYS = 3
REGULAR_SHARE = 0.75
"""The share of the gaps between pays that must fit a cycle: a bonus or a missed pay does not break it."""


@compiled
def pays(record: Record, days: Integers, amounts: Reals) -> tuple[int, bool]:
    """Fill the latest pays, oldest first; returns how many, and whether any was paid in parts on several days.

    Where salary or benefits are known, other income is not pay; where they are not, it is.
    """
    salaried = False
    for slot in range(PAYS):
        salaried = salaried or record["pay_amount"][slot] > 0
    count = 0
    for slot in range(PAYS):
        amount = record["pay_amount"][slot]
        if amount == 0 or (amount < 0) == salaried:
            continue
        position = count
        while position > 0 and days[position - 1] > record["pay_day"][slot]:
            days[position], amounts[position] = days[position - 1], amounts[position - 1]
            position -= 1
        days[position], amounts[position] = int(record["pay_day"][slot]), abs(float(amount))
        count += 1
    merged = 0
    parts = False
    start = 0
    for position in range(count):
        if merged > 0 and days[position] - start <= SAME_PAY_DAYS:
            amounts[merged - 1] += amounts[position]
            days[merged - 1] = days[position]
            parts = True
        else:
            start = days[position]
            days[merged], amounts[merged] = days[position], amounts[position]
            merged += 1
    return merged, parts


@compiled
def fits(days: Integers, count: int, shortest: int, longest: int) -> bool:
    """Tell whether most of the gaps between ``count`` pays are ``shortest`` to ``longest`` days."""
    inside = 0
    for position in range(1, count):
        if shortest <= days[position] - days[position - 1] <= longest:
            inside += 1
    return inside >= REGULAR_SHARE * (count - 1)


@compiled
def cycle_of(days: Integers, count: int) -> int:
    """Return the cycle of ``count`` paydays in ascending order.

    Examples:
        >>> CYCLE_NAMES[cycle_of(np.array([0, 14, 28, 42]), 4)], CYCLE_NAMES[cycle_of(np.array([0, 9, 50]), 3)]
        ('BIWEEKLY', 'IRREGULAR')
    """
    if count < FEWEST_PAYS:
        return UNKNOWN
    if fits(days, count, 5, 9):
        return WEEKLY
    if fits(days, count, 12, 16):
        return BIWEEKLY
    if fits(days, count, 26, 35):
        return MONTHLY
    return IRREGULAR


@compiled
def next_payday(day: int, cycle: int) -> int:
    """Return the payday after the payday ``day`` in a regular cycle.

    Examples:
        >>> int(next_payday(0, WEEKLY)), int(next_payday(0, MONTHLY))
        (7, 31)
    """
    if cycle == WEEKLY:
        return day + 7
    if cycle == BIWEEKLY:
        return day + 14
    return months_later(day, 1)


@compiled
def longest_gap(days: Integers, count: int) -> int:
    """Return the longest gap, in days, between ``count`` pays in ascending order."""
    longest = 0
    for position in range(1, count):
        longest = max(longest, days[position] - days[position - 1])
    return longest


@compiled
def pay_cycle(record: Record) -> int:
    """Return the borrower's pay cycle as learned so far."""
    days = np.empty(PAYS, np.int64)
    amounts = np.empty(PAYS)
    count, _ = pays(record, days, amounts)
    return cycle_of(days, count)
