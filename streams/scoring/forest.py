"""Scoring one borrower by a forest that a person has put in force, and what each indicator costs under it.

The forest is the challenger as published (``models/flat_challenger.py``): a weighted sum of the log-odds of three
members, namely its champion, a logistic regression on segments, and the trees' mean vote. It is stored in the scoring
parameters, so that every function that scores by parameters can score by it.

Points lost are measured against a perfect borrower, as a scorecard's are, and add up to the index. The first two
members are sums over the indicators, so their parts are exact. The vote's parts are exact Shapley values against that
one perfect borrower: a leaf that needs the set A of indicators at the borrower's values and the set B at the perfect
ones counts in a share of all orders of the indicators that depends on the sizes of A and B only (Lundberg et al.,
"From local explanations to global understanding with explainable AI for trees", 2020, interventional form). They are
converted from votes to log-odds in proportion.
"""

import math

import numpy as np

from loanpulse.schemas.compiled import compiled
from loanpulse.streams.indicators.catalogue import COUNT
from loanpulse.streams.record.layout import Reals

FEATURES = 3 * COUNT
"""Of each indicator the counted utility, then of each the value, then of each the evidence."""
MEMBERS = 3
MOST_TREES = 16
MOST_NODES = 10_240
"""Of all trees together: ten as deep as the trainer grows them."""
MOST_SEGMENTS = 8
LEAF = -1

FOREST = [
    ("forest", "i4"),  # 1 where the forest scores; the weights above are then its champion's
    ("trees", "i4"),
    ("root", "i4", (MOST_TREES,)),
    ("node_number", "f8", (MOST_NODES,)),  # a split's threshold, a leaf's probability of default
    ("node_left", "i2", (MOST_NODES,)),
    ("node_right", "i2", (MOST_NODES,)),
    ("node_feature", "i1", (MOST_NODES,)),  # a value above the threshold goes right; LEAF at a leaf
    ("segments", "i4", (FEATURES,)),
    ("knot", "f8", (FEATURES, MOST_SEGMENTS + 1)),
    ("segment_weight", "f8", (FEATURES, MOST_SEGMENTS)),
    ("intercept", "f8"),
    ("scale", "f8", (MEMBERS,)),
    ("shift", "f8"),
]
"""A forest as a part of the scoring parameters (``scoring.SCORING_PARAMETERS``)."""

_LOG_ODDS_LIMIT = 12.0
_LEAST = 1e-9
_CLOSE = 1e-6
"""Votes nearer than this are converted to log-odds by the slope of the log-odds at the vote."""

# By how many of the borrower's and of the perfect indicators a leaf needs: the share of orders in which one of them
# is the last that it waits for.
_OWN_SHARE = np.array(
    [
        [
            math.factorial(own - 1) * math.factorial(perfect) / math.factorial(own + perfect) if own else 0.0
            for perfect in range(COUNT + 1)
        ]
        for own in range(COUNT + 1)
    ]
)


@compiled
def limited_log_odds(probability: float) -> float:
    """Return the log-odds of a probability, within the limit; as ``calibration.log_odds_of``."""
    inside = min(max(probability, _LEAST), 1.0 - _LEAST)
    return min(max(math.log(inside / (1.0 - inside)), -_LOG_ODDS_LIMIT), _LOG_ODDS_LIMIT)


@compiled
def bent(parameters: np.void, feature: int, value: float) -> float:
    """Return what a feature adds to the log-odds of default by its segments."""
    total = 0.0
    for segment in range(parameters["segments"][feature]):
        low = parameters["knot"][feature][segment]
        share = (value - low) / (parameters["knot"][feature][segment + 1] - low)
        total += parameters["segment_weight"][feature][segment] * min(max(share, 0.0), 1.0)
    return total


@compiled
def share_out(probability: float, own: int, perfect: int, shares: Reals) -> None:
    """Add a leaf's part in the Shapley values: ``own`` and ``perfect`` are the bits of the indicators it needs so."""
    owns = 0
    perfects = 0
    for indicator in range(COUNT):
        owns += (own >> indicator) & 1
        perfects += (perfect >> indicator) & 1
    for indicator in range(COUNT):
        if (own >> indicator) & 1:
            shares[indicator] += probability * _OWN_SHARE[owns, perfects]
        elif (perfect >> indicator) & 1:
            shares[indicator] -= probability * _OWN_SHARE[perfects, owns]


