"""Calibrating the forecast of the days to shortfall, online and for each borrower alone: adaptive conformal inference.

The forecast is a distribution (``shortfall.py``). Its published quantiles 10 and 90 are read at two levels that adapt:
every 45 days a forecast that sees a shortfall within the horizon is pinned in the record, and once its outcome is
known, each level moves by a small step against the side on which the outcome lay outside the interval (Gibbs and
Candès, "Adaptive Conformal Inference Under Distribution Shift", 2021). In the long run four outcomes of five lie
inside.

The levels don't start at 0.1 and 0.9, because payments fall due on few days and many shortfalls lie beyond the
horizon: such an interval would hold far more than four of five. The first due date at risk is often the next one, so
more of the remaining fifth is meant to lie after the interval than before it. The starting levels were fitted to
simulated cities. The state is part of the borrower's record, so that a restart or a replay continues with the same
numbers.
"""

import math

from loanpulse.schemas.compiled import compiled
from loanpulse.streams.forecast.shortfall import HORIZON_DAYS, day_of_chance
from loanpulse.streams.record.layout import PINS, Reals, Record
from loanpulse.streams.record.units import local_day

START_LOW, START_HIGH = 0.30, 0.59
"""The levels of the first and the last quantile for a borrower of whom no outcome is known."""
MISSED_LOW, MISSED_HIGH = 0.07, 0.13
"""The share of outcomes that is to lie before the interval, and after it."""
GAIN = 0.02
LEAST_LEVEL, MOST_LEVEL = 0.005, 0.995
MEDIAN = 0.5
PIN_DAYS = 45
NO_PIN = 255
LOW, HIGH = 0, 1


@compiled
def low_level(record: Record) -> float:
    """Return the level at which the first quantile is read."""
    return min(MEDIAN, max(LEAST_LEVEL, START_LOW + float(record["level_shift"][LOW])))


@compiled
def high_level(record: Record) -> float:
    """Return the level at which the last quantile is read."""
    return max(MEDIAN, min(MOST_LEVEL, START_HIGH + float(record["level_shift"][HIGH])))


@compiled
def read_quantiles(record: Record, chances: Reals, days: Reals) -> None:
    """Fill the days of the quantiles 10, 50 and 90 from the chances of a shortfall by each day."""
    days[0] = day_of_chance(chances, low_level(record))
    days[1] = day_of_chance(chances, MEDIAN)
    days[2] = day_of_chance(chances, high_level(record))


@compiled
def expected_day(chances: Reals) -> float:
    """Return the expected day of shortfall; what comes after the horizon counts as its last day."""
    expected = 0.0
    for day in range(HORIZON_DAYS):
        expected += 1.0 - chances[day]
    return expected


@compiled
def learn_outcome(record: Record, slot: int, missed_low: float, missed_high: float) -> None:
    """Move the levels by a pinned forecast's outcome, and free its slot."""
    low = float(record["level_shift"][LOW]) + GAIN * (MISSED_LOW - missed_low)
    high = float(record["level_shift"][HIGH]) - GAIN * (MISSED_HIGH - missed_high)
    record["level_shift"][LOW] = min(MEDIAN - START_LOW, max(LEAST_LEVEL - START_LOW, low))
    record["level_shift"][HIGH] = max(MEDIAN - START_HIGH, min(MOST_LEVEL - START_HIGH, high))
    record["pin_low"][slot] = NO_PIN


@compiled
def settle_pins(record: Record, time_ms: int, unmet_day: int) -> None:
    """Learn from the pinned forecasts whose outcome is known at ``time_ms``.

    ``unmet_day`` is the due day that the balance could not meet, -1 where it meets all that has fallen due.
    """
    today = local_day(time_ms)
    for slot in range(PINS):
        low, high = int(record["pin_low"][slot]), int(record["pin_high"][slot])
        pinned = int(record["pin_day"][slot])
        if pinned == 0 or low == NO_PIN:
            continue
        if unmet_day >= 0:
            after = max(0, unmet_day - pinned)
            learn_outcome(record, slot, 1.0 if after < low else 0.0, 1.0 if after > high else 0.0)
        elif high < HORIZON_DAYS and today - pinned > high + 1:
            learn_outcome(record, slot, 0.0, 1.0)
        elif today - pinned > HORIZON_DAYS:
            learn_outcome(record, slot, 0.0, 0.0)


@compiled
def pin(record: Record, time_ms: int, days: Reals) -> None:
    """Pin the forecast whose quantiles are ``days``, if it is time for one and it sees a shortfall ahead."""
    today = local_day(time_ms)
    slot = today // PIN_DAYS % PINS
    if today // PIN_DAYS == int(record["pin_day"][slot]) // PIN_DAYS or math.isnan(days[0]):
        return
    record["pin_day"][slot] = today
    record["pin_low"][slot] = int(days[0]) if days[0] < HORIZON_DAYS else NO_PIN
    record["pin_high"][slot] = int(days[2])


@compiled
def learn_ahead(record: Record, time_ms: int, unmet_day: int, days: Reals) -> None:
    """Learn from the forecasts whose outcome is known at ``time_ms``, and pin the one whose quantiles are ``days``."""
    settle_pins(record, time_ms, unmet_day)
    if unmet_day < 0:
        pin(record, time_ms, days)
