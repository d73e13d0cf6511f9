"""What a model reads of a borrower: the indicators' utilities, values and evidences as columns of numbers."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from loanpulse.streams.indicators.catalogue import INDICATORS

Reals = npt.NDArray[np.float64]
Labels = npt.NDArray[np.bool_]
Integers = npt.NDArray[np.integer[Any]]


@dataclass(frozen=True, slots=True)
class ModelInput:
    """One input of the champion: a utility (1 is healthy), and its expert weight in log-odds between 0 and 1."""

    name: str
    weight: float


INDEX_INPUTS: tuple[ModelInput, ...] = tuple(ModelInput(indicator.name, indicator.weight) for indicator in INDICATORS)
"""The twelve indicators as inputs of the champion, in the catalogue's order."""


def inputs_of(model_inputs: Reals, neutral_utility: float) -> tuple[Reals, Reals]:
    """Return counted utilities (what the champion reads), and the full vectors that the challenger reads.

    ``model_inputs`` has the shape (borrowers, indicators, 5): value, utility, evidence, points and age in days. A full
    vector has 36 columns: the twelve counted utilities, the twelve values (0 where not known), the twelve evidences.
    """
    values, utilities, evidence = model_inputs[:, :, 0], model_inputs[:, :, 1], model_inputs[:, :, 2]
    counted_utilities = counted(utilities, evidence, neutral_utility)
    return counted_utilities, np.column_stack([counted_utilities, np.nan_to_num(values), evidence])


def counted(utility: Reals, evidence: Reals, neutral_utility: float) -> Reals:
    """Return what the scorecard multiplies its weights by: utility above neutral, in proportion to the evidence."""
    return np.where(evidence > 0.0, evidence * (np.nan_to_num(utility) - neutral_utility), 0.0)
