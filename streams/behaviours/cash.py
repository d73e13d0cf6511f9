"""The behaviour of a balance that drains away."""

import math

from loanpulse.schemas.compiled import compiled
from loanpulse.schemas.units import DAY_MS
from loanpulse.streams.record.layout import LONG_AGO, PEAK_BUCKET_DAYS, PEAKS, Reals, Record
from loanpulse.streams.record.units import local_day

FALL, DAYS, EXPLAINED, LEAST_PEAK = range(1, 5)
STALE_DAYS = 30
"""A balance that was not reported for so long says nothing of the present."""


@compiled
def peak_since(record: Record, day: int) -> tuple[float, int]:
    """Return the highest balance since the local ``day``, and the latest five-day bucket in which it stood.

    Examples:
        >>> from loanpulse.streams.record.layout import empty_records
        >>> record = empty_records(1)[0]
        >>> record["peak_newest"] = 4000
        >>> record["balance_peak"][3999 % PEAKS] = 5000.0
        >>> peak, bucket = peak_since(record, 3998 * PEAK_BUCKET_DAYS)
        >>> float(peak), int(bucket)
        (5000.0, 3999)
    """
    peak = 0.0
    at = int(record["peak_newest"])
    oldest = max(day // PEAK_BUCKET_DAYS, at - PEAKS + 1)
    for bucket in range(oldest, at + 1):
        if record["balance_peak"][bucket % PEAKS] >= peak:
            peak = float(record["balance_peak"][bucket % PEAKS])
            at = bucket
    return peak, at


@compiled
def cash_drain(record: Record, time_ms: int, parameters: Reals) -> tuple[float, bool]:
    """Return the fall of the balance within the days looked at as a share of its 30-day peak, and whether it drained.

    The windows end at the balance's own time: what was not reported since does not refill an account.
    """
    if record["balance_time"] == LONG_AGO or time_ms - record["balance_time"] > STALE_DAYS * DAY_MS:
        return math.nan, False
    today = local_day(record["balance_time"])
    peak, _ = peak_since(record, today - PEAKS * PEAK_BUCKET_DAYS)
    if peak < parameters[LEAST_PEAK] or peak <= 0.0:
        return math.nan, False
    height, at = peak_since(record, today - int(parameters[DAYS]))
    fallen = height - record["balance"]
    if fallen < parameters[FALL] * peak * (1.0 - 1e-6):
        return fallen / peak, False
    largest = 0.0
    for bucket in range(at, record["peak_newest"] + 1):
        largest = max(largest, float(record["largest_purchase"][bucket % PEAKS]))
    return fallen / peak, largest < parameters[EXPLAINED] * fallen
