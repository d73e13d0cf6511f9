"""Guards of new versions: no worse than the old one on matured examples that neither had learned, and right signs."""

import math
from dataclasses import dataclass

import numpy as np

from loanpulse.streams.learning.quality.intervals import auc_difference
from loanpulse.streams.learning.quality.metrics import log_loss
from loanpulse.streams.models.inputs import Labels, Reals

SIGNIFICANCE = 0.05
LOG_LOSS_TOLERANCE = 0.002
"""Nats by which a new version's log loss may be higher by chance."""
ENOUGH_OF_EACH_CLASS = 30


@dataclass(frozen=True, slots=True)
class Verdict:
    """A guard's finding: whether it passed, and the sentence that says why."""

    passed: bool
    reason: str


def compare(outcomes: Labels, new: Reals, old: Reals) -> Verdict:
    """Compare the probabilities of a new model with those of the old one on the same matured examples."""
    positives = int(outcomes.sum())
    if min(positives, len(outcomes) - positives) < ENOUGH_OF_EACH_CLASS:
        return Verdict(
            False,
            f"{positives} defaults in {len(outcomes)} matured examples are too few to tell; "
            f"{ENOUGH_OF_EACH_CLASS} of each outcome are needed",
        )
    difference = auc_difference(outcomes, new, old)
    loss = log_loss(outcomes, new) - log_loss(outcomes, old)
    figures = (
        f"AUC {difference.value:+.4f} (p {difference.p_worse:.3f}), log loss {loss:+.4f}, {len(outcomes)} examples"
    )
    if difference.p_worse < SIGNIFICANCE:
        return Verdict(False, f"worse in separation: {figures}")
    if math.isnan(loss) or loss > LOG_LOSS_TOLERANCE:
        return Verdict(False, f"worse in calibration: {figures}")
    return Verdict(True, f"no worse: {figures}")


def check_signs(weights: Reals, names: tuple[str, ...]) -> Verdict:
    """Check that a better utility never lowers the index."""
    wrong = [names[index] for index in np.flatnonzero(~(weights >= 0.0)).tolist()]
    if wrong:
        return Verdict(False, f"a better utility would lower the index: {', '.join(wrong)}")
    return Verdict(True, "the signs hold")


def judge(outcomes: Labels, new: Reals, old: Reals, weights: Reals, names: tuple[str, ...]) -> Verdict:
    """Apply all guards to a new champion; returns the first failure."""
    signs = check_signs(weights, names)
    return compare(outcomes, new, old) if signs.passed else signs
