"""Why one borrower has one score: what each indicator costs, against a perfect reading or against other borrowers."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from loanpulse.streams.indicators.catalogue import COUNT
from loanpulse.streams.learning.explanations import champion_points, indicator_groups, shapley
from loanpulse.streams.learning.labels import Prediction
from loanpulse.streams.models.calibration import probability
from loanpulse.streams.models.flat_challenger import PublishedChallenger
from loanpulse.streams.models.inputs import Reals, inputs_of
from loanpulse.streams.models.scorecard import Scorecard
from loanpulse.streams.models.served import parameters_with
from loanpulse.streams.scoring.forest import forest_points, probability_of_default
from loanpulse.streams.scoring.parameters import ScoringParameters

ModelInputs = tuple[tuple[float, float, float, float, float], ...]
UNKNOWN_BORROWER: ModelInputs = ((0.0, 0.0, 0.0, 0.0, -1.0),) * COUNT
"""Readings of a borrower without any evidence."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """One score taken apart, in index points: ``start`` less the sum of ``points`` is the index before its limits.

    ``start`` is the index of a perfect reading, or of the background where Shapley values were sampled;
    ``permutations`` is then how many were walked.
    """

    start: float
    points: Reals
    pd: float
    permutations: int | None = None

    @property
    def lhi(self) -> float:
        """The index, within its limits."""
        return float(np.clip(self.start - self.points.sum(), 0.0, 100.0))


def explain_champion(scorecard: Scorecard, prediction: Prediction, parameters: ScoringParameters) -> Explanation:
    """Return the points that each indicator costs a borrower by a scorecard; exact, because the index is a sum."""
    counted_utilities, _ = inputs_of(np.array([prediction.model_inputs]), parameters["neutral_utility"])
    perfect = np.full((1, COUNT), 1.0 - parameters["neutral_utility"])
    points = champion_points(scorecard, counted_utilities, perfect, parameters["factor"])[0]
    start = parameters["offset"] + parameters["factor"] * scorecard.log_odds(perfect)[0]
    return Explanation(float(start), points, float(scorecard.pd(counted_utilities)[0]))


def explain_forest(
    challenger: PublishedChallenger, prediction: Prediction, parameters: ScoringParameters
) -> Explanation:
    """Return the points that each indicator costs a borrower by a forest, by the function that workers score with."""
    _, features = inputs_of(np.array([prediction.model_inputs]), parameters["neutral_utility"])
    points = np.zeros(COUNT)
    served = parameters_with(parameters, challenger)
    log_odds = forest_points(features[0], served, points)
    index = float(parameters["offset"] + parameters["factor"] * log_odds)
    return Explanation(index + float(points.sum()), points, probability_of_default(log_odds))


def explain_beside_others(
    challenger: PublishedChallenger,
    prediction: Prediction,
    background: Sequence[Prediction],
    parameters: ScoringParameters,
    *,
    clock: Callable[[], float],
    seconds: float = 0.05,
) -> Explanation:
    """Return what each indicator adds to or takes from the background's index by a challenger.

    The values are sampled for at most ``seconds`` by ``clock``. An empty background is replaced by a borrower without
    any evidence.
    """
    others = [other.model_inputs for other in background] or [UNKNOWN_BORROWER]
    _, features = inputs_of(np.array([prediction.model_inputs, *others]), parameters["neutral_utility"])
    sampled = shapley(challenger.log_odds, features[0], features[1:], indicator_groups(), clock=clock, seconds=seconds)
    return Explanation(
        float(parameters["offset"] - parameters["factor"] * sampled.background),
        parameters["factor"] * sampled.values,
        float(probability(challenger.log_odds(features[:1]))[0]),
        sampled.permutations,
    )
