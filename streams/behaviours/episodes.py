"""A behaviour's episodes: opened once when its condition comes to hold, closed when it has not held for a while."""

import math

from loanpulse.schemas.compiled import compiled
from loanpulse.schemas.units import DAY_MS
from loanpulse.streams.behaviours.borrowing import borrow_to_repay, cash_advance_reliance, multi_lender_surge
from loanpulse.streams.behaviours.cash import cash_drain
from loanpulse.streams.behaviours.catalogue import (
    BORROW_TO_REPAY,
    CASH_ADVANCE_RELIANCE,
    CASH_DRAIN,
    CLEAR_DAYS,
    COUNT,
    DISTRESS_SPENDING,
    INCOME_SHOCK,
    INCOME_STOPPED,
    INSTALMENT_MISSED,
    MULTI_LENDER_SURGE,
    PARTIAL_PAYMENT_STREAK,
    PURPOSE_DEVIATION,
    USAGE_COLLAPSE,
    UTILITY_LATE_STREAK,
)
from loanpulse.streams.behaviours.household import (
    distress_spending,
    next_late_ms,
    usage_collapse,
    utility_late_streak,
)
from loanpulse.streams.behaviours.income import income_shock, income_stopped, stop_at_ms
from loanpulse.streams.behaviours.purpose import purpose_deviation
from loanpulse.streams.behaviours.repayment import instalment_missed, partial_payment_streak
from loanpulse.streams.record.layout import NEVER, Reals, Record

CLEAR_CYCLE = 255
"""Days of clearing are kept modulo this, in a byte; the catalogue allows fewer."""
COMPOUNDED = (1 << UTILITY_LATE_STREAK) | (1 << DISTRESS_SPENDING)
"""Behaviours that together count as one level worse."""


@compiled
def read_behaviours(
    record: Record, time_ms: int, deviation: float, grace_ms: int, parameters: Reals, values: Reals
) -> int:
    """Fill what each behaviour measures at ``time_ms``, NaN where it is not known; returns the bits of those that hold.

    ``deviation`` is the scenario dimension's share of proceeds off purpose, ``grace_ms`` that of a missed instalment.
    """
    holds = 0
    values[MULTI_LENDER_SURGE], found = multi_lender_surge(record, time_ms, parameters[MULTI_LENDER_SURGE])
    holds |= int(found) << MULTI_LENDER_SURGE
    values[BORROW_TO_REPAY], found = borrow_to_repay(record, time_ms, parameters[BORROW_TO_REPAY])
    holds |= int(found) << BORROW_TO_REPAY
    values[PURPOSE_DEVIATION], found = purpose_deviation(deviation, parameters[PURPOSE_DEVIATION])
    holds |= int(found) << PURPOSE_DEVIATION
    values[INCOME_SHOCK], found = income_shock(record, time_ms, parameters[INCOME_SHOCK])
    holds |= int(found) << INCOME_SHOCK
    values[INCOME_STOPPED], found = income_stopped(record, time_ms, parameters[INCOME_STOPPED])
    holds |= int(found) << INCOME_STOPPED
    values[INSTALMENT_MISSED], found = instalment_missed(record, time_ms, grace_ms)
    holds |= int(found) << INSTALMENT_MISSED
    values[PARTIAL_PAYMENT_STREAK], found = partial_payment_streak(record, time_ms, parameters[PARTIAL_PAYMENT_STREAK])
    holds |= int(found) << PARTIAL_PAYMENT_STREAK
    values[UTILITY_LATE_STREAK], found = utility_late_streak(record, time_ms, parameters[UTILITY_LATE_STREAK])
    holds |= int(found) << UTILITY_LATE_STREAK
    values[USAGE_COLLAPSE], found = usage_collapse(record, time_ms, parameters[USAGE_COLLAPSE])
    holds |= int(found) << USAGE_COLLAPSE
    values[CASH_DRAIN], found = cash_drain(record, time_ms, parameters[CASH_DRAIN])
    holds |= int(found) << CASH_DRAIN
    values[CASH_ADVANCE_RELIANCE], found = cash_advance_reliance(record, time_ms, parameters[CASH_ADVANCE_RELIANCE])
    holds |= int(found) << CASH_ADVANCE_RELIANCE
    values[DISTRESS_SPENDING], found = distress_spending(record, time_ms, parameters[DISTRESS_SPENDING])
    holds |= int(found) << DISTRESS_SPENDING
    return holds


@compiled
def days_clear(record: Record, behaviour: int, today: int) -> int:
    """Return for how many days an open behaviour's condition has been false; it must be clearing."""
    return (today - (int(record["clear_day"][behaviour]) - 1)) % CLEAR_CYCLE


@compiled
def update_episodes(record: Record, time_ms: int, holds: int, parameters: Reals) -> int:
    """Open and close the record's episodes by what holds at ``time_ms``; returns the bits of those opened now.

    An episode ends only when its condition has been false for the behaviour's days of clearing.
    """
    before = int(record["behaviours"])
    now = before
    today = time_ms // DAY_MS
    for behaviour in range(COUNT):
        bit = 1 << behaviour
        if holds & bit:
            now |= bit
            record["clear_day"][behaviour] = 0
        elif before & bit:
            if record["clear_day"][behaviour] == 0:
                record["clear_day"][behaviour] = today % CLEAR_CYCLE + 1
            if days_clear(record, behaviour, today) >= parameters[behaviour][CLEAR_DAYS]:
                now &= ~bit
                record["clear_day"][behaviour] = 0
    record["behaviours"] = now
    return now & ~before


@compiled
def compounded(behaviours: int) -> bool:
    """Tell whether late utility bills and spending in distress stand together: that counts as one level worse.

    Examples:
        >>> compounded(1 << UTILITY_LATE_STREAK), compounded(1 << UTILITY_LATE_STREAK | 1 << DISTRESS_SPENDING)
        (False, True)
    """
    return behaviours & COMPOUNDED == COMPOUNDED


@compiled
def next_change_ms(record: Record, time_ms: int, parameters: Reals) -> int:
    """Return when (ms) time alone next moves an episode: pay that fails to come, a bill turning late, a clearing."""
    next_ms = NEVER
    stops = stop_at_ms(record, parameters[INCOME_STOPPED])
    if stops > time_ms:
        next_ms = min(next_ms, stops)
    next_ms = min(next_ms, next_late_ms(record, time_ms, parameters[UTILITY_LATE_STREAK]))
    for behaviour in range(COUNT):
        if record["clear_day"][behaviour] != 0:
            today = time_ms // DAY_MS
            days = math.ceil(parameters[behaviour][CLEAR_DAYS])
            clears = (today - days_clear(record, behaviour, today) + days) * DAY_MS
            if clears > time_ms:
                next_ms = min(next_ms, clears)
    return next_ms
