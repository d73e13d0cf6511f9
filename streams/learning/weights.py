"""Models as bytes that can be published: numbers only, so that reading them never runs code, and of a bounded size."""

import hashlib
import zlib
from dataclasses import replace
from typing import Any

import numpy as np
import orjson

from loanpulse.streams.indicators.catalogue import NAMES
from loanpulse.streams.learning.challenger import FlatChallenger
from loanpulse.streams.learning.champion import Scorecard
from loanpulse.streams.learning.forest import FlatTree
from loanpulse.streams.learning.segments import Segments
from loanpulse.streams.scoring import Card

FORMAT = "json+zlib"
BYTES_MOST = 786_432
"""The largest model that is published: what one record of a broker with default limits surely holds."""


class WeightsError(ValueError):
    """Published weights can't be used; its text is one sentence."""


def sha256(weights: bytes) -> str:
    """Return the digest that travels with weights."""
    return hashlib.sha256(weights).hexdigest()


def _packed(content: dict[str, Any]) -> bytes:
    return zlib.compress(orjson.dumps(content, option=orjson.OPT_SERIALIZE_NUMPY), 6)


def _unpacked(weights: bytes, digest: str) -> dict[str, Any]:
    if sha256(weights) != digest:
        raise WeightsError("the weights do not match their SHA-256")
    try:
        content: dict[str, Any] = orjson.loads(zlib.decompress(weights))
    except (zlib.error, orjson.JSONDecodeError) as error:
        raise WeightsError(f"the weights are not {FORMAT}: {error}") from error
    return content


def scorecard_to_bytes(scorecard: Scorecard) -> bytes:
    """Return a scorecard as bytes."""
    return _packed(
        {"names": scorecard.names, "weights": scorecard.weights, "neutral_log_odds": scorecard.neutral_log_odds}
    )


def scorecard_from_bytes(weights: bytes, digest: str) -> Scorecard:
    """Return the scorecard of bytes; to the bit the one that was written.

    Raises:
        WeightsError: the bytes are damaged or hold another kind of model.
    """
    content = _unpacked(weights, digest)
    try:
        return Scorecard(tuple(content["names"]), np.array(content["weights"]), float(content["neutral_log_odds"]))
    except KeyError as error:
        raise WeightsError(f"the weights lack {error}") from error


def challenger_to_bytes(model: FlatChallenger) -> bytes:
    """Return a challenger as bytes of at most ``BYTES_MOST``; trees are left out, the last first, until it fits."""
    while True:
        packed = _packed(
            {
                "knots": model.segments.knots,
                "weights": model.weights,
                "intercept": model.intercept,
                "trees": [[one.feature, one.threshold, one.left, one.right, one.proba] for one in model.trees],
                "scales": model.scales,
                "shift": model.shift,
            }
        )
        if len(packed) <= BYTES_MOST or not model.trees:
            return packed
        model = replace(model, trees=model.trees[:-1])


def challenger_from_bytes(weights: bytes, digest: str) -> FlatChallenger:
    """Return the challenger of bytes; to the bit the one that was written.

    Raises:
        WeightsError: the bytes are damaged or hold another kind of model.
    """
    content = _unpacked(weights, digest)
    try:
        trees = tuple(
            FlatTree(
                np.array(feature, np.int32), np.array(threshold, np.float64), np.array(left, np.int32),
                np.array(right, np.int32), np.array(proba, np.float64),
            )
            for feature, threshold, left, right, proba in content["trees"]
        )  # fmt: skip
        return FlatChallenger(
            Segments(tuple(tuple(knots) for knots in content["knots"])),
            np.array(content["weights"], np.float64),
            float(content["intercept"]),
            trees,
            np.array(content["scales"]),
            float(content["shift"]),
        )
    except KeyError as error:
        raise WeightsError(f"the weights lack {error}") from error


def card_with(card: Card, scorecard: Scorecard) -> Card:
    """Return a policy's card with a champion's weights in place of the experts'.

    Raises:
        WeightsError: the scorecard is not of the twelve indicators.
    """
    if scorecard.names != NAMES:
        raise WeightsError("the scorecard is not of the twelve indicators, so borrowers can't be scored with it")
    changed = np.array([card], card.dtype)
    changed["weight"][0] = scorecard.weights
    changed["neutral_log_odds"] = scorecard.neutral_log_odds
    row: Card = changed[0]
    return row
