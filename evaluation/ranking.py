"""How well a score ranks: the figures of the field, without a threshold."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from loanpulse.evaluation.panel import Flags


def area_under_curve(scores: npt.NDArray[np.float64], labels: Flags) -> float:
    """Return the chance that a labelled case scores higher than another one (ties count half); NaN without both."""
    positives, negatives = int(labels.sum()), int((~labels).sum())
    if positives == 0 or negatives == 0:
        return float("nan")
    _, inverse, counts = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2.0)[inverse]
    return float((ranks[labels].sum() - positives * (positives + 1) / 2.0) / (positives * negatives))


def kolmogorov_smirnov(scores: npt.NDArray[np.float64], labels: Flags) -> float:
    """Return the largest gap between the score's distributions of labelled and other cases; NaN without both."""
    positives, negatives = int(labels.sum()), int((~labels).sum())
    if positives == 0 or negatives == 0:
        return float("nan")
    order = np.argsort(scores, kind="stable")
    ordered = scores[order]
    gap = np.abs(np.cumsum(labels[order]) / positives - np.cumsum(~labels[order]) / negatives)
    ends = np.append(ordered[1:] != ordered[:-1], True)
    return float(gap[ends].max())
