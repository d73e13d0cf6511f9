"""A forest in force: workers' answers are River's own, its points add up, and what can't be served is refused."""

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from loanpulse.schemas.topics import MODEL_SNAPSHOTS
from loanpulse.streams.directives.directives import DirectiveError, Directives
from loanpulse.streams.directives.kinds import DIRECTIVE_KINDS
from loanpulse.streams.indicators.catalogue import COUNT
from loanpulse.streams.models.calibration import log_odds_of, probability
from loanpulse.streams.models.challenger_weights import challenger_to_bytes
from loanpulse.streams.models.flat_challenger import FlatChallenger, PublishedChallenger
from loanpulse.streams.models.flat_tree import LEAF, FlatTree, vote
from loanpulse.streams.models.inputs import Reals, inputs_of
from loanpulse.streams.models.scorecard import WeightsError, sha256
from loanpulse.streams.models.served import check_servable, parameters_with, served_from_bytes
from loanpulse.streams.scoring.forest import MOST_NODES, MOST_TREES, vote_and_shares
from loanpulse.streams.scoring.index import weigh
from loanpulse.streams.scoring.parameters import ScoringParameters
from loanpulse.streams.scoring.score import SCORE, Scores
from tests.support.grown_forest import NEUTRAL, PARAMETERS, forest, grown, model_inputs, promoted


def weighed(rows: Reals, parameters: ScoringParameters) -> Scores:
    """Score readings as a worker does."""
    scores = np.zeros(len(rows), SCORE)
    scores["value"], scores["evidence"] = rows[:, :, 0], rows[:, :, 2]
    for score in scores:
        weigh(score, parameters)
    return scores


def perfect() -> Reals:
    ones = np.ones(COUNT)
    return np.concatenate([ones - NEUTRAL, PARAMETERS["healthy"], ones])


def test_a_workers_probability_is_rivers_own() -> None:
    champion, challenger = grown()
    rows = model_inputs(400, 900)
    counted, features = inputs_of(rows, NEUTRAL)
    flat, bent = challenger.flat(), challenger._bent
    assert bent is not None
    assert sum(len(one.feature) for one in flat.trees) > 60, "the trees have grown"
    columns = [str(place) for place in range(flat.segments.width)]
    answers = [
        champion.model.predict_proba_many(pd.DataFrame(counted, columns=champion.names))[True],
        bent.predict_proba_many(pd.DataFrame(flat.segments.transform(features), columns=columns))[True],
        challenger.forest.reference(features),
    ]
    members = np.column_stack([log_odds_of(np.asarray(one)) for one in answers])
    expected = probability(challenger.calibrator.apply(members))
    published = challenger_to_bytes(forest())
    served = served_from_bytes(published, sha256(published))
    assert np.abs(weighed(rows, parameters_with(PARAMETERS, served))["pd"] - expected).max() < 1e-12
    assert np.ptp(expected) > 0.3, "it tells borrowers apart"


def test_its_points_add_up_to_the_index() -> None:
    rows = model_inputs(300, 901)
    _, features = inputs_of(rows, NEUTRAL)
    scores = weighed(rows, parameters_with(PARAMETERS, forest()))
    start = PARAMETERS["offset"] - PARAMETERS["factor"] * forest().log_odds(perfect()[None])[0]
    index = PARAMETERS["offset"] - PARAMETERS["factor"] * forest().log_odds(features)
    assert np.abs(start - scores["points"].sum(axis=1) - index).max() < 1e-9
    assert np.abs(scores["lhi"] - np.clip(index, 0.0, 100.0)).max() < 1e-9


def test_its_shares_of_the_vote_are_shapley_values() -> None:
    trees = forest().model.trees
    parameters = parameters_with(PARAMETERS, forest())
    _, features = inputs_of(model_inputs(4, 902), NEUTRAL)
    coalitions = np.arange(2**COUNT)
    sizes = np.array([int(one).bit_count() for one in coalitions])
    for row in features:
        own = ((coalitions[:, None] >> (np.arange(3 * COUNT) % COUNT)) & 1).astype(bool)
        votes = vote(trees, np.where(own, row, perfect()))
        expected = []
        for indicator in range(COUNT):
            without = coalitions[(coalitions >> indicator) & 1 == 0]
            weights = [math.factorial(size) * math.factorial(COUNT - 1 - size) for size in sizes[without].tolist()]
            moved = votes[without | 1 << indicator] - votes[without]
            expected.append(float(np.dot(weights, moved)) / math.factorial(COUNT))
        shares = np.zeros(COUNT)
        voted, reference = vote_and_shares(row, perfect(), parameters, shares)
        assert np.abs(shares - expected).max() < 1e-12
        assert voted - reference == pytest.approx(shares.sum(), abs=1e-12)


