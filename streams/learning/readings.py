"""What a model reads of a borrower: named utilities in [0, 1], each with the weight that the experts give it."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from loanpulse.streams.indicators.catalogue import INDICATORS

Reals = npt.NDArray[np.float64]
Labels = npt.NDArray[np.bool_]
Integers = npt.NDArray[np.integer[Any]]


@dataclass(frozen=True, slots=True)
class Reading:
    """One input of the champion: a utility (1 is healthy), and its expert weight in log-odds between 0 and 1."""

    name: str
    weight: float


INDEX_READINGS: tuple[Reading, ...] = tuple(Reading(indicator.name, indicator.weight) for indicator in INDICATORS)
"""The twelve indicators as the champion reads them, in the catalogue's order."""


def counted(utility: Reals, evidence: Reals, neutral_utility: float) -> Reals:
    """Return what the scorecard multiplies its weights by: utility above neutral, in proportion to the evidence."""
    return np.where(evidence > 0.0, evidence * (np.nan_to_num(utility) - neutral_utility), 0.0)
