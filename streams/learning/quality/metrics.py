"""Measures of probabilities against outcomes: separation, calibration, and use within a budget.

All take numpy arrays and return numbers: NaN where a class that the measure needs is absent.
"""

import math
from dataclasses import dataclass

import numpy as np
from scipy.stats import rankdata

from loanpulse.streams.models.inputs import Labels, Reals

BINS = 10


@dataclass(frozen=True, slots=True)
class Reliability:
    """The reliability curve: mean probability, observed rate and examples of each bin, the lowest first."""

    predicted: tuple[float, ...]
    observed: tuple[float, ...]
    examples: tuple[int, ...]

    @property
    def calibration_error(self) -> float:
        """The mean distance of predicted and observed over the examples (ECE)."""
        total = sum(self.examples)
        gaps = zip(self.predicted, self.observed, self.examples, strict=True)
        return sum(abs(p - o) * n for p, o, n in gaps) / total if total else math.nan


def auc(outcomes: Labels, scores: Reals) -> float:
    """Return the area under the ROC curve; ties count half."""
    positives = int(outcomes.sum())
    negatives = len(outcomes) - positives
    if not positives or not negatives:
        return math.nan
    ranks = rankdata(scores)
    return float((ranks[outcomes].sum() - positives * (positives + 1) / 2) / (positives * negatives))


def kolmogorov_smirnov(outcomes: Labels, scores: Reals) -> float:
    """Return the largest distance between the two classes' distributions of scores."""
    positives = int(outcomes.sum())
    if not positives or positives == len(outcomes):
        return math.nan
    order = np.argsort(scores, kind="stable")
    sorted_scores = scores[order]
    hits = np.cumsum(outcomes[order]) / positives
    misses = np.cumsum(~outcomes[order]) / (len(outcomes) - positives)
    ends = np.append(sorted_scores[1:] != sorted_scores[:-1], True)
    return float(np.abs(hits - misses)[ends].max())


def brier(outcomes: Labels, probabilities: Reals) -> float:
    """Return the mean squared error of the probabilities."""
    return float(np.mean((probabilities - outcomes) ** 2)) if len(outcomes) else math.nan


def log_loss(outcomes: Labels, probabilities: Reals) -> float:
    """Return the mean log loss (nats)."""
    if not len(outcomes):
        return math.nan
    inside = np.clip(probabilities, 1e-9, 1.0 - 1e-9)
    return float(-np.mean(np.where(outcomes, np.log(inside), np.log(1.0 - inside))))


def reliability(outcomes: Labels, probabilities: Reals, bins: int = BINS) -> Reliability:
    """Return the curve over bins of equal numbers of examples, as far as possible."""
    order = np.argsort(probabilities, kind="stable")
    parts = [part for part in np.array_split(order, bins) if len(part)]
    return Reliability(
        tuple(float(probabilities[part].mean()) for part in parts),
        tuple(float(outcomes[part].mean()) for part in parts),
        tuple(len(part) for part in parts),
    )


def calibration_error(outcomes: Labels, probabilities: Reals) -> float:
    """Return the expected calibration error over ten bins of equal size."""
    return reliability(outcomes, probabilities).calibration_error


def lift_by_decile(outcomes: Labels, scores: Reals) -> tuple[float, ...]:
    """Return the default rate of each tenth, the riskiest first, divided by the overall rate."""
    overall = outcomes.mean() if len(outcomes) else 0.0
    if overall == 0.0:
        return ()
    order = np.argsort(-scores, kind="stable")
    return tuple(float(outcomes[part].mean() / overall) for part in np.array_split(order, 10) if len(part))


@dataclass(frozen=True, slots=True)
class AtBudget:
    """Precision and recall of a team that reaches the ``reached`` riskiest borrowers."""

    reached: int
    precision: float
    recall: float


def at_budget(outcomes: Labels, scores: Reals, budget: int) -> AtBudget:
    """Return precision and recall among the ``budget`` riskiest."""
    reached = min(budget, len(outcomes))
    found = int(outcomes[np.argsort(-scores, kind="stable")[:reached]].sum())
    positives = int(outcomes.sum())
    return AtBudget(
        reached, found / reached if reached else math.nan, found / positives if positives else math.nan
    )  # fmt: skip
