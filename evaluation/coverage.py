"""Whether the forecast of the day of shortfall keeps what its quantiles promise."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from loanpulse.evaluation.panel import Flags, Integers

HORIZON_DAYS = 90
NAN = math.nan


@dataclass(frozen=True, slots=True)
class Coverage:
    """Of ``forecasts`` checked, those that foresee a shortfall: their first quantile lies within the horizon.

    ``inside`` is the share of their outcomes inside the 80% interval, what the calibration aims at; ``before`` and
    ``after`` are the shares outside. The other forecasts say "90 days or more" and are mostly right:
    ``inside_all`` counts them too.
    """

    forecasts: int
    foreseen: int
    inside: float
    before: float
    before_median: float
    after: float
    inside_all: float


def coverage(quantiles: npt.NDArray[np.float32], days_to_shortfall: Integers, checked: Flags) -> Coverage:
    """Compare the quantiles (…, 3) with what came, both cut at the horizon; forecasts that say nothing don't count."""
    told = checked & ~np.isnan(quantiles).any(axis=-1)
    low, middle, high = (quantiles[told][:, place].astype(np.float64) for place in range(3))
    came = np.minimum(days_to_shortfall[told], HORIZON_DAYS).astype(np.float64)
    # A day is an interval: a shortfall on the day on which a quantile lies is inside.
    before, after = came < np.floor(low), came > np.ceil(high)
    foreseen = low < HORIZON_DAYS
    return Coverage(
        len(came),
        int(foreseen.sum()),
        _share(~(before | after)[foreseen]),
        _share(before[foreseen]),
        _share((came < np.ceil(middle))[foreseen]),
        _share(after[foreseen]),
        _share(~(before | after)),
    )


def _share(flags: Flags) -> float:
    return float(flags.mean()) if len(flags) else NAN
