"""The champion: River's logistic regression on utilities and evidence, near the experts' weights while data is scarce.

Its calibrated form is a scorecard again (weights and a neutral log-odds), so workers score with it as they do with
the experts' own, and every point lost belongs to an indicator.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from river import linear_model

from loanpulse.streams.learning.replay_buffer import ReplayBuffer
from loanpulse.streams.learning.sign_constrained import SignConstrainedAdaGrad
from loanpulse.streams.models.calibration import Calibrator, probability
from loanpulse.streams.models.inputs import Labels, ModelInput, Reals
from loanpulse.streams.models.scorecard import Scorecard

CHAMPION_ALGORITHM = "river.linear_model.LogisticRegression, sign-constrained"


@dataclass(frozen=True, slots=True)
class ChampionOptions:
    """How the champion learns."""

    learning_rate: float = 0.3
    prior_strength: float = 10.0
    """Precision of the experts' weights: 1 / the square of their likely error, here 0.3 log-odds."""
    batch: int = 256
    replays: int = 30
    """Batches drawn again from the newest examples after each new batch."""
    intercept_rate: float = 0.2


@dataclass(slots=True)
class Champion:
    """Learns online from batches of matured examples; ``model_inputs`` name columns and hold experts' weights."""

    model_inputs: Sequence[ModelInput]
    neutral_pd: float
    options: ChampionOptions = ChampionOptions()
    model: linear_model.LogisticRegression = field(init=False)
    calibrator: Calibrator = field(init=False)
    examples: int = 0
    _buffer: ReplayBuffer = field(init=False)

    def __post_init__(self) -> None:
        prior = {reading.name: -reading.weight for reading in self.model_inputs}
        optimizer = SignConstrainedAdaGrad(self.options.learning_rate, prior, self.options.prior_strength)
        self.model = linear_model.LogisticRegression(
            optimizer,
            intercept_init=float(np.log(self.neutral_pd / (1.0 - self.neutral_pd))),
            intercept_lr=self.options.intercept_rate,
        )
        self.model._weights.update(prior)  # noqa: SLF001 - River offers no other way to start from given weights
        self.calibrator = Calibrator()
        self._buffer = ReplayBuffer(len(self.model_inputs))

    @property
    def names(self) -> list[str]:
        """The columns that it reads."""
        return [reading.name for reading in self.model_inputs]

    def raw_log_odds(self, counted: Reals) -> Reals:
        """Return River's own log-odds of default, before calibration."""
        weights = self.model.weights
        result: Reals = counted @ np.array([weights[name] for name in self.names]) + self.model.intercept
        return result

    def log_odds(self, counted: Reals) -> Reals:
        """Return the calibrated log-odds of default."""
        return self.calibrator.apply(self.raw_log_odds(counted)[:, None])

    def scorecard(self) -> Scorecard:
        """Return weights and neutral log-odds with the calibration folded in."""
        scale, weights = float(self.calibrator.scales[0]), self.model.weights
        return Scorecard(
            tuple(self.names),
            np.array([-scale * weights[name] for name in self.names]),
            -(scale * float(self.model.intercept) + self.calibrator.shift),
        )

    def uncalibrated(self) -> Scorecard:
        """Return River's own weights and intercept as a scorecard: what the challenger weighs as one of its members."""
        weights = self.model.weights
        return Scorecard(
            tuple(self.names), np.array([-weights[name] for name in self.names]), -float(self.model.intercept)
        )

    def successor(self) -> "Champion":
        """Return a champion of another outcome that starts from, and stays near, what this one has learned."""
        weights = self.model.weights
        model_inputs = [ModelInput(name, -weights[name]) for name in self.names]
        return Champion(model_inputs, float(probability(np.array([self.model.intercept]))[0]), self.options)

    def learn(self, counted: Reals, outcomes: Labels) -> None:
        """Learn one batch: the calibrator from the predictions, then the model, then some older examples again."""
        self.calibrator.learn(self.raw_log_odds(counted)[:, None], outcomes)
        self._buffer.add(counted, outcomes)
        self.examples += len(outcomes)
        self.model.optimizer.seen = self.examples
        self._step(counted, outcomes)
        # A small buffer is replayed less often: the same few examples would be counted as many.
        replays = min(self.options.replays, 3 * len(self._buffer.labels) // self.options.batch)
        for rows, labels in self._buffer.draws(replays, self.options.batch, self.examples):
            self._step(rows, labels)

    def _step(self, counted: Reals, outcomes: Labels) -> None:
        self.model.learn_many(pd.DataFrame(counted, columns=self.names), pd.Series(outcomes.astype(np.float64)))
