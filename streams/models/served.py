"""The model that borrowers are scored with: a scorecard, or a forest that a person has put in force.

Apart from what learns, so that a worker needs no learning library.
"""

from itertools import pairwise

import numpy as np

from loanpulse.streams.models.challenger_weights import challenger_of_numbers
from loanpulse.streams.models.flat_challenger import FlatChallenger, PublishedChallenger
from loanpulse.streams.models.flat_tree import FlatTree
from loanpulse.streams.models.inputs import Reals
from loanpulse.streams.models.scorecard import Scorecard, WeightsError, check_scorecard, of_numbers, unpacked
from loanpulse.streams.scoring.forest import FEATURES, LEAF, MEMBERS, MOST_NODES, MOST_SEGMENTS, MOST_TREES
from loanpulse.streams.scoring.parameters import ScoringParameters

Served = Scorecard | PublishedChallenger


def served_from_bytes(weights: bytes, digest: str) -> Served:
    """Return the model of published bytes.

    Raises:
        WeightsError: the bytes are damaged or hold no model.
    """
    content = unpacked(weights, digest)
    return challenger_of_numbers(content) if "trees" in content else of_numbers(content)


def served_pd(served: Served, counted: Reals, features: Reals) -> Reals:
    """Return each row's probability of default, of its counted utilities and its full vector."""
    return served.pd(counted) if isinstance(served, Scorecard) else served.pd(features)


def check_servable(served: Served) -> None:
    """Check that borrowers can be scored with a model.

    Raises:
        WeightsError: it is not of the twelve indicators, a number is not finite, a weight has the wrong sign, or a
            forest has no sound trees or more of them than scoring parameters holds.
    """
    if isinstance(served, Scorecard):
        check_scorecard(served)
        return
    check_scorecard(served.champion)
    model = served.model
    nodes = sum(len(one.feature) for one in model.trees)
    if len(model.trees) > MOST_TREES or nodes > MOST_NODES:
        raise WeightsError(
            f"the forest has {len(model.trees)} trees of {nodes:,} nodes: workers take {MOST_TREES} of {MOST_NODES:,}"
        )
    if not all(_is_sound(one) for one in model.trees):
        raise WeightsError("the forest has a tree that leads nowhere, or numbers that are none")
    _check_linear_members(model)


def _is_sound(tree: FlatTree) -> bool:
    """Tell whether every path through a tree ends at a leaf with a probability."""
    nodes = len(tree.feature)
    parts = (tree.threshold, tree.left, tree.right, tree.proba)
    if nodes == 0 or any(part.shape != (nodes,) for part in parts) or tree.feature.shape != (nodes,):
        return False
    index = np.arange(nodes)
    split = tree.feature != LEAF
    known = (tree.feature >= LEAF) & (tree.feature < FEATURES)
    onward = np.all([(part > index) & (part < nodes) for part in (tree.left, tree.right)], axis=0)
    number = np.where(split, np.isfinite(tree.threshold), (tree.proba >= 0.0) & (tree.proba <= 1.0))
    return bool((known & number & (onward | ~split)).all())


def _check_linear_members(model: FlatChallenger) -> None:
    knots = model.segments.knots
    if len(knots) != FEATURES or any(len(of_one) > MOST_SEGMENTS + 1 for of_one in knots):
        raise WeightsError(f"the forest's segments are not those of {FEATURES} features, at most {MOST_SEGMENTS} each")
    if any(not low < high for of_one in knots for low, high in pairwise(of_one)):
        raise WeightsError("the forest's knots must rise")
    if model.weights.shape != (model.segments.width,) or model.scales.shape != (MEMBERS,):
        raise WeightsError("the forest must have a weight for each segment and a scale for each member")
    numbers = np.concatenate([*map(np.array, knots), model.weights, model.scales, [model.intercept, model.shift]])
    if not np.isfinite(numbers).all() or (model.scales < 0.0).any():
        raise WeightsError("the forest has a number that is not finite, or a scale below 0")


def parameters_with(parameters: ScoringParameters, served: Served) -> ScoringParameters:
    """Return scoring parameters with a model in place of the experts' weights; ``check_servable`` has passed it."""
    scorecard = served if isinstance(served, Scorecard) else served.champion
    changed = np.array([parameters], parameters.dtype)
    changed["weight"][0] = scorecard.weights
    changed["neutral_log_odds"] = scorecard.neutral_log_odds
    row: ScoringParameters = changed[0]
    if isinstance(served, PublishedChallenger):
        _lay_out(served.model, row)
    return row


def _lay_out(model: FlatChallenger, parameters: ScoringParameters) -> None:
    """Write a forest into scoring parameters."""
    parameters["forest"], parameters["trees"] = 1, len(model.trees)
    start = 0
    for number, tree in enumerate(model.trees):
        nodes = slice(start, start + len(tree.feature))
        parameters["root"][number] = start
        parameters["node_feature"][nodes] = tree.feature
        parameters["node_number"][nodes] = np.where(tree.feature == LEAF, tree.proba, tree.threshold)
        parameters["node_left"][nodes] = np.where(tree.feature == LEAF, 0, tree.left + start)
        parameters["node_right"][nodes] = np.where(tree.feature == LEAF, 0, tree.right + start)
        start = nodes.stop
    used = 0
    for feature, knots in enumerate(model.segments.knots):
        count = max(0, len(knots) - 1)
        parameters["segments"][feature] = count
        parameters["knot"][feature, : len(knots)] = knots
        parameters["segment_weight"][feature, :count] = model.weights[used : used + count]
        used += count
    parameters["intercept"], parameters["scale"], parameters["shift"] = model.intercept, model.scales, model.shift
