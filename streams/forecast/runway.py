"""The forecast as a scoring asks for it: quantiles of the days to shortfall, calibrated, and the expected runway."""

import math

import numpy as np

from loanpulse.schemas.compiled import compiled
from loanpulse.streams.forecast.calibration import expected_day, read_quantiles
from loanpulse.streams.forecast.shortfall import HORIZON_DAYS, first_unmet, shortfall_chances
from loanpulse.streams.record.layout import Reals, Record


@compiled
def look_ahead(record: Record, time_ms: int, stopped: bool, days: Reals) -> tuple[float, int]:
    """Fill the quantiles 10, 50 and 90 of the days to shortfall at ``time_ms``; NaN where they can't be told.

    ``stopped`` says that income has stopped. Returns the expected days (the runway; 90 is 90 or more), and the due day
    that the balance can't meet now, -1 for none.
    """
    unmet = first_unmet(record, time_ms)
    if unmet >= 0:
        days[:] = 0.0
        return 0.0, unmet
    days[:] = math.nan
    chances = np.empty(HORIZON_DAYS + 1)
    if not shortfall_chances(record, time_ms, stopped, chances):
        return math.nan, unmet
    read_quantiles(record, chances, days)
    return expected_day(chances), unmet
