"""Reasons add up to what they explain, keep within their time, and do not flicker."""

import math

import numpy as np
import pytest

from loanpulse.streams.indicators.catalogue import COUNT, INDICATORS, NAMES
from loanpulse.streams.learning.explanations import (
    champion_points,
    consistency,
    indicator_groups,
    reason_consistency,
    shapley,
)
from loanpulse.streams.models.scorecard import Scorecard

WEIGHTS = np.array([indicator.weight for indicator in INDICATORS])
SCORECARD = Scorecard(NAMES, WEIGHTS, 3.0)
FACTOR = 14.4


def stopped() -> float:
    """A clock on which no time passes."""
    return 0.0


def rows(count: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).random((count, COUNT)) - 0.6


def test_the_champions_points_are_exact() -> None:
    counted, perfect = rows(50), np.full((50, COUNT), 0.4)
    points = champion_points(SCORECARD, counted, perfect, FACTOR)
    lost = FACTOR * (SCORECARD.log_odds(perfect) - SCORECARD.log_odds(counted))
    assert points.sum(axis=1) == pytest.approx(lost)
    assert (points >= -1e-12).all()


def crooked(features: np.ndarray) -> np.ndarray:
    return np.where(features[:, 0] > 0, features[:, 1], -features[:, 14]) + features[:, 2] * features[:, 26]


def test_shapley_values_add_up_to_the_prediction() -> None:
    dice = np.random.default_rng(1)
    background, row = dice.normal(size=(100, 3 * COUNT)), dice.normal(size=3 * COUNT)
    found = shapley(crooked, row, background, indicator_groups(), permutations=40, clock=stopped)
    assert found.permutations == 40
    assert found.background + found.values.sum() == pytest.approx(crooked(row[None])[0])
    assert found.values[5:].tolist() == [0.0] * 7, "what the model does not read contributes nothing"


def test_shapley_values_of_a_linear_model_are_its_terms() -> None:
    dice = np.random.default_rng(2)
    weights = dice.normal(size=3 * COUNT)
    background, row = dice.normal(size=(1, 3 * COUNT)), dice.normal(size=3 * COUNT)
    found = shapley(lambda x: x @ weights, row, background, indicator_groups(), clock=stopped)
    terms = weights * (row - background[0])
    assert found.values == pytest.approx([terms[group].sum() for group in indicator_groups()])


def test_shapley_keeps_within_its_time() -> None:
    clock = iter(np.arange(0.0, 10.0, 0.02))
    found = shapley(
        crooked, np.ones(3 * COUNT), np.zeros((1, 3 * COUNT)), indicator_groups(), permutations=1000, seconds=0.1,
        clock=lambda: float(next(clock)),
    )  # fmt: skip
    assert 1 <= found.permutations < 10


def test_the_first_reason_holds_within_noise() -> None:
    perfect = np.full(COUNT, 0.4)
    explain = lambda counted: champion_points(SCORECARD, counted, perfect, FACTOR)  # noqa: E731
    assert consistency(explain, rows(500)) > 0.85
    assert consistency(explain, rows(500), noise=0.5) < 0.7
    assert consistency(explain, rows(500), noise=0.0) == 1.0


def test_a_reason_is_only_sought_where_there_is_evidence() -> None:
    clear, close = np.zeros(COUNT), np.zeros(COUNT)
    clear[[0, 6]] = 0.3, -0.6
    close[[0, 6]] = 0.4 - np.array([0.7, 0.7]) / WEIGHTS[[0, 6]]
    assert reason_consistency(WEIGHTS, clear[None], 0.4) == 1.0
    assert 0.2 < reason_consistency(WEIGHTS, np.tile(close, (50, 1)), 0.4) < 0.9, "a tie is decided by the noise"
    unknown = np.zeros(COUNT)
    unknown[int(np.argmin(WEIGHTS))] = -0.1
    assert reason_consistency(WEIGHTS, unknown[None], 0.4) == 1.0, "what is not known is no reason, dear as it is"
    assert math.isnan(reason_consistency(WEIGHTS, np.zeros((0, COUNT)), 0.4))
