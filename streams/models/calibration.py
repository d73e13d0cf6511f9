"""A calibrator on top of a model: its log-odds, stretched and shifted so that the probability is what is observed.

It looks at predictions made before their outcomes were known, over a bounded window of the newest, and so follows
the base rate without touching the order of borrowers. Several models' log-odds can be weighed against each other.
"""

from dataclasses import dataclass, field

import numpy as np

from loanpulse.streams.models.inputs import Labels, Reals

WINDOW = 16_384
RIDGE = 4.0
"""How many examples' worth of information stand for the starting scales."""
NEWTON_STEPS = 20
"""At most; from the scales before, a lesson moves them little and two or three do."""
HALVINGS = 12
"""Of a step that would not lower the loss: far from what is observed, Newton's own step leads much too far."""
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
    """Scales (none below 0) for each of ``inputs`` log-odds, and a shift, refitted on the window at every lesson."""

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
        """Take predictions whose outcomes have become known, and fit anew."""
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
        """Return Newton's step; a scale that stands at 0 and would fall below is held there."""
        expected = probability(rows @ weights)
        slope = rows.T @ (expected - self._outcomes) + ridge * (weights - start)
        curve = (rows * (expected * (1.0 - expected))[:, None]).T @ rows + np.diag(ridge)
        free = (weights > 0.0) | (slope < 0.0)
        free[-1] = True
        step = np.zeros_like(weights)
        step[free] = np.linalg.solve(curve[np.ix_(free, free)], slope[free])
        return step
