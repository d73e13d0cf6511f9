"""The challenger as it is scored with and published: arrays only, so that a worker needs no learning library."""

from dataclasses import dataclass

import numpy as np

from loanpulse.streams.models.calibration import log_odds_of, probability
from loanpulse.streams.models.flat_tree import FlatTree, vote
from loanpulse.streams.models.inputs import Reals
from loanpulse.streams.models.scorecard import Scorecard
from loanpulse.streams.models.segments import Segments


@dataclass(frozen=True, slots=True)
class FlatChallenger:
    """The challenger as it is scored with and published: arrays only."""

    segments: Segments
    weights: Reals
    intercept: float
    trees: tuple[FlatTree, ...]
    scales: Reals
    shift: float

    def members(self, rows: Reals, champion_log_odds: Reals) -> Reals:
        """Return the members' log-odds of default, a column each."""
        bent = self.segments.transform(rows) @ self.weights + self.intercept
        return np.column_stack([champion_log_odds, bent, log_odds_of(vote(self.trees, rows))])

    def log_odds(self, rows: Reals, champion_log_odds: Reals) -> Reals:
        """Return the calibrated log-odds of default; ``champion_log_odds`` are the champion's own, uncalibrated."""
        result: Reals = self.members(rows, champion_log_odds) @ self.scales + self.shift
        return result


@dataclass(frozen=True, slots=True)
class PublishedChallenger:
    """A challenger with all that it needs to score: the champion of the same version, uncalibrated, is a member."""

    model: FlatChallenger
    champion: Scorecard

    def log_odds(self, features: Reals) -> Reals:
        """Return the calibrated log-odds of default of full vectors, whose first columns the champion reads."""
        counted_utilities = features[:, : len(self.champion.names)]
        return self.model.log_odds(features, -self.champion.log_odds(counted_utilities))

    def pd(self, features: Reals) -> Reals:
        """Return each row's probability of default."""
        return probability(self.log_odds(features))
