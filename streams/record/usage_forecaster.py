"""A forecaster of a household's usage per utility: simple exponential smoothing whose numbers live in the record.

It is River's ``HoltWinters(alpha=ALPHA)`` without trend and season over usage a day, beside an ``EWMean`` of its
squared errors. It must learn in the order of event time: readings wait in the record until the allowed lateness has
passed (``settle``); until then ``latest`` looks at them as if they had been learned.
"""

import math

import numpy as np

from loanpulse.schemas.compiled import compiled
from loanpulse.schemas.units import DAY_MS
from loanpulse.streams.record.layout import UTILITIES, WAITING_READINGS, Record

ALPHA = 0.3
"""Smoothing of the level, and the weight of the newest squared error."""
PERIOD_DAYS = 7
"""Readings closer than this are learned together, so that a smart meter's days don't teach it a fall in a week."""
LEARNED_AT_LEAST = 2
"""Periods before there is a forecast, as in River's class."""


@compiled
def wait(record: Record, utility: int, day: int, amount: float) -> None:
    """Let a reading wait for earlier ones; a full waiting room learns its oldest reading at once."""
    free = -1
    oldest = 0
    for slot in range(WAITING_READINGS):
        if record["reading_utility"][slot] == 0:
            if free < 0:
                free = slot
        elif record["reading_utility"][slot] == utility + 1 and record["reading_day"][slot] == day:
            record["reading_amount"][slot] += amount
            return
        if record["reading_day"][slot] < record["reading_day"][oldest]:
            oldest = slot
    if free < 0:
        free = oldest
        learn_waiting(record, free)
    record["reading_utility"][free] = utility + 1
    record["reading_day"][free] = day
    record["reading_amount"][free] = amount


@compiled
def smoothed(level: float, rate: float, readings: int) -> float:
    """Return the forecaster's level after ``rate``: the mean of its first two, then exponential smoothing.

    Examples:
        >>> smoothed(0.0, 10.0, 0), smoothed(10.0, 20.0, 1), round(smoothed(15.0, 25.0, 2), 6)
        (10.0, 15.0, 18.0)
    """
    if readings == 0:
        return rate
    if readings == 1:
        return (level + rate) / 2.0
    return ALPHA * rate + (1.0 - ALPHA) * level


@compiled
def error_after(error: float, squared: float, readings: int) -> float:
    """Return the exponentially weighted mean of squared errors after one more."""
    if readings == LEARNED_AT_LEAST:
        return squared
    return ALPHA * squared + (1.0 - ALPHA) * error


@compiled
def learn(record: Record, utility: int, day: int, amount: float) -> None:
    """Teach a utility's forecaster what was used up to ``day``; the first reading only says where counting begins."""
    if record["usage_day"][utility] == 0:
        record["usage_day"][utility] = day
        return
    record["usage_sum"][utility] += amount
    days = day - int(record["usage_day"][utility])
    if days < PERIOD_DAYS:
        return
    rate = record["usage_sum"][utility] / days
    readings = int(record["usage_readings"][utility])
    level = record["usage_level"][utility]
    if readings >= LEARNED_AT_LEAST:
        record["usage_forecast"][utility] = level
        record["usage_rate"][utility] = rate
        record["usage_error"][utility] = error_after(
            record["usage_error"][utility], (rate - level) * (rate - level), readings
        )
    record["usage_level"][utility] = smoothed(level, rate, readings)
    record["usage_readings"][utility] = min(255, readings + 1)
    record["usage_day"][utility] = day
    record["usage_sum"][utility] = 0.0


@compiled
def learn_waiting(record: Record, slot: int) -> None:
    """Learn the reading in ``slot`` and free its slot."""
    utility = int(record["reading_utility"][slot]) - 1
    learn(record, utility, int(record["reading_day"][slot]), record["reading_amount"][slot])
    record["reading_utility"][slot] = 0
    record["reading_day"][slot] = 0
    record["reading_amount"][slot] = 0.0


@compiled
def next_waiting(record: Record, utility: int, after: int) -> int:
    """Return the slot of the earliest reading of a utility after the day ``after``, -1 where there is none."""
    found = -1
    for slot in range(WAITING_READINGS):
        if record["reading_utility"][slot] != utility + 1 or record["reading_day"][slot] <= after:
            continue
        if found < 0 or record["reading_day"][slot] < record["reading_day"][found]:
            found = slot
    return found


@compiled
def settle(record: Record, time_ms: int) -> None:
    """Learn, in order, the readings of the days that were over at ``time_ms``: no earlier ones can follow."""
    for utility in range(UTILITIES):
        slot = next_waiting(record, utility, -1)
        while slot >= 0 and (int(record["reading_day"][slot]) + 1) * DAY_MS <= time_ms:
            learn_waiting(record, slot)
            slot = next_waiting(record, utility, -1)


@compiled
def latest(record: Record, utility: int) -> tuple[float, float, float, int]:
    """Return what was used a day in the newest period, its forecast, the deviation of errors before it, the periods.

    Readings that wait are looked at as if learned. NaN where there is no forecast, or no error, yet.
    """
    level = record["usage_level"][utility]
    error = record["usage_error"][utility]
    total = record["usage_sum"][utility]
    begun = int(record["usage_day"][utility])
    readings = int(record["usage_readings"][utility])
    rate = math.nan
    forecast = math.nan
    before = math.nan
    if readings > LEARNED_AT_LEAST:
        rate = np.float64(record["usage_rate"][utility])
        forecast = np.float64(record["usage_forecast"][utility])
        if readings > LEARNED_AT_LEAST + 1:
            before = max(0.0, (error - ALPHA * (rate - forecast) * (rate - forecast)) / (1.0 - ALPHA))
    slot = next_waiting(record, utility, -1)
    while slot >= 0:
        day = int(record["reading_day"][slot])
        if begun == 0:
            begun = day
        else:
            total += record["reading_amount"][slot]
            if day - begun >= PERIOD_DAYS:
                used = total / (day - begun)
                if readings >= LEARNED_AT_LEAST:
                    rate = used
                    forecast = level
                    before = error if readings > LEARNED_AT_LEAST else math.nan
                    error = error_after(error, (used - level) * (used - level), readings)
                level = smoothed(level, used, readings)
                readings += 1
                begun = day
                total = 0.0
        slot = next_waiting(record, utility, day)
    return rate, forecast, math.sqrt(before), readings
