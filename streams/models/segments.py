"""Features cut into segments between quantiles, so that a linear model can bend along each of them."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from loanpulse.streams.models.inputs import Reals

SEGMENTS = 8


@dataclass(frozen=True, slots=True)
class Segments:
    """The knots of each feature, at least two each; a feature that never varied has none and counts for nothing."""

    knots: tuple[tuple[float, ...], ...]

    @classmethod
    def of(cls, rows: Reals, segments: int = SEGMENTS) -> "Segments":
        """Put the knots at the quantiles of ``rows``."""
        shares = np.linspace(0.0, 1.0, segments + 1)
        found = (np.unique(np.quantile(column, shares)) for column in rows.T)
        return cls(tuple(tuple(float(knot) for knot in knots) if len(knots) > 1 else () for knots in found))

    @property
    def width(self) -> int:
        """Columns that the transformed rows have."""
        return sum(max(0, len(knots) - 1) for knots in self.knots)

    def transform(self, rows: Reals) -> Reals:
        """Return, for each segment, which part of it lies below the value: 0 to 1."""
        columns = [
            np.clip((rows[:, column] - low) / (high - low), 0.0, 1.0)
            for column, knots in enumerate(self.knots)
            for low, high in pairwise(knots)
        ]
        return np.column_stack(columns) if columns else np.zeros((len(rows), 0))
