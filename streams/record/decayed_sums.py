"""Decayed sums that commute: kept at a reference time, so that a late event lands with the weight it would have had.

The reference is the end of a day, so that a sum to which an event adds nothing changes once a day.
"""

import math

from loanpulse.schemas.compiled import compiled
from loanpulse.schemas.units import DAY_MS
from loanpulse.streams.record.layout import LONG_AGO, LONG_DAYS, SHORT_DAYS, SUMS, Record


@compiled
def move_reference(record: Record, time_ms: int) -> None:
    """Bring the record's sums to the end of the day (UTC) of ``time_ms`` if that is later than their reference."""
    reference = record["reference_time"]
    end = (time_ms // DAY_MS + 1) * DAY_MS
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
def add(record: Record, index: int, amount: float, time_ms: int) -> None:
    """Add ``amount`` at ``time_ms`` to the sum ``index``; ``move_reference`` must have been called for that time."""
    days = (record["reference_time"] - time_ms) / DAY_MS
    record["short_sums"][index] += amount * math.exp(-days / SHORT_DAYS)
    record["long_sums"][index] += amount * math.exp(-days / LONG_DAYS)


@compiled
def window_days(record: Record, time_ms: int, constant: float) -> float:
    """Return the days that a sum with time constant ``constant`` (days) stands for, given how long it has run."""
    age = (time_ms - record["first_seen"]) / DAY_MS
    return constant * (1.0 - math.exp(-max(age, 1.0) / constant))


@compiled
def short_rate(record: Record, index: int, time_ms: int) -> float:
    """Return the 30-day rate of a sum at ``time_ms``, in its unit per day.

    Examples:
        100 added on the first day, seen at its end: decayed by a day, over the weight of that day.

        >>> from loanpulse.streams.record.layout import empty_records
        >>> record = empty_records(1)[0]
        >>> record["first_seen"] = 0
        >>> move_reference(record, 0)
        >>> add(record, 0, 100.0, 0)
        >>> round(float(short_rate(record, 0, DAY_MS)), 1)
        98.3
    """
    days = (time_ms - record["reference_time"]) / DAY_MS
    decayed: float = record["short_sums"][index] * math.exp(-days / SHORT_DAYS)
    return decayed / window_days(record, time_ms, SHORT_DAYS)


@compiled
def long_rate(record: Record, index: int, time_ms: int) -> float:
    """Return the 180-day rate of a sum at ``time_ms``, in its unit per day."""
    days = (time_ms - record["reference_time"]) / DAY_MS
    decayed: float = record["long_sums"][index] * math.exp(-days / LONG_DAYS)
    return decayed / window_days(record, time_ms, LONG_DAYS)
