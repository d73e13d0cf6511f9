"""Behaviours of income: a pay that falls well short, and a payday that passes without pay."""

import math

import numpy as np

from loanpulse.schemas.compiled import compiled
from loanpulse.schemas.sources import REPAYMENT, SPENDING, UTILITY
from loanpulse.schemas.units import DAY_MS
from loanpulse.streams.record import pay_cycle
from loanpulse.streams.record.income import full_months, month_income
from loanpulse.streams.record.layout import LONG_AGO, MONTHS, NEVER, PAYS, Integers, Reals, Record
from loanpulse.streams.record.units import day_start_ms, local_day, month_of

FALL = 1
TOLERANCE_DAYS, IRREGULAR_FACTOR, IRREGULAR_LEAST_DAYS = range(1, 4)
PAYS_BEFORE = 6
"""The most pays that the latest is held against."""
FEWEST_BEFORE = 3
SILENT_DAYS, SILENT_GAPS = 10, 10
"""An account's feed is silent after so many days, and so many of the usual gaps between its movements."""


@compiled
def median(amounts: Reals, start: int, end: int) -> float:
    """Return the median of ``amounts[start:end]``, which is not empty.

    Examples:
        >>> median(np.array([3.0, 1.0, 2.0, 9.0]), 0, 3)
        2.0
    """
    ordered = np.empty(end - start)
    for position in range(end - start):
        hole = position
        while hole > 0 and ordered[hole - 1] > amounts[start + position]:
            ordered[hole] = ordered[hole - 1]
            hole -= 1
        ordered[hole] = amounts[start + position]
    half = len(ordered) // 2
    if len(ordered) % 2 == 1:
        return float(ordered[half])
    return float(ordered[half - 1] + ordered[half]) / 2.0


@compiled
def fall_of_pay(days: Integers, amounts: Reals, count: int) -> float:
    """Return by which share the latest pay lies under the median of those before it; NaN with too few."""
    if count <= FEWEST_BEFORE:
        return math.nan
    usual = median(amounts, max(0, count - 1 - PAYS_BEFORE), count - 1)
    fall: float = 1.0 - amounts[count - 1] / usual
    return fall


@compiled
def fall_of_month(record: Record, time_ms: int) -> float:
    """Return by which share the last full month's income lies under the usual of the months before; NaN unknown.

    What varies anyway counts only once it is under the least of those months.
    """
    months = full_months(record, time_ms)
    if months <= FEWEST_BEFORE:
        return math.nan
    last = month_of(time_ms) - 1
    amounts = np.empty(MONTHS)
    for back in range(1, months):
        amounts[back - 1] = month_income(record, last - back)
    latest = month_income(record, last)
    usual = median(amounts, 0, months - 1)
    if usual <= 0.0:
        return math.nan
    return 1.0 - latest / usual if latest < amounts[: months - 1].min() else 0.0


@compiled
def income_shock(record: Record, time_ms: int, parameters: Reals) -> tuple[float, bool]:
    """Return the fall of the latest pay against the usual, and whether it is a shock."""
    days = np.empty(PAYS, np.int64)
    amounts = np.empty(PAYS)
    count, parts = pay_cycle.pays(record, days, amounts)
    cycle = pay_cycle.cycle_of(days, count)
    if cycle == pay_cycle.UNKNOWN:
        return math.nan, False
    if cycle == pay_cycle.IRREGULAR:
        fall = fall_of_month(record, time_ms)
    else:
        if parts and local_day(time_ms) - days[count - 1] < pay_cycle.SAME_PAY_DAYS:
            count -= 1  # the rest of the latest pay may yet come
        fall = fall_of_pay(days, amounts, count)
    return fall, not math.isnan(fall) and fall >= parameters[FALL] - 1e-9


@compiled
def expected_payday(record: Record, parameters: Reals) -> int:
    """Return the last local day on which pay is expected, tolerance apart; -1 while no cycle is learned."""
    days = np.empty(PAYS, np.int64)
    amounts = np.empty(PAYS)
    count, _ = pay_cycle.pays(record, days, amounts)
    cycle = pay_cycle.cycle_of(days, count)
    if cycle == pay_cycle.UNKNOWN:
        return -1
    last = days[count - 1]
    if cycle == pay_cycle.IRREGULAR:
        longest = pay_cycle.longest_gap(days, count)
        silent = max(parameters[IRREGULAR_LEAST_DAYS], parameters[IRREGULAR_FACTOR] * longest)
        expected: int = int(last) + math.ceil(silent)
        return expected
    return int(pay_cycle.next_payday(last, cycle)) + int(parameters[TOLERANCE_DAYS])


@compiled
def stop_at_ms(record: Record, parameters: Reals) -> int:
    """Return when (ms) the expected payday and its tolerance will have passed; ``NEVER`` while none is learned."""
    day = expected_payday(record, parameters)
    return NEVER if day < 0 else day_start_ms(day + 1)


@compiled
def account_unheard(record: Record) -> bool:
    """Return True if the account's feed stopped while another feed went on: then missing pay means nothing.

    If all feeds stopped, the borrower has no activity.
    """
    others = max(record["last_seen"][REPAYMENT], record["last_seen"][UTILITY])
    if others == LONG_AGO:
        return False
    heard = record["last_seen"][SPENDING]
    usual = (heard - record["first_seen"]) / max(1, int(record["spending_events"]))
    return bool(others - heard > max(SILENT_DAYS * DAY_MS, SILENT_GAPS * usual))


@compiled
def income_stopped(record: Record, time_ms: int, parameters: Reals) -> tuple[float, bool]:
    """Return the days since the tolerance for the expected pay ran out (0 before), and whether it has."""
    stop_ms = stop_at_ms(record, parameters)
    if stop_ms == NEVER:
        return math.nan, False
    return max(0.0, (time_ms - stop_ms) / DAY_MS), time_ms >= stop_ms and not account_unheard(record)
