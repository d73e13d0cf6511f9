"""Whether the population or the error has moved: stability index with a critical value, and River's drift detectors."""

from dataclasses import dataclass, field

import numpy as np
from river import drift
from scipy.stats import chi2

from loanpulse.streams.models.inputs import Reals

BINS = 10
CHANCE = 0.01
"""How often the index may exceed its critical value where nothing moved."""


@dataclass(frozen=True, slots=True)
class Stability:
    """The population stability index of one feature, and its critical value: exceeded by chance in 1 of 100 windows."""

    psi: float
    critical: float

    @property
    def moved(self) -> bool:
        """Whether the population has moved by more than chance."""
        return self.psi > self.critical


def stability(reference: Reals, window: Reals, bins: int = BINS) -> Stability:
    """Compare a window with the reference, over the reference's quantiles.

    With nothing moved, PSI is distributed as chi-square of ``bins - 1`` degrees times ``1/n + 1/m``: a small window
    may show 0.1 by chance, a large one hardly 0.01. So the critical value depends on the sizes; it is no fixed 0.25.
    """
    edges = np.unique(np.quantile(reference, np.linspace(0.0, 1.0, bins + 1)[1:-1]))
    first = np.bincount(np.searchsorted(edges, reference, side="left"), minlength=len(edges) + 1)
    second = np.bincount(np.searchsorted(edges, window, side="left"), minlength=len(edges) + 1)
    # Half an example in every bin keeps an empty one finite.
    expected = (first + 0.5) / (first + 0.5).sum()
    actual = (second + 0.5) / (second + 0.5).sum()
    psi = float(((actual - expected) * np.log(actual / expected)).sum())
    degrees = max(1, len(first) - 1)
    critical = float(chi2.ppf(1.0 - CHANCE, degrees)) * (1.0 / len(reference) + 1.0 / len(window))
    return Stability(psi, critical)


@dataclass(slots=True)
class ErrorDrift:
    """Watches a model's error by River's ADWIN; ``moved`` stays true until it is read."""

    detector: drift.ADWIN = field(default_factory=lambda: drift.ADWIN(delta=0.001))
    moved: bool = False

    def add(self, errors: Reals) -> None:
        """Add errors (0 to 1) in the order of maturity."""
        for error in errors.tolist():
            self.detector.update(error)
            self.moved = self.moved or bool(self.detector.drift_detected)

    def take(self) -> bool:
        """Tell whether the error moved since the last call."""
        moved, self.moved = self.moved, False
        return moved
