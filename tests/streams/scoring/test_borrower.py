"""The index and the levels: monotone, explained, slow to flap and quick where it must be."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from loanpulse.schemas.contracts import Level, LoanStatus
from loanpulse.schemas.units import DAY_MS
from loanpulse.streams.indicators.catalogue import COUNT, INDICATORS
from loanpulse.streams.policy import policy_file
from loanpulse.streams.record.layout import empty_records
from loanpulse.streams.scoring.borrower import score_borrower
from loanpulse.streams.scoring.index import weigh
from loanpulse.streams.scoring.levels import (
    HARD_30_DPD,
    HARD_DISCONNECTION,
    HARD_WRITE_OFF,
    NO_HARD_EVENT,
    next_level,
)
from loanpulse.streams.scoring.score import SCORE

PARAMETERS = policy_file.load().parameters
unit = st.floats(0, 1)
NOW = 20_000 * DAY_MS


def weighed(utilities: list[float], evidences: list[float]) -> np.void:
    score = np.zeros(1, SCORE)[0]
    for place, indicator in enumerate(INDICATORS):
        score["value"][place] = indicator.unhealthy + utilities[place] * (indicator.healthy - indicator.unhealthy)
        score["evidence"][place] = evidences[place]
    weigh(score, PARAMETERS)
    return score


twelve = st.lists(unit, min_size=COUNT, max_size=COUNT)


@given(twelve, twelve, st.integers(0, COUNT - 1), unit)
def test_a_better_utility_never_lowers_the_index(
    utilities: list[float], evidences: list[float], place: int, better: float
) -> None:
    improved = list(utilities)
    improved[place] = max(utilities[place], better)
    assert weighed(improved, evidences)["lhi"] >= weighed(utilities, evidences)["lhi"] - 1e-9


@given(twelve)
def test_without_evidence_the_index_is_the_prior(utilities: list[float]) -> None:
    score = weighed(utilities, [0.0] * COUNT)
    assert score["pd"] == pytest.approx(policy_file.load().file.index.neutral_pd)
    assert score["confidence"] == 0.0


@given(twelve, twelve)
def test_points_lost_explain_the_index_exactly(utilities: list[float], evidences: list[float]) -> None:
    score = weighed(utilities, evidences)
    perfect = weighed([1.0] * COUNT, [1.0] * COUNT)
    log_odds = np.log((1 - score["pd"]) / score["pd"])
    best = np.log((1 - perfect["pd"]) / perfect["pd"])
    assert score["points"].sum() == pytest.approx((best - log_odds) * PARAMETERS["factor"], abs=1e-6)


def test_an_index_near_a_threshold_does_not_flap() -> None:
    record = empty_records(1)[0]
    record["scored"], record["level"], record["level_since"] = 1, Level.WATCH, NOW - 365 * DAY_MS
    floor = PARAMETERS["level_min_points"][Level.STABLE]
    assert next_level(record, floor + 0.5, NO_HARD_EVENT, NOW, PARAMETERS) == Level.WATCH
    assert next_level(record, floor + PARAMETERS["hysteresis"] + 0.5, NO_HARD_EVENT, NOW, PARAMETERS) == Level.STABLE
    record["level"] = Level.STABLE
    assert next_level(record, floor - 0.5, NO_HARD_EVENT, NOW, PARAMETERS) == Level.WATCH


def test_a_level_stands_for_its_dwell_but_a_hard_event_waits_for_nothing() -> None:
    record = empty_records(1)[0]
    record["scored"], record["level"], record["level_since"] = 1, Level.AMPLE, NOW - 1000
    assert next_level(record, 10.0, NO_HARD_EVENT, NOW, PARAMETERS) == Level.AMPLE
    assert next_level(record, 99.0, HARD_30_DPD, NOW, PARAMETERS) == Level.TENSE


def test_a_level_that_an_improvement_led_to_stands_longer_before_it_worsens_again() -> None:
    record = empty_records(1)[0]
    since = NOW - int(PARAMETERS["dwell_ms"]) - 1
    record["scored"], record["level"], record["level_since"] = 1, Level.STABLE, since
    assert next_level(record, 10.0, NO_HARD_EVENT, NOW, PARAMETERS) == Level.CRISIS
    record["improved"] = 1
    assert next_level(record, 10.0, NO_HARD_EVENT, NOW, PARAMETERS) == Level.STABLE
    assert (
        next_level(record, 10.0, NO_HARD_EVENT, since + int(PARAMETERS["relapse_dwell_ms"]), PARAMETERS) == Level.CRISIS
    )
    assert next_level(record, 99.0, HARD_30_DPD, NOW, PARAMETERS) == Level.TENSE


@pytest.mark.parametrize(
    ("hard", "floor"),
    [(NO_HARD_EVENT, Level.AMPLE), (HARD_30_DPD, Level.TENSE), (HARD_WRITE_OFF, Level.CRISIS),
     (HARD_DISCONNECTION, Level.TENSE)],
)  # fmt: skip
def test_a_hard_event_sets_the_policy_s_floor_at_once_and_holds_it(hard: int, floor: Level) -> None:
    record = empty_records(1)[0]
    record["scored"], record["level"], record["level_since"] = 1, Level.AMPLE, NOW - 1000
    assert next_level(record, 100.0, hard, NOW, PARAMETERS) == floor
    record["level"], record["level_since"] = floor, NOW - 3_650 * DAY_MS
    assert next_level(record, 100.0, hard, NOW, PARAMETERS) == floor


def test_a_borrower_who_recovers_reaches_ample_again() -> None:
    record = empty_records(1)[0]
    record["scored"], record["level"], record["level_since"] = 1, Level.CRISIS, NOW
    later = NOW + int(PARAMETERS["improvement_dwell_ms"])
    assert next_level(record, 100.0, NO_HARD_EVENT, later - 1, PARAMETERS) == Level.CRISIS
    assert next_level(record, 100.0, NO_HARD_EVENT, later, PARAMETERS) == Level.AMPLE


def test_a_write_off_is_crisis_at_once() -> None:
    record = empty_records(1)[0]
    record["loan_key"][0], record["loan_status"][0] = 1, LoanStatus.WRITTEN_OFF
    score = np.zeros(1, SCORE)[0]
    score_borrower(record, NOW, 0, PARAMETERS, score)
    assert score["level"] == Level.CRISIS
    assert score["previous_level"] == Level.UNKNOWN


@pytest.mark.parametrize("indicator", INDICATORS, ids=lambda indicator: indicator.name)
def test_every_indicator_is_published_whole(indicator: object) -> None:
    for field in ("name", "meaning", "unit", "evidence", "source", "reason_en", "reason_zh"):
        assert getattr(indicator, field)
    assert indicator.weight > 0  # type: ignore[attr-defined]
    assert indicator.healthy != indicator.unhealthy  # type: ignore[attr-defined]
