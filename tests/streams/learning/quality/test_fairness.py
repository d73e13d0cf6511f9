"""Audits by group: alarms for deviations that are significant, and for nothing else."""

import numpy as np
import pytest

from loanpulse.streams.learning.quality.fairness import audit, groups_of, proxy_auc


def book(size: int, seed: int, gap: float) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Two groups with the same outcomes, of which the second is selected more often by ``gap``."""
    dice = np.random.default_rng(seed)
    groups = np.where(dice.random(size) < 0.4, "one", "two")
    pd = dice.beta(1, 6, size)
    outcomes = dice.random(size) < pd
    selected = dice.random(size) < np.where(groups == "two", 0.2 + gap, 0.2)
    return groups, outcomes, pd, selected


def test_an_alarm_is_raised_for_a_deviation_that_the_size_supports() -> None:
    assert all(one.alarm for one in audit(*book(20_000, 1, 0.08)))
    assert not any(one.alarm for one in audit(*book(200, 1, 0.08))), "too few to tell"


def test_equal_treatment_raises_no_alarm() -> None:
    alarms = [one.alarm for seed in range(100) for one in audit(*book(3_000, seed, 0.0))]
    assert np.mean(alarms) < 0.03


def test_rates_and_intervals() -> None:
    groups = np.array(["one"] * 4 + ["two"] * 4 + [""])
    outcomes = np.array([1, 1, 0, 0, 1, 0, 0, 0, 1], bool)
    selected = np.array([1, 0, 1, 0, 1, 0, 0, 0, 1], bool)
    one, two = audit(groups, outcomes, np.full(9, 0.5), selected)
    assert (one.group, one.examples, one.positives) == ("one", 4, 2)
    assert one.selection_rate.value == 0.5
    assert one.selection_rate.low < 0.5 < one.selection_rate.high
    assert (one.true_positive_rate.value, one.false_positive_rate.value) == (0.5, 0.5)
    assert (two.true_positive_rate.value, two.false_positive_rate.value) == (1.0, 0.0)
    assert one.selection_rate.deviation == pytest.approx(0.25)


def test_a_feature_that_stands_for_the_group_is_found() -> None:
    dice = np.random.default_rng(0)
    member = dice.random(4_000) < 0.5
    features = dice.normal(size=(4_000, 12))
    assert proxy_auc(features, member) == pytest.approx(0.5, abs=0.05)
    features[:, 3] += 2.0 * member
    assert proxy_auc(features, member) > 0.85


def test_a_borrower_without_a_group_has_an_empty_one() -> None:
    assert groups_of(["b1", "b2"], {"b1": "one"}).tolist() == ["one", ""]
