"""Audits by group: whether a model selects one group more, finds its defaulters less, or can predict the group.

Groups are read from a table that the lender loads and are never features.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.stats import norm

from loanpulse.streams.learning.quality.intervals import CONFIDENCE
from loanpulse.streams.learning.quality.metrics import auc, calibration_error
from loanpulse.streams.models.calibration import probability
from loanpulse.streams.models.inputs import Labels, Reals

DEVIATION_ALLOWED = 0.021
"""Deviation from everybody else's rate, as a share, above which an alarm is raised."""

Groups = npt.NDArray[np.str_]


@dataclass(frozen=True, slots=True)
class Rate:
    """A share with its 95% interval (Wilson) and its distance to everybody else's, with that distance's margin."""

    value: float
    low: float
    high: float
    deviation: float
    margin: float

    @property
    def alarm(self) -> bool:
        """Whether the deviation is above what is allowed, by more than the sample size could bring by chance."""
        return abs(self.deviation) - self.margin > DEVIATION_ALLOWED


@dataclass(frozen=True, slots=True)
class GroupAudit:
    """One group's rates against everybody else's."""

    group: str
    examples: int
    positives: int
    selection_rate: Rate
    true_positive_rate: Rate
    false_positive_rate: Rate
    calibration_error: float

    @property
    def rates(self) -> tuple[Rate, Rate, Rate]:
        """All three rates."""
        return self.selection_rate, self.true_positive_rate, self.false_positive_rate

    @property
    def alarm(self) -> bool:
        """Whether any rate raises the alarm."""
        return any(rate.alarm for rate in self.rates)


def groups_of(borrowers: list[str], table: Mapping[str, str]) -> Groups:
    """Return each borrower's group, empty where the table has none."""
    return np.array([table.get(borrower, "") for borrower in borrowers], np.str_)


def _share(chosen: Labels) -> tuple[float, float]:
    """Return a share and its variance."""
    if not len(chosen):
        return math.nan, math.nan
    value = float(chosen.mean())
    # One of each outcome is added, so that a small group's share never has a variance of 0.
    smoothed = (chosen.sum() + 1.0) / (len(chosen) + 2.0)
    return value, float(smoothed * (1.0 - smoothed) / len(chosen))


def _rate(chosen: Labels, others: Labels, comparisons: int) -> Rate:
    reach = float(norm.ppf(0.5 + CONFIDENCE / 2))
    # As many groups are compared, the margin grows, so that many comparisons raise no alarm by chance.
    wide = float(norm.ppf(1.0 - (1.0 - CONFIDENCE) / 2 / max(1, comparisons)))
    value, variance = _share(chosen)
    other, other_variance = _share(others)
    count = len(chosen)
    if not count:
        return Rate(math.nan, math.nan, math.nan, math.nan, math.inf)
    middle = (value + reach**2 / (2 * count)) / (1 + reach**2 / count)
    half = reach * math.sqrt(value * (1 - value) / count + reach**2 / (4 * count**2)) / (1 + reach**2 / count)
    margin = wide * math.sqrt(variance + other_variance) if len(others) else math.inf
    deviation = value - other if len(others) else 0.0
    return Rate(value, max(0.0, middle - half), min(1.0, middle + half), deviation, margin)


def audit(groups: Groups, outcomes: Labels, probabilities: Reals, selected: Labels) -> list[GroupAudit]:
    """Audit every group against all others; examples of borrowers without a group are left out."""
    audited = groups != ""
    groups, outcomes, probabilities, selected = (
        column[audited] for column in (groups, outcomes, probabilities, selected)
    )
    names = np.unique(groups)
    audits = []
    for name in names.tolist():
        member = groups == name
        rates = [
            _rate(selected[member & among], selected[~member & among], 3 * len(names))
            for among in (np.ones(len(groups), np.bool_), outcomes, ~outcomes)
        ]
        audits.append(
            GroupAudit(
                name, int(member.sum()), int(outcomes[member].sum()), rates[0], rates[1], rates[2],
                calibration_error(outcomes[member], probabilities[member]),
            )
        )  # fmt: skip
    return audits


def proxy_auc(features: Reals, member: Labels, *, ridge: float = 1.0, steps: int = 8) -> float:
    """Return the AUC of predicting a group from the features, on the half that was not fitted; 0.5 is chance.

    A plain logistic regression. If the features predict a group, alerts can depend on the group through them.
    """
    fitted = np.arange(len(member)) % 2 == 0
    held = ~fitted
    if min(int(member[fitted].sum()), int((~member[fitted]).sum())) < 2:
        return math.nan
    spread = features[fitted].std(axis=0)
    rows = np.column_stack([(features - features[fitted].mean(axis=0)) / np.where(spread > 0, spread, 1.0),
                            np.ones(len(member))])  # fmt: skip
    weights = np.zeros(rows.shape[1])
    half = rows[fitted]
    for _ in range(steps):
        expected = probability(half @ weights)
        curve = (half * (expected * (1.0 - expected))[:, None]).T @ half + ridge * np.eye(len(weights))
        weights -= np.linalg.solve(curve, half.T @ (expected - member[fitted]) + ridge * weights)
    return auc(member[held], rows[held] @ weights)
