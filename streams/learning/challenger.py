"""The challenger: River's trees on the full feature vector, weighed against bent and straight linear models.

Its members' log-odds meet in a calibrator that has only seen predictions made before their outcomes, so a member
that does not help gets no weight.
"""

from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from river import linear_model, optim

from loanpulse.streams.learning.forest import Forest, ForestOptions
from loanpulse.streams.learning.replay_buffer import ReplayBuffer
from loanpulse.streams.models.calibration import Calibrator, log_odds_of
from loanpulse.streams.models.flat_challenger import FlatChallenger
from loanpulse.streams.models.inputs import Labels, Reals
from loanpulse.streams.models.segments import Segments

CHALLENGER_ALGORITHM = (
    "river.tree.HoeffdingTreeClassifier on random patches, with river.linear_model.LogisticRegression on segments"
)
MEMBERS = 3
"""The champion, the bent linear model and the forest."""
FIRST_KNOTS = 1_024
"""Examples before the knots are first set; they are set again whenever the examples have doubled."""


@dataclass(frozen=True, slots=True)
class ChallengerOptions:
    """How the challenger learns."""

    forest: ForestOptions = field(default_factory=ForestOptions)
    seed: int = 1
    batch: int = 256
    replays: int = 8
    learning_rate: float = 0.05
    l2: float = 0.0005
    intercept_rate: float = 0.05
    relearned: int = 400
    """Batches drawn from the newest examples after the knots were set again."""


@dataclass(slots=True)
class Challenger:
    """Learns online from batches of matured examples of ``width`` features."""

    width: int
    options: ChallengerOptions = ChallengerOptions()
    examples: int = 0
    calibrator: Calibrator = field(default_factory=lambda: Calibrator(MEMBERS))
    forest: Forest = field(init=False)
    _segments: Segments = field(init=False)
    _bent: linear_model.LogisticRegression | None = None
    _next_knots: int = FIRST_KNOTS
    _buffer: ReplayBuffer = field(init=False)
    _flat: FlatChallenger | None = None

    def __post_init__(self) -> None:
        self.forest = Forest(self.width, self.options.forest, self.options.seed)
        self._segments = Segments(((),) * self.width)
        self._buffer = ReplayBuffer(self.width)

    @property
    def ready(self) -> bool:
        """Whether it has learned enough to have an opinion of its own."""
        return self._bent is not None

    def flat(self) -> FlatChallenger:
        """Return the present model as arrays."""
        if self._flat is None:
            weights = np.zeros(self._segments.width)
            intercept = float(log_odds_of(np.array([self.forest.base_rate]))[0])
            if self._bent is not None:
                weights = np.array([self._bent.weights.get(name, 0.0) for name in self._names()])
                intercept = float(self._bent.intercept)
            self._flat = FlatChallenger(
                self._segments, weights, intercept, self.forest.flat(), self.calibrator.scales, self.calibrator.shift
            )
        return self._flat

    def learn(self, rows: Reals, champion_log_odds: Reals, outcomes: Labels) -> None:
        """Learn one batch: the calibrator from the predictions, then the members."""
        if self.ready:
            self.calibrator.learn(self.flat().members(rows, champion_log_odds), outcomes)
        self._flat = None
        self.examples += len(outcomes)
        self._buffer.add(rows, outcomes)
        self.forest.learn(rows, outcomes)
        if self.examples >= self._next_knots:
            self._set_knots()
        elif self._bent is not None:
            self._step(self._segments.transform(rows), outcomes)
            self._replay(self.options.replays)

    def _names(self) -> list[str]:
        return [str(index) for index in range(self._segments.width)]

    def _set_knots(self) -> None:
        self._next_knots = 2 * self.examples
        self._segments = Segments.of(self._buffer.rows)
        self._bent = linear_model.LogisticRegression(
            optim.AdaGrad(self.options.learning_rate),
            l2=self.options.l2,
            intercept_init=float(log_odds_of(np.array([self.forest.base_rate]))[0]),
            intercept_lr=self.options.intercept_rate,
        )
        self._replay(self.options.relearned)

    def _replay(self, batches: int) -> None:
        for rows, labels in self._buffer.draws(batches, self.options.batch, self.examples):
            self._step(self._segments.transform(rows), labels)

    def _step(self, rows: Reals, outcomes: Labels) -> None:
        assert self._bent is not None
        self._bent.learn_many(pd.DataFrame(rows, columns=self._names()), pd.Series(outcomes.astype(np.float64)))