@compiled
def vote_and_shares(features: Reals, reference: Reals, parameters: np.void, shares: Reals) -> tuple[float, float]:
    """Return the trees' mean vote on both vectors, and add to ``shares`` each indicator's part in the difference.

    A walk down a tree follows both vectors and branches where they go different ways. Along one path an indicator is
    always taken from the same vector, so a path branches at most once for each indicator.
    """
    waiting = np.empty((COUNT + 1, 3), np.int64)
    voted = 0.0
    voted_reference = 0.0
    for tree in range(parameters["trees"]):
        waiting[0, 0] = parameters["root"][tree]
        waiting[0, 1] = 0
        waiting[0, 2] = 0
        count = 1
        while count > 0:
            count -= 1
            node, own, perfect = waiting[count, 0], waiting[count, 1], waiting[count, 2]
            while parameters["node_feature"][node] != LEAF:
                feature = int(parameters["node_feature"][node])
                threshold = parameters["node_number"][node]
                right = features[feature] > threshold
                if right != (reference[feature] > threshold):
                    bit = 1 << (feature % COUNT)
                    if perfect & bit:
                        right = not right
                    elif not own & bit:
                        waiting[count, 0] = parameters["node_left"][node] if right else parameters["node_right"][node]
                        waiting[count, 1] = own
                        waiting[count, 2] = perfect | bit
                        count += 1
                        own |= bit
                node = int(parameters["node_right"][node]) if right else int(parameters["node_left"][node])
            probability = parameters["node_number"][node]
            if perfect == 0:
                voted += probability
            if own == 0:
                voted_reference += probability
            share_out(probability, own, perfect, shares)
    trees = max(1, parameters["trees"])
    for indicator in range(COUNT):
        shares[indicator] /= trees
    return voted / trees, voted_reference / trees


@compiled
def forest_points(features: Reals, parameters: np.void, points: Reals) -> float:
    """Fill the index points that each indicator costs against a perfect borrower.

    Returns the log-odds of staying current, which the parameters' forest gives to the ``features``.
    """
    perfect = np.empty(FEATURES)
    for indicator in range(COUNT):
        perfect[indicator] = 1.0 - parameters["neutral_utility"]
        perfect[COUNT + indicator] = parameters["healthy"][indicator]
        perfect[2 * COUNT + indicator] = 1.0
    shares = np.zeros(COUNT)
    voted, perfect_vote = vote_and_shares(features, perfect, parameters, shares)
    vote_odds = limited_log_odds(voted)
    if abs(voted - perfect_vote) > _CLOSE:
        slope = (vote_odds - limited_log_odds(perfect_vote)) / (voted - perfect_vote)
    else:
        inside = min(max(voted, _LEAST), 1.0 - _LEAST)
        slope = 1.0 / (inside * (1.0 - inside)) if abs(vote_odds) < _LOG_ODDS_LIMIT else 0.0
    current = parameters["neutral_log_odds"]
    bent_odds = parameters["intercept"]
    for indicator in range(COUNT):
        current += parameters["weight"][indicator] * features[indicator]
        own = 0.0
        lost = 0.0
        for feature in range(indicator, FEATURES, COUNT):
            own += bent(parameters, feature, features[feature])
            lost += bent(parameters, feature, perfect[feature])
        bent_odds += own
        points[indicator] = parameters["factor"] * (
            parameters["scale"][0] * parameters["weight"][indicator] * (perfect[indicator] - features[indicator])
            + parameters["scale"][1] * (own - lost)
            + parameters["scale"][2] * slope * shares[indicator]
        )
    default = (
        -current * parameters["scale"][0]
        + bent_odds * parameters["scale"][1]
        + vote_odds * parameters["scale"][2]
        + parameters["shift"]
    )
    return -float(default)


@compiled
def probability_of_default(log_odds: float) -> float:
    """Return the probability of default of log-odds of staying current; as ``calibration.probability``."""
    return 1.0 / (1.0 + math.exp(min(max(log_odds, -_LOG_ODDS_LIMIT), _LOG_ODDS_LIMIT)))


@compiled
def features_of(values: Reals, utilities: Reals, evidences: Reals, neutral_utility: float, features: Reals) -> None:
    """Fill what a forest reads of the twelve indicators; as ``models.inputs.inputs_of``."""
    for indicator in range(COUNT):
        evidence = evidences[indicator]
        value = values[indicator]
        features[indicator] = evidence * (utilities[indicator] - neutral_utility) if evidence > 0.0 else 0.0
        features[COUNT + indicator] = 0.0 if math.isnan(value) else value
        features[2 * COUNT + indicator] = evidence
