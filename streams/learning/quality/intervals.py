"""Intervals of measures: DeLong's variance for areas under the curve, and the bootstrap for any measure."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.stats import norm, rankdata

from loanpulse.streams.models.inputs import Labels, Reals

CONFIDENCE = 0.95
DRAWS = 200


@dataclass(frozen=True, slots=True)
class Interval:
    """An estimate with the ends of its 95% interval."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.4f} [{self.low:.4f}, {self.high:.4f}]"


@dataclass(frozen=True, slots=True)
class Difference:
    """How much larger the first area is than the second; ``p_worse`` is the chance of a fall this deep by accident."""

    value: float
    deviation: float
    p_worse: float


def _placements(outcomes: Labels, scores: Reals) -> tuple[Reals, Reals]:
    """Return, per positive, the share of negatives below it, and per negative, of positives above it."""
    positives, negatives = scores[outcomes], scores[~outcomes]
    every = rankdata(np.concatenate([positives, negatives]))
    of_positives = (every[: len(positives)] - rankdata(positives)) / len(negatives)
    of_negatives = 1.0 - (every[len(positives) :] - rankdata(negatives)) / len(positives)
    return of_positives, of_negatives


def auc_interval(outcomes: Labels, scores: Reals) -> Interval:
    """Return the area under the ROC curve with DeLong's interval; NaN where a class has fewer than two."""
    if min(int(outcomes.sum()), int((~outcomes).sum())) < 2:
        return Interval(math.nan, math.nan, math.nan)
    hits, misses = _placements(outcomes, scores)
    area = float(hits.mean())
    deviation = math.sqrt(hits.var(ddof=1) / len(hits) + misses.var(ddof=1) / len(misses))
    reach = float(norm.ppf(0.5 + CONFIDENCE / 2)) * deviation
    return Interval(area, max(0.0, area - reach), min(1.0, area + reach))


def auc_difference(outcomes: Labels, first: Reals, second: Reals) -> Difference:
    """Compare two models on the same examples (DeLong, paired); NaN where a class has fewer than two."""
    if min(int(outcomes.sum()), int((~outcomes).sum())) < 2:
        return Difference(math.nan, math.nan, math.nan)
    hits_first, misses_first = _placements(outcomes, first)
    hits_second, misses_second = _placements(outcomes, second)
    hits, misses = hits_first - hits_second, misses_first - misses_second
    value = float(hits.mean())
    deviation = math.sqrt(hits.var(ddof=1) / len(hits) + misses.var(ddof=1) / len(misses))
    if deviation == 0.0:
        return Difference(value, 0.0, 1.0 if value >= 0.0 else 0.0)
    return Difference(value, deviation, float(norm.cdf(value / deviation)))


def bootstrap(
    measure: Callable[[Labels, Reals], float], outcomes: Labels, scores: Reals, *, seed: int = 0, draws: int = DRAWS
) -> Interval:
    """Return a measure with its percentile interval over ``draws`` resamples."""
    rng = np.random.default_rng(seed)
    values = []
    for _ in range(draws):
        indexes = rng.integers(0, len(outcomes), len(outcomes)) if len(outcomes) else np.zeros(0, np.int64)
        values.append(measure(outcomes[indexes], scores[indexes]))
    defined = [value for value in values if not math.isnan(value)]
    if not defined:
        return Interval(math.nan, math.nan, math.nan)
    low, high = np.quantile(defined, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    return Interval(measure(outcomes, scores), float(low), float(high))