def test_a_card_holds_as_deep_a_forest_as_is_grown() -> None:
    deep = full_tree(10)
    assert len(deep.feature) == 1_023
    served = changed(trees=(deep,) * 10)
    check_servable(served)
    rows = model_inputs(100, 903)
    _, features = inputs_of(rows, NEUTRAL)
    assert np.abs(weighed(rows, parameters_with(PARAMETERS, served))["pd"] - served.pd(features)).max() < 1e-12


def full_tree(depth: int) -> FlatTree:
    """A tree that splits everywhere, each node's children side by side."""
    nodes = 2**depth - 1
    place = np.arange(nodes)
    split = place < nodes // 2
    return FlatTree(
        np.where(split, place % (3 * COUNT), LEAF).astype(np.int32), np.where(split, 0.1, 0.0),
        np.where(split, 2 * place + 1, LEAF).astype(np.int32), np.where(split, 2 * place + 2, LEAF).astype(np.int32),
        (place * 37 % 101) / 101,
    )  # fmt: skip


def changed(**changes: Any) -> PublishedChallenger:
    return replace(forest(), model=replace(forest().model, **changes))


def with_tree(**changes: Any) -> PublishedChallenger:
    return changed(trees=(replace(forest().model.trees[0], **changes), *forest().model.trees[1:]))


def first(part: str, value: float) -> PublishedChallenger:
    """The forest with its first tree's root changed."""
    numbers = getattr(forest().model.trees[0], part).copy()
    numbers[0] = value
    return with_tree(**{part: numbers})


UNSOUND: dict[str, tuple[Callable[[], PublishedChallenger], str]] = {
    "too many trees": (lambda: changed(trees=(full_tree(1),) * (MOST_TREES + 1)), "workers take 16"),
    "too many nodes": (lambda: changed(trees=(full_tree(11),) * 6), f"{MOST_NODES:,}"),
    "a path in a circle": (lambda: first("left", 0), "leads nowhere"),
    "a child that is not there": (lambda: first("right", 30_000), "leads nowhere"),
    "a feature that is not there": (lambda: first("feature", 36), "leads nowhere"),
    "no threshold": (lambda: first("threshold", math.nan), "numbers that are none"),
    "no probability": (lambda: with_tree(proba=forest().model.trees[0].proba + 2.0), "numbers that are none"),
    "an empty tree": (lambda: with_tree(**dict.fromkeys(("feature", "threshold", "left", "right", "proba"),
                                                        np.zeros(0))), "leads nowhere"),
    "a weight too few": (lambda: changed(weights=forest().model.weights[:-1]), "weight for each segment"),
    "a scale below 0": (lambda: changed(scales=np.array([0.5, -0.1, 0.5])), "below 0"),
    "an infinite shift": (lambda: changed(shift=math.inf), "not finite"),
    "a champion of other names": (
        lambda: replace(forest(), champion=replace(forest().champion, names=forest().champion.names[::-1])), "twelve",
    ),
}  # fmt: skip


@pytest.mark.parametrize("fault", UNSOUND)
def test_a_forest_that_cannot_be_served_is_refused(fault: str) -> None:
    make, reason = UNSOUND[fault]
    with pytest.raises(WeightsError, match=reason):
        check_servable(make())


def test_knots_that_do_not_rise_are_refused() -> None:
    segments = replace(forest().model.segments, knots=((1.0, 0.0), *forest().model.segments.knots[1:]))
    with pytest.raises(WeightsError, match="rise"):
        check_servable(changed(segments=segments))


def test_an_order_of_an_unsound_forest_is_refused_and_of_a_sound_one_taken() -> None:
    controls = Directives(DIRECTIVE_KINDS)
    weights = challenger_to_bytes(first("left", 0))
    with pytest.raises(DirectiveError, match="leads nowhere"):
        controls.add(MODEL_SNAPSHOTS, promoted(0) | {"weights": weights, "sha256": sha256(weights)})
    controls.add(MODEL_SNAPSHOTS, promoted(0))
    (order,) = controls.known()
    assert isinstance(order.content.served.model, FlatChallenger)
