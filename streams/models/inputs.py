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


def inputs_of(readings: Reals, neutral_utility: float) -> tuple[Reals, Reals]:
    """Return counted utilities, and the full vector that the challenger reads: those, the values, the evidences.

    ``readings`` are, of each borrower and indicator, value, utility, evidence, points and age in days.
    """
    values, utilities, evidence = readings[:, :, 0], readings[:, :, 1], readings[:, :, 2]
    counted_utilities = counted(utilities, evidence, neutral_utility)
    return counted_utilities, np.column_stack([counted_utilities, np.nan_to_num(values), evidence])


def counted(utility: Reals, evidence: Reals, neutral_utility: float) -> Reals:
    """Return what the scorecard multiplies its weights by: utility above neutral, in proportion to the evidence."""
    return np.where(evidence > 0.0, evidence * (np.nan_to_num(utility) - neutral_utility), 0.0)
