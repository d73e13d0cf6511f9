"""The challenger as bytes that can be published: numbers only, so that reading them never runs code, and bounded."""

from dataclasses import dataclass, replace

import numpy as np

from loanpulse.streams.learning.challenger import FlatChallenger
from loanpulse.streams.learning.forest import FlatTree
from loanpulse.streams.learning.readings import Reals
from loanpulse.streams.learning.scorecard import (
    BYTES_MOST,
    Scorecard,
    WeightsError,
    as_numbers,
    of_numbers,
    packed,
    unpacked,
)
from loanpulse.streams.learning.segments import Segments


@dataclass(frozen=True, slots=True)
class PublishedChallenger:
    """A challenger with all that it needs to score: the champion of the same moment, uncalibrated, is a member."""

    model: FlatChallenger
    champion: Scorecard

    def log_odds(self, features: Reals) -> Reals:
        """Return the calibrated log-odds of default of full vectors, whose first columns the champion reads."""
        counted_utilities = features[:, : len(self.champion.names)]
        return self.model.log_odds(features, -self.champion.log_odds(counted_utilities))


def challenger_to_bytes(published: PublishedChallenger) -> bytes:
    """Return a challenger as bytes of at most ``BYTES_MOST``; trees are left out, the last first, until it fits."""
    model = published.model
    while True:
        found = packed(
            {
                "knots": model.segments.knots,
                "weights": model.weights,
                "intercept": model.intercept,
                "trees": [[one.feature, one.threshold, one.left, one.right, one.proba] for one in model.trees],
                "scales": model.scales,
                "shift": model.shift,
                "champion": as_numbers(published.champion),
            }
        )
        if len(found) <= BYTES_MOST or not model.trees:
            return found
        model = replace(model, trees=model.trees[:-1])


def challenger_from_bytes(weights: bytes, digest: str) -> PublishedChallenger:
    """Return the challenger of bytes; to the bit the one that was written.

    Raises:
        WeightsError: the bytes are damaged or hold another kind of model.
    """
    content = unpacked(weights, digest)
    try:
        trees = tuple(
            FlatTree(
                np.array(feature, np.int32), np.array(threshold, np.float64), np.array(left, np.int32),
                np.array(right, np.int32), np.array(proba, np.float64),
            )
            for feature, threshold, left, right, proba in content["trees"]
        )  # fmt: skip
        model = FlatChallenger(
            Segments(tuple(tuple(knots) for knots in content["knots"])),
            np.array(content["weights"], np.float64),
            float(content["intercept"]),
            trees,
            np.array(content["scales"]),
            float(content["shift"]),
        )
        return PublishedChallenger(model, of_numbers(content["champion"]))
    except KeyError as error:
        raise WeightsError(f"the weights lack {error}") from error
