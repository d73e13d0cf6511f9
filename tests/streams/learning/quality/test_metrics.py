"""Measures against their definitions, and against River's own where it has them."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from river import metrics as river_metrics
from scipy.stats import ks_2samp
from sklearn.metrics import roc_auc_score

from loanpulse.streams.learning.quality import metrics
from loanpulse.streams.learning.quality.intervals import auc_difference, auc_interval, bootstrap
from loanpulse.streams.learning.quality.stability import ErrorDrift, stability


def sample(size: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    dice = np.random.default_rng(seed)
    pd = dice.beta(1, 6, size)
    return dice.random(size) < pd, pd


scored = st.lists(st.tuples(st.booleans(), st.integers(0, 5)), min_size=2, max_size=40).filter(
    lambda rows: len({row[0] for row in rows}) == 2
)


@given(scored)
def test_auc_is_the_share_of_pairs_in_the_right_order(rows: list[tuple[bool, int]]) -> None:
    outcomes = np.array([row[0] for row in rows])
    scores = np.array([float(row[1]) for row in rows])
    pairs = list(itertools.product(scores[outcomes], scores[~outcomes]))
    expected = sum(1.0 if hit > miss else 0.5 if hit == miss else 0.0 for hit, miss in pairs) / len(pairs)
    assert metrics.auc(outcomes, scores) == pytest.approx(expected)
    interval = auc_interval(outcomes, scores)
    assert np.isnan(interval.value) or interval.value == pytest.approx(expected)


@given(scored)
def test_kolmogorov_smirnov_is_the_widest_gap_of_the_distributions(rows: list[tuple[bool, int]]) -> None:
    outcomes = np.array([row[0] for row in rows])
    scores = np.array([float(row[1]) for row in rows])
    gaps = [abs((scores[outcomes] <= cut).mean() - (scores[~outcomes] <= cut).mean()) for cut in set(scores)]
    assert metrics.kolmogorov_smirnov(outcomes, scores) == pytest.approx(max(gaps))


@given(scored)
def test_separation_is_what_scikit_learn_and_scipy_say(rows: list[tuple[bool, int]]) -> None:
    outcomes = np.array([row[0] for row in rows])
    scores = np.array([float(row[1]) for row in rows])
    assert metrics.auc(outcomes, scores) == pytest.approx(roc_auc_score(outcomes, scores))
    gap = ks_2samp(scores[outcomes], scores[~outcomes]).statistic
    assert metrics.kolmogorov_smirnov(outcomes, scores) == pytest.approx(gap)


def test_separation_of_one_class_is_unknown() -> None:
    nobody = np.zeros(3, np.bool_)
    assert np.isnan(metrics.auc(nobody, np.arange(3.0)))
    assert np.isnan(metrics.kolmogorov_smirnov(~nobody, np.arange(3.0)))


def test_log_loss_and_brier_are_rivers() -> None:
    outcomes, pd = sample(500)
    log_loss, brier = river_metrics.LogLoss(), river_metrics.MSE()
    for outcome, probability in zip(outcomes.tolist(), pd.tolist(), strict=True):
        log_loss.update(outcome, probability)
        brier.update(float(outcome), probability)
    assert metrics.log_loss(outcomes, pd) == pytest.approx(log_loss.get())
    assert metrics.brier(outcomes, pd) == pytest.approx(brier.get())


def test_calibration_error_tells_the_calibrated_from_the_shifted() -> None:
    outcomes, pd = sample(20_000)
    assert metrics.calibration_error(outcomes, pd) < 0.01
    assert metrics.calibration_error(outcomes, np.clip(pd + 0.1, 0, 1)) == pytest.approx(0.1, abs=0.01)


def test_lift_and_budget_count_the_riskiest_first() -> None:
    outcomes = np.array([True] * 10 + [False] * 90)
    scores = np.linspace(1, 0, 100)
    assert metrics.lift_by_decile(outcomes, scores) == (10.0, *(0.0,) * 9)
    reached = metrics.at_budget(outcomes, scores, 20)
    assert (reached.reached, reached.precision, reached.recall) == (20, 0.5, 1.0)


def test_the_intervals_cover_the_truth_as_often_as_they_say() -> None:
    truth = metrics.auc(*sample(400_000, 99))
    inside = [low <= truth <= high for _, low, high in ((i.value, i.low, i.high) for i in
              (auc_interval(*sample(600, seed)) for seed in range(200)))]  # fmt: skip
    assert 0.90 <= np.mean(inside) <= 0.99
    one = auc_interval(*sample(600))
    other = bootstrap(metrics.auc, *sample(600))
    assert (other.low, other.high) == pytest.approx((one.low, one.high), abs=0.02)


def test_a_worse_model_is_told_from_an_equal_one() -> None:
    outcomes, pd = sample(4_000)
    dice = np.random.default_rng(5)
    assert auc_difference(outcomes, dice.random(len(pd)), pd).p_worse < 0.001
    assert auc_difference(outcomes, pd, pd).p_worse == 1.0
    assert auc_difference(outcomes, pd, dice.random(len(pd))).p_worse > 0.99


def test_stability_knows_the_sample_size() -> None:
    dice = np.random.default_rng(3)
    reference = dice.normal(size=1_000)
    alarms = [stability(reference, dice.normal(size=60)) for _ in range(200)]
    assert np.mean([one.moved for one in alarms]) < 0.05, "a small window raises no alarm by chance"
    assert np.mean([one.psi > 0.1 for one in alarms]) > 0.3, "though a fixed limit would have"
    assert stability(reference, dice.normal(0.3, size=5_000)).moved


def test_drift_of_the_error_is_noticed_once() -> None:
    dice = np.random.default_rng(1)
    drift = ErrorDrift()
    drift.add(dice.uniform(0, 0.2, 2_000))
    assert not drift.take()
    drift.add(dice.uniform(0.4, 0.8, 2_000))
    assert drift.take()
    assert not drift.take()
