"""The parts of one score add up to it: exactly as the worker scored it, or against other borrowers within a time."""

from dataclasses import replace

import numpy as np
import pytest

from loanpulse.streams.indicators.catalogue import COUNT
from loanpulse.streams.learning.challenger import Challenger
from loanpulse.streams.learning.champion import Champion
from loanpulse.streams.learning.labels import Prediction
from loanpulse.streams.learning.single_score import explain_beside_others, explain_champion, explain_forest
from loanpulse.streams.models.flat_challenger import PublishedChallenger
from loanpulse.streams.models.inputs import INDEX_INPUTS, inputs_of
from loanpulse.streams.models.scorecard import scorecard_of
from loanpulse.streams.models.served import parameters_with
from loanpulse.streams.policy import policy_file
from loanpulse.streams.scoring.index import weigh
from loanpulse.streams.scoring.parameters import ScoringParameters
from loanpulse.streams.scoring.score import SCORE
from tests.support.label_snapshots import snapshot

PARAMETERS = policy_file.load().parameters


def scored(seed: int, parameters: ScoringParameters = PARAMETERS) -> Prediction:
    """A borrower with values, utilities and evidences as the engine would say them; one indicator has none."""
    dice = np.random.default_rng(seed)
    score = np.zeros(1, SCORE)[0]
    score["value"] = PARAMETERS["unhealthy"] + dice.random(COUNT) * (PARAMETERS["healthy"] - PARAMETERS["unhealthy"])
    score["evidence"] = dice.random(COUNT)
    score["value"][3], score["evidence"][3] = np.nan, 0.0
    weigh(score, parameters)
    parts = [score[name].tolist() for name in ("value", "utility", "evidence", "points", "age_days")]
    model_inputs = tuple(zip(*parts, strict=True))
    return replace(snapshot(0, f"b{seed}"), lhi=float(score["lhi"]), pd=float(score["pd"]), model_inputs=model_inputs)


def test_a_champions_explanation_is_the_snapshots_own_points() -> None:
    said = scored(1)
    found = explain_champion(scorecard_of(PARAMETERS), said, PARAMETERS)
    assert found.points.tolist() == pytest.approx([reading[3] for reading in said.model_inputs])
    assert found.lhi == pytest.approx(said.lhi)
    assert found.pd == pytest.approx(said.pd, abs=1e-12)


@pytest.fixture(scope="module")
def published() -> PublishedChallenger:
    """A challenger of an outcome that follows the seventh indicator alone."""
    dice = np.random.default_rng(3)
    _, rows = inputs_of(np.array([scored(number).model_inputs for number in range(200)]), PARAMETERS["neutral_utility"])
    challenger = Challenger(rows.shape[1])
    for _ in range(12):
        batch = rows[dice.integers(0, len(rows), 128)]
        challenger.learn(batch, np.zeros(128), batch[:, 6] + dice.normal(0.0, 0.1, 128) < -0.2)
    return PublishedChallenger(challenger.flat(), Champion(INDEX_INPUTS, 0.04).uncalibrated())


@pytest.mark.parametrize("others", [0, 20])
def test_a_challengers_explanation_adds_up_to_its_prediction(published: PublishedChallenger, others: int) -> None:
    said = scored(500)
    found = explain_beside_others(
        published, said, [scored(900 + number) for number in range(others)], PARAMETERS, clock=lambda: 0.0
    )
    assert found.permutations == 64
    _, row = inputs_of(np.array([said.model_inputs]), PARAMETERS["neutral_utility"])
    index = PARAMETERS["offset"] - PARAMETERS["factor"] * published.log_odds(row)[0]
    assert found.start - found.points.sum() == pytest.approx(index)
    assert np.abs(found.points).argmax() == 6


def test_a_forests_explanation_is_the_snapshots_own_points(published: PublishedChallenger) -> None:
    said = scored(7, parameters_with(PARAMETERS, published))
    found = explain_forest(published, said, PARAMETERS)
    assert found.points.tolist() == pytest.approx([reading[3] for reading in said.model_inputs], abs=1e-9)
    assert found.lhi == pytest.approx(said.lhi)
    assert found.pd == pytest.approx(said.pd, abs=1e-12)
    assert found.permutations is None
