"""A scorecard that workers score with: its values, its published bytes, and its place in the scoring parameters.

Apart from what learns it, so that a worker needs no learning library.
"""

import hashlib
import zlib
from dataclasses import dataclass
from typing import Any

import numpy as np
import orjson

from loanpulse.streams.indicators.catalogue import NAMES
from loanpulse.streams.models.inputs import Reals
from loanpulse.streams.scoring.parameters import ScoringParameters

FORMAT = "json+zlib"
BYTES_MOST = 786_432
"""The largest model that is published: what one record of a broker with default limits surely holds."""
UNPACKED_MOST = 64 * BYTES_MOST
"""The most bytes that weights may hold once unpacked, so that a damaged record can't fill the memory."""


class WeightsError(ValueError):
    """Published weights can't be used; its text is one sentence."""


@dataclass(frozen=True, slots=True)
class Scorecard:
    """The champion as workers score with it: log-odds of staying current = neutral + counted utilities @ weights."""

    names: tuple[str, ...]
    weights: Reals
    neutral_log_odds: float

    def log_odds(self, counted: Reals) -> Reals:
        """Return the log-odds of staying current of each row of counted utilities."""
        result: Reals = counted @ self.weights + self.neutral_log_odds
        return result

    def pd(self, counted: Reals) -> Reals:
        """Return each row's probability of default."""
        result: Reals = 1.0 / (1.0 + np.exp(self.log_odds(counted)))
        return result


def sha256(weights: bytes) -> str:
    """Return the digest that travels with weights."""
    return hashlib.sha256(weights).hexdigest()


def packed(content: dict[str, Any]) -> bytes:
    """Return numbers as compressed JSON."""
    return zlib.compress(orjson.dumps(content, option=orjson.OPT_SERIALIZE_NUMPY), 6)


def unpacked(weights: bytes, digest: str) -> dict[str, Any]:
    """Return the numbers that ``packed`` wrote.

    Raises:
        WeightsError: the bytes are damaged.
    """
    if sha256(weights) != digest.lower():
        raise WeightsError("the weights do not match their SHA-256")
    try:
        content = orjson.loads(zlib.decompressobj().decompress(weights, UNPACKED_MOST))
    except (zlib.error, orjson.JSONDecodeError) as error:
        raise WeightsError(f"the weights are not {FORMAT}: {error}") from error
    if not isinstance(content, dict):
        raise WeightsError(f"the weights are not {FORMAT}: they hold no object")
    return content


def as_numbers(scorecard: Scorecard) -> dict[str, Any]:
    """Return a scorecard as what ``packed`` takes."""
    return {"names": scorecard.names, "weights": scorecard.weights, "neutral_log_odds": scorecard.neutral_log_odds}


def scorecard_to_bytes(scorecard: Scorecard) -> bytes:
    """Return a scorecard as bytes."""
    return packed(as_numbers(scorecard))


def of_numbers(content: dict[str, Any]) -> Scorecard:
    """Return the scorecard that ``as_numbers`` made numbers of.

    Raises:
        WeightsError: they are another kind of model.
    """
    try:
        found = Scorecard(
            tuple(content["names"]), np.array(content["weights"], np.float64), float(content["neutral_log_odds"])
        )
    except KeyError as error:
        raise WeightsError(f"the weights lack {error}") from error
    except (TypeError, ValueError) as error:
        raise WeightsError(f"the weights are no scorecard: {error}") from error
    if found.weights.shape != (len(found.names),):
        raise WeightsError("the weights are no scorecard: they must be one number for each name")
    return found


def check_scorecard(scorecard: Scorecard) -> None:
    """Check that borrowers can be scored with a scorecard.

    Raises:
        WeightsError: it is not of the twelve indicators, a number is not finite, or a weight has the wrong sign.
    """
    if scorecard.names != NAMES:
        raise WeightsError("the scorecard is not of the twelve indicators, so borrowers can't be scored with it")
    if not (np.isfinite(scorecard.weights).all() and np.isfinite(scorecard.neutral_log_odds)):
        raise WeightsError("the scorecard has a number that is not finite")
    wrong = [name for name, weight in zip(NAMES, scorecard.weights.tolist(), strict=True) if weight < 0.0]
    if wrong:
        raise WeightsError(f"the weight of {', '.join(wrong)} has the wrong sign: it must be at least 0")
    if not scorecard.weights.any():
        raise WeightsError("all weights are 0, so nothing is known of any borrower")


def scorecard_of(parameters: ScoringParameters) -> Scorecard:
    """Return the weights by which scoring parameters scores; of a policy's own parameters they are the experts'."""
    return Scorecard(NAMES, np.array(parameters["weight"]), float(parameters["neutral_log_odds"]))
