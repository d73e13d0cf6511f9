"""The challenger as bytes that can be published: numbers only, so that reading them never runs code, and bounded."""

from dataclasses import replace
from typing import Any

import numpy as np

from loanpulse.streams.models.flat_challenger import FlatChallenger, PublishedChallenger
from loanpulse.streams.models.flat_tree import FlatTree
from loanpulse.streams.models.scorecard import (
    BYTES_MOST,
    WeightsError,
    as_numbers,
    of_numbers,
    packed,
)
from loanpulse.streams.models.segments import Segments


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


def challenger_of_numbers(content: dict[str, Any]) -> PublishedChallenger:
    """Return the challenger of the numbers that were packed.

    Raises:
        WeightsError: they are another kind of model.
    """
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
    except (TypeError, ValueError) as error:
        raise WeightsError(f"the weights are no forest: {error}") from error
