"""Decayed sums that commute: kept at a reference time, so that a late event lands with the weight it would have had.

The reference is the end of a day, so that a sum to which an event adds nothing changes once a day.
"""

import math

from loanpulse.schemas.compiled import compiled
from loanpulse.streams.record.layout import DAY_MS, LONG_AGO, LONG_DAYS, SHORT_DAYS, SUMS, Record


@compiled
def move_reference(record: Record, time: int) -> None:
    """Bring the record's sums to the end of the day (UTC) of ``time`` (ms) if that is later than where they stand."""
    reference = record["reference_time"]
    end = (time // DAY_MS + 1) * DAY_MS
    if reference == LONG_AGO:
        record["reference_time"] = end
    elif end > reference:
        days = (end - reference) / DAY_MS
        short = math.exp(-days / SHORT_DAYS)
        long = math.exp(-days / LONG_DAYS)
        for index in range(SUMS):
            record["short_sums"][index] *= short
            record["long_sums"][index] *= long
        record["reference_time"] = end


@compiled
def add(record: Record, index: int, amount: float, time: int) -> None:
    """Add ``amount`` at ``time`` (ms) to the sum ``index``; the reference must have been moved to ``time`` or later."""
    days = (record["reference_time"] - time) / DAY_MS
    record["short_sums"][index] += amount * math.exp(-days / SHORT_DAYS)
    record["long_sums"][index] += amount * math.exp(-days / LONG_DAYS)


@compiled
def window_days(record: Record, time: int, constant: float) -> float:
    """Return the days that a sum with time constant ``constant`` (days) stands for, given how long it has run."""
    age = (time - record["first_seen"]) / DAY_MS
    return constant * (1.0 - math.exp(-max(age, 1.0) / constant))


@compiled
def short_rate(record: Record, index: int, time: int) -> float:
    """Return the 30-day rate of a sum at ``time``, in its unit per day."""
    days = (time - record["reference_time"]) / DAY_MS
    decayed: float = record["short_sums"][index] * math.exp(-days / SHORT_DAYS)
    return decayed / window_days(record, time, SHORT_DAYS)


@compiled
def long_rate(record: Record, index: int, time: int) -> float:
    """Return the 180-day rate of a sum at ``time``, in its unit per day."""
    days = (time - record["reference_time"]) / DAY_MS
    decayed: float = record["long_sums"][index] * math.exp(-days / LONG_DAYS)
    return decayed / window_days(record, time, LONG_DAYS)
