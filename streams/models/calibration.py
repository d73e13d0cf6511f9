"""A calibrator on top of one or several models: a logistic regression of outcomes on their log-odds (Platt scaling).

It scales each model's log-odds, none below 0, and shifts the sum. It learns from predictions made before their outcomes
were known, over a window of the newest, and so follows the base rate; a single model's order of borrowers stays as it
is. A ridge pulls the scales towards equal shares where there is little to learn from.
"""

from dataclasses import dataclass, field

import numpy as np

from loanpulse.streams.models.inputs import Labels, Reals

WINDOW = 16_384
RIDGE = 4.0
"""The ridge's weight on the starting scales, in units of the loss's curvature."""
NEWTON_STEPS = 20
"""The most; two or three usually do, as each fit starts from the scales of the fit before."""
HALVINGS = 12
"""How often a step that would not lower the loss is halved: far from the optimum, Newton's step is much too long."""
SETTLED = 1e-5
ENOUGH_OF_EACH_CLASS = 20
LOG_ODDS_LIMIT = 12.0


def probability(log_odds: Reals) -> Reals:
    """Return the probability of log-odds."""
    limited = np.clip(log_odds, -LOG_ODDS_LIMIT, LOG_ODDS_LIMIT)
    result: Reals = 1.0 / (1.0 + np.exp(-limited))
    return result


def log_odds_of(probabilities: Reals) -> Reals:
    """Return the log-odds of probabilities, within the limit."""
    inside = np.clip(probabilities, 1e-9, 1.0 - 1e-9)
    return np.clip(np.log(inside / (1.0 - inside)), -LOG_ODDS_LIMIT, LOG_ODDS_LIMIT)


@dataclass(slots=True)
class Calibrator:
    """Scales (none below 0) for each of ``inputs`` log-odds, and a shift, refitted on the window at every batch."""

    inputs: int = 1
    scales: Reals = field(init=False)
    shift: float = 0.0
    _seen: Reals = field(init=False)
    _outcomes: Labels = field(default_factory=lambda: np.zeros(0, np.bool_))

    def __post_init__(self) -> None:
        self.scales = np.full(self.inputs, 1.0 / self.inputs)
        self._seen = np.zeros((0, self.inputs))

    def apply(self, log_odds: Reals) -> Reals:
        """Return calibrated log-odds of rows of the models' log-odds."""
        result: Reals = log_odds @ self.scales + self.shift
        return result

    def learn(self, log_odds: Reals, outcomes: Labels) -> None:
        """Add predictions whose outcomes have become known, and refit."""
        self._seen = np.concatenate([self._seen, log_odds])[-WINDOW:]
        self._outcomes = np.concatenate([self._outcomes, outcomes])[-WINDOW:]
        positives = int(self._outcomes.sum())
        if min(positives, len(self._outcomes) - positives) < ENOUGH_OF_EACH_CLASS:
            return
        self._fit()

    def _fit(self) -> None:
        rows = np.column_stack([self._seen, np.ones(len(self._seen))])
        start = np.append(np.full(self.inputs, 1.0 / self.inputs), 0.0)
        ridge = np.append(np.full(self.inputs, RIDGE), 1e-6)

        def loss(weights: Reals) -> float:
            odds = rows @ weights
            told = np.logaddexp(0.0, odds).sum() - odds[self._outcomes].sum()
            return float(told + 0.5 * (ridge * (weights - start) ** 2).sum())

        weights = np.append(self.scales, self.shift)
        reached = loss(weights)
        for _ in range(NEWTON_STEPS):
            step = self._step(rows, weights, start, ridge)
            for halving in range(HALVINGS):
                moved = weights - step * 0.5**halving
                moved[:-1] = np.maximum(moved[:-1], 0.0)
                if (found := loss(moved)) <= reached:
                    break
            else:
                break
            far = float(np.abs(moved - weights).max())
            weights, reached = moved, found
            if far < SETTLED:
                break
        self.scales, self.shift = weights[:-1], float(weights[-1])

    def _step(self, rows: Reals, weights: Reals, start: Reals, ridge: Reals) -> Reals:
        """Return Newton's step; a scale that is 0 and would fall below is held at 0."""
        expected = probability(rows @ weights)
        slope = rows.T @ (expected - self._outcomes) + ridge * (weights - start)
        curve = (rows * (expected * (1.0 - expected))[:, None]).T @ rows + np.diag(ridge)
        free = (weights > 0.0) | (slope < 0.0)
        free[-1] = True
        step = np.zeros_like(weights)
        step[free] = np.linalg.solve(curve[np.ix_(free, free)], slope[free])
        return step
