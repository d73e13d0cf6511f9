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
    """Of ``forecasts`` checked: the share inside the 80% interval, and under each of its quantiles.

    ``informative`` are those where a shortfall came within the horizon or was forecast to be likely, with the
    share of them inside.
    """

    forecasts: int
    inside: float
    under_p10: float
    under_p50: float
    under_p90: float
    informative: int
    inside_informative: float


def coverage(quantiles: npt.NDArray[np.float32], days_to_shortfall: Integers, checked: Flags) -> Coverage:
    """Compare the quantiles (…, 3) with what came, both cut at the horizon; forecasts that say nothing don't count."""
    told = checked & ~np.isnan(quantiles).any(axis=-1)
    low, middle, high = (quantiles[told][:, place].astype(np.float64) for place in range(3))
    came = np.minimum(days_to_shortfall[told], HORIZON_DAYS).astype(np.float64)
    if not len(came):
        return Coverage(0, NAN, NAN, NAN, NAN, 0, NAN)
    # A day is an interval: a shortfall on the day on which a quantile lies is inside.
    inside = (came >= np.floor(low)) & (came <= np.ceil(high))
    informative = (came < HORIZON_DAYS) | (middle < HORIZON_DAYS)
    return Coverage(
        len(came),
        float(inside.mean()),
        float((came < np.floor(low)).mean()),
        float((came < np.ceil(middle)).mean()),
        float((came <= np.ceil(high)).mean()),
        int(informative.sum()),
        float(inside[informative].mean()) if informative.any() else NAN,
    )
