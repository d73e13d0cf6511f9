"""Champion, challenger and trainer: equal to River, signs held, bounded, restored, the same however they are fed."""

import pickle
import tracemalloc
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from loanpulse.schemas.contracts import ExampleOutcome
from loanpulse.schemas.units import DAY_MS
from loanpulse.streams.indicators.catalogue import COUNT, INDICATORS, NAMES
from loanpulse.streams.learning import contract_values
from loanpulse.streams.learning.challenger import Challenger
from loanpulse.streams.learning.champion import Champion
from loanpulse.streams.learning.forest import Forest, ForestOptions
from loanpulse.streams.learning.labels import Matured, Prediction, example_id
from loanpulse.streams.learning.outputs import Measured, Version
from loanpulse.streams.learning.quality import metrics
from loanpulse.streams.learning.quality.guards import check_signs, compare, judge
from loanpulse.streams.learning.trainer import FEATURES, Trainer, TrainerOptions
from loanpulse.streams.models.calibration import Calibrator, log_odds_of, probability
from loanpulse.streams.models.challenger_weights import challenger_to_bytes
from loanpulse.streams.models.flat_challenger import PublishedChallenger
from loanpulse.streams.models.flat_tree import vote
from loanpulse.streams.models.inputs import INDEX_INPUTS, inputs_of
from loanpulse.streams.models.scorecard import (
    BYTES_MOST,
    Scorecard,
    WeightsError,
    scorecard_of,
    scorecard_to_bytes,
    sha256,
)
from loanpulse.streams.models.served import check_servable, parameters_with, served_from_bytes
from loanpulse.streams.models.versions import served_in_force
from loanpulse.streams.policy import policy_file
from loanpulse.streams.scoring.index import weigh
from loanpulse.streams.scoring.score import SCORE
from tests.support.grown_forest import forest

NEUTRAL = 0.6
SMALL = ForestOptions(trees=4, grace_period=50, delta=0.01)


def batches(count: int, size: int = 128, seed: int = 0) -> list[tuple[np.ndarray, np.ndarray]]:
    """Utilities of which the first three tell, one against its sign: what no champion may learn."""
    dice = np.random.default_rng(seed)
    found = []
    for _ in range(count):
        counted = dice.random((size, COUNT)) - NEUTRAL
        odds = -2.0 - 3.0 * counted[:, 6] - 2.0 * counted[:, 0] + 2.0 * counted[:, 11]
        found.append((counted, dice.random(size) < probability(odds)))
    return found


@pytest.fixture(scope="module")
def champion() -> Champion:
    learned = Champion(INDEX_INPUTS, 0.04)
    for rows, outcomes in batches(40):
        learned.learn(rows, outcomes)
    return learned


@pytest.fixture(scope="module")
def challenger() -> Challenger:
    learned = Challenger(COUNT)
    for rows, outcomes in batches(24):
        learned.learn(rows, np.zeros(len(rows)), outcomes)
    return learned


def test_before_it_learns_the_champion_is_the_experts_scorecard() -> None:
    scorecard = Champion(INDEX_INPUTS, 0.04).scorecard()
    assert scorecard.weights.tolist() == [indicator.weight for indicator in INDICATORS]
    assert scorecard.pd(np.zeros((1, COUNT)))[0] == pytest.approx(0.04)


def test_the_arrays_are_rivers_own_answer(champion: Champion) -> None:
    rows, _ = batches(1, 500, seed=9)[0]
    answer = champion.model.predict_proba_many(pd.DataFrame(rows, columns=champion.names))[True].to_numpy()
    assert np.abs(probability(champion.raw_log_odds(rows)) - answer).max() < 1e-12
    assert np.abs(champion.scorecard().pd(rows) - probability(champion.log_odds(rows))).max() < 1e-12


def test_a_workers_card_gives_the_same_probability(champion: Champion) -> None:
    rows, _ = batches(1, 50, seed=4)[0]
    scorecard = champion.scorecard()
    parameters = parameters_with(policy_file.load().parameters, scorecard)
    parameters["healthy"], parameters["unhealthy"], parameters["neutral_utility"] = 1.0, 0.0, NEUTRAL
    for counted, expected in zip(rows, scorecard.pd(rows), strict=True):
        score = np.zeros(1, SCORE)[0]
        score["value"], score["evidence"] = counted + NEUTRAL, 1.0
        weigh(score, parameters)
        assert score["pd"] == pytest.approx(expected, abs=1e-12)


def test_the_experts_scorecard_is_the_policys_card_to_the_bit() -> None:
    parameters = policy_file.load().parameters
    value = contract_values.experts_value(scorecard_of(parameters), in_force=True)
    scorecard = served_in_force(value)
    assert scorecard is not None
    assert parameters_with(parameters, scorecard) == parameters


def test_signs_hold_whatever_the_data_say(champion: Champion) -> None:
    scorecard = champion.scorecard()
    assert (scorecard.weights >= 0.0).all()
    assert scorecard.weights[11] == pytest.approx(0.0, abs=0.01), "the data say that it is worse to be better off"
    assert check_signs(scorecard.weights, scorecard.names).passed
    wrong = scorecard.weights.copy()
    wrong[3] = -0.1
    verdict = check_signs(wrong, scorecard.names)
    assert not verdict.passed
    assert NAMES[3] in verdict.reason


def test_the_champion_learns_and_stays_calibrated(champion: Champion) -> None:
    rows, outcomes = batches(1, 20_000, seed=5)[0]
    learned, experts = champion.scorecard(), Champion(INDEX_INPUTS, 0.04).scorecard()
    assert metrics.auc(outcomes, learned.pd(rows)) > metrics.auc(outcomes, experts.pd(rows)) + 0.01
    assert metrics.calibration_error(outcomes, learned.pd(rows)) < 0.03
    assert metrics.calibration_error(outcomes, experts.pd(rows)) > 0.05


def test_until_data_speak_the_prior_holds() -> None:
    champion = Champion(INDEX_INPUTS, 0.04)
    champion.learn(*batches(1)[0])
    experts = np.array([indicator.weight for indicator in INDICATORS])
    weights = -np.array([champion.model.weights[name] for name in NAMES])
    assert np.abs(weights - experts).max() < 0.6


def test_the_calibrator_mends_a_shift_and_gives_no_weight_to_noise() -> None:
    dice = np.random.default_rng(2)
    odds = dice.normal(-2.0, 1.0, 8_000)
    outcomes = dice.random(8_000) < probability(odds)
    calibrator = Calibrator(2)
    for start in range(0, 8_000, 400):
        part = slice(start, start + 400)
        calibrator.learn(np.column_stack([2.0 * odds[part] + 1.0, dice.normal(size=400)]), outcomes[part])
    assert calibrator.scales[0] == pytest.approx(0.5, abs=0.05)
    assert calibrator.scales[1] < 0.1
    assert (calibrator.scales >= 0.0).all()


@pytest.mark.parametrize(("said", "observed"), [(-7.0, 0.2), (-3.0, 0.9), (4.0, 0.03)])
def test_the_calibrator_finds_its_way_from_far_off(said: float, observed: float) -> None:
    dice = np.random.default_rng(6)
    odds = dice.normal(said, 1.0, (1_000, 1))
    outcomes = dice.random(1_000) < observed
    calibrator = Calibrator()
    calibrator.learn(odds, outcomes)
    assert probability(calibrator.apply(odds)).mean() == pytest.approx(outcomes.mean(), abs=0.001)


def test_the_flat_forest_is_rivers_own_answer() -> None:
    forest = Forest(COUNT, SMALL)
    for rows, outcomes in batches(12):
        forest.learn(rows, outcomes)
    rows, _ = batches(1, 300, seed=7)[0]
    flat = forest.flat()
    assert sum(len(one.feature) for one in flat) > 8, "the trees have grown"
    assert np.abs(vote(flat, rows) - forest.reference(rows)).max() < 1e-12


def test_a_tree_gives_way_after_its_life() -> None:
    forest = Forest(COUNT, ForestOptions(trees=2, life=300))
    first = list(forest._trees)
    for rows, outcomes in batches(8):
        forest.learn(rows, outcomes)
    assert all(one not in first for one in forest._trees)


def test_published_models_come_back_to_the_bit(champion: Champion, challenger: Challenger) -> None:
    rows, _ = batches(1, 200, seed=3)[0]
    scorecard = champion.scorecard()
    raw = scorecard_to_bytes(scorecard)
    assert (served_from_bytes(raw, sha256(raw)).pd(rows) == scorecard.pd(rows)).all()
    published = PublishedChallenger(challenger.flat(), champion.uncalibrated())
    raw = challenger_to_bytes(published)
    assert len(raw) <= BYTES_MOST
    assert (served_from_bytes(raw, sha256(raw)).log_odds(rows) == published.log_odds(rows)).all()


def test_a_published_challenger_is_rivers_own_answer(champion: Champion) -> None:
    challenger = Challenger(COUNT)
    for rows, outcomes in batches(12):
        challenger.learn(rows, champion.raw_log_odds(rows), outcomes)
    rows, _ = batches(1, 300, seed=11)[0]
    raw = challenger_to_bytes(PublishedChallenger(challenger.flat(), champion.uncalibrated()))
    bent, segments = challenger._bent, challenger.flat().segments
    assert bent is not None
    columns = [str(place) for place in range(segments.width)]
    answers = [
        champion.model.predict_proba_many(pd.DataFrame(rows, columns=champion.names))[True],
        bent.predict_proba_many(pd.DataFrame(segments.transform(rows), columns=columns))[True],
        challenger.forest.reference(rows),
    ]
    members = np.column_stack([log_odds_of(np.asarray(one)) for one in answers])
    assert (challenger.calibrator.scales > 0.0).sum() >= 2, "more than one member counts"
    expected = probability(challenger.calibrator.apply(members))
    served = probability(served_from_bytes(raw, sha256(raw)).log_odds(rows))
    assert np.abs(served - expected).max() < 1e-12


def test_damaged_weights_are_refused(champion: Champion) -> None:
    raw = scorecard_to_bytes(champion.scorecard())
    with pytest.raises(WeightsError, match="SHA-256"):
        served_from_bytes(raw[:-1] + b"x", sha256(raw))
    with pytest.raises(WeightsError, match="twelve"):
        check_servable(Scorecard(("a",), np.ones(1), 0.0))


def test_the_challenger_learns_what_the_champion_may_not(champion: Champion, challenger: Challenger) -> None:
    rows, outcomes = batches(1, 20_000, seed=5)[0]
    challenged = probability(challenger.flat().log_odds(rows, np.zeros(len(rows))))
    assert metrics.auc(outcomes, challenged) > metrics.auc(outcomes, champion.scorecard().pd(rows)) + 0.01
    assert metrics.calibration_error(outcomes, challenged) < 0.03


def test_guards_refuse_what_is_worse_and_what_can_not_be_told() -> None:
    dice = np.random.default_rng(4)
    pds = dice.beta(1, 6, 3_000)
    outcomes = dice.random(3_000) < pds
    assert compare(outcomes, pds, np.full(3_000, 0.14)).passed
    assert "separation" in compare(outcomes, dice.random(3_000), pds).reason
    assert "calibration" in compare(outcomes, pds**2, pds).reason
    assert "too few" in compare(outcomes[:60], pds[:60], pds[:60]).reason
    assert not judge(outcomes, pds, pds, np.array([1.0, -1.0]), ("a", "b")).passed


class Mute(Champion):
    """A candidate that says the same of everyone, whatever it is taught."""

    def log_odds(self, counted: np.ndarray) -> np.ndarray:
        return np.full(len(counted), -2.0)


def example(number: int, model_inputs: np.ndarray, defaulted: bool, horizon: int = 30) -> Matured:
    time = (1_000 + number // 40) * DAY_MS
    prediction = Prediction(
        f"s{number:06}", f"b{number % 200}", time, time, 60.0, 0.05, "STABLE", "expert-1", (), 0, 1,
        tuple(tuple(map(float, row)) for row in model_inputs),
    )  # fmt: skip
    outcome = ExampleOutcome.DEFAULTED if defaulted else ExampleOutcome.CURRENT
    name = example_id(prediction.snapshot_id, horizon)
    return Matured(name, prediction, horizon, time + 37 * DAY_MS, outcome, f"lender-{number % 2}")


def examples(count: int) -> list[Matured]:
    found = []
    rows, outcomes = batches(1, count, seed=8)[0]
    for number in range(count):
        utility = rows[number] + NEUTRAL
        model_inputs = np.column_stack([utility, utility, np.ones(COUNT), np.zeros(COUNT), np.zeros(COUNT)])
        found.append(example(number, model_inputs, bool(outcomes[number])))
    return found


def fed(trainer: Trainer, matured: list[Matured], batch: int, *, stored: bool = False) -> list[Version | Measured]:
    said: list[Version | Measured] = []
    for start in range(0, len(matured), batch):
        part = matured[start : start + batch]
        for one in part:
            trainer.add(one)
        said += trainer.close(part[-1].matured_time // DAY_MS)
        if stored:
            trainer = pickle.loads(pickle.dumps(trainer))
    said += trainer.close(matured[-1].matured_time // DAY_MS + 1)
    return said


OPTIONS = TrainerOptions(examples_per_version=512, health_days=3)


def test_the_same_examples_give_the_same_weights_however_fed_and_restarted() -> None:
    matured = examples(1_100)
    whole = fed(Trainer(OPTIONS), matured, 10**6)
    assert [one.version for one in whole if isinstance(one, Version) and one.champion] == [
        "logistic-30-512", "logistic-30-1024",
    ]  # fmt: skip
    assert fed(Trainer(OPTIONS), matured, 177, stored=True) == whole


def test_health_tells_of_every_lender_and_model_once_there_is_enough() -> None:
    said = fed(Trainer(OPTIONS), examples(700), 10**6)
    measured = [one for one in said if isinstance(one, Measured)]
    assert {(one.model_id, one.lender) for one in measured} == {
        (model, lender) for model in ("logistic", "forest") for lender in (None, "lender-0", "lender-1")
    }
    last = [one for one in measured if one.lender is None and one.champion][-1].health
    assert last.auc is not None
    assert 0.55 < last.auc.value < 0.95
    assert last.auc.low < last.auc.value < last.auc.high
    assert last.psi is not None
    assert last.reliability is not None
    assert sum(last.reliability.examples) == last.examples
    assert len(last.indicator_psi) == COUNT
    assert all(one.reason_consistency is None for one in measured), "nobody is pointed out"
    assert measured[0].health.auc is None or measured[0].health.examples >= 100


def test_the_first_reasons_of_those_pointed_out_are_tried() -> None:
    pointed = [replace(one, prediction=replace(one.prediction, level="TENSE")) for one in examples(700)]
    said = fed(Trainer(OPTIONS), pointed, 10**6)
    measured = [one for one in said if isinstance(one, Measured) and one.reason_consistency is not None]
    assert measured
    for one in measured:
        assert (one.model_id, one.lender) == ("logistic", None)
        assert 0.5 < (one.reason_consistency or 0.0) < 1.0
        assert contract_values.health_value(one)["reason_consistency"] == one.reason_consistency


def test_lead_time_is_from_the_first_row_at_tense_to_the_default() -> None:
    def row(number: int, days_before: float, level: str) -> Matured:
        one = example(number, np.ones((COUNT, 5)), defaulted=True)
        at = one.prediction.time + round(days_before * DAY_MS)
        return replace(one, prediction=replace(one.prediction, level=level, borrower_id=f"b{number}"), defaulted_at=at)

    found: list[Matured] = []
    for number in range(0, 2_000, 40):
        first = row(number, 20.0 if number < 400 else 10.0, "TENSE")
        again = replace(first.prediction, time=first.prediction.time + 5 * DAY_MS, snapshot_id=f"again{number}")
        before = replace(first.prediction, time=first.prediction.time - DAY_MS, snapshot_id=f"w{number}", level="WATCH")
        found += [first, replace(first, example_id=f"a{number}", prediction=again),
                  replace(first, example_id=f"w{number}", prediction=before)]  # fmt: skip
    said = [one for one in fed(Trainer(replace(OPTIONS, batch=30)), found, 10**6) if isinstance(one, Measured)]
    told = [contract_values.health_value(one)["lead_time_days"] for one in said if one.champion and one.lender is None]
    assert told[0] is None, "too few defaults at first"
    assert told[-1] == 10.0
    assert {one.lead_time_days for one in said if not one.champion} == {None}, "it gives no level"


def test_a_champion_that_got_worse_is_kept_back_with_the_reason() -> None:
    trainer = Trainer(replace(OPTIONS, examples_per_version=750))
    good = examples(1_500)
    fed(trainer, good, 10**6)
    before = trainer.in_force_version
    trainer.champion = Mute(INDEX_INPUTS, 0.04)
    later = [example(2_000 + number, np.array(one.prediction.model_inputs), one.outcome is ExampleOutcome.DEFAULTED)
             for number, one in enumerate(good)]  # fmt: skip
    said = [one for one in fed(trainer, later, 10**6) if isinstance(one, Version) and one.champion]
    assert [one.in_force for one in said[1:]] == [False]
    assert "worse" in said[-1].reason
    assert trainer.in_force_version in (before, said[0].version)


def test_a_forest_that_a_person_promoted_stands_until_a_person_decides() -> None:
    trainer = Trainer(replace(OPTIONS, examples_per_version=250))
    fed(trainer, examples(300), 10**6)
    trainer.put_in_force("forest-30-3072", forest())
    later = [example(2_000 + number, np.array(one.prediction.model_inputs), one.outcome is ExampleOutcome.DEFAULTED)
             for number, one in enumerate(examples(1_500))]  # fmt: skip
    said = fed(trainer, later, 10**6)
    candidates = [one for one in said if isinstance(one, Version) and one.champion]
    assert candidates
    for one in candidates:
        assert not one.in_force
        assert (one.parent, contract_values.version_value(one, [])["status"]) == ("forest-30-3072", "REFUSED")
        assert "stands until a person decides" in one.reason
    assert trainer.in_force_version == "forest-30-3072"
    serving = [one for one in said if isinstance(one, Measured) and one.champion and one.lender is None]
    assert {(one.model_id, one.version) for one in serving} == {("forest", "forest-30-3072")}
    model_inputs = np.array([one.prediction.model_inputs for one in later])
    expected = forest().pd(inputs_of(model_inputs, trainer.options.neutral_utility)[1])
    noted = {(row.borrower, row.time): row.in_force for row in trainer.window.rows[30]}
    for one, pd_served in zip(later, expected, strict=True):
        place = one.prediction.borrower_id, one.prediction.time
        if place in noted:
            assert noted[place] == pytest.approx(pd_served, abs=1e-12)
    trainer.put_in_force("expert-1", Trainer(OPTIONS).in_force)
    more = [example(9_000 + number, np.array(one.prediction.model_inputs), one.outcome is ExampleOutcome.DEFAULTED)
            for number, one in enumerate(examples(1_500))]  # fmt: skip
    taken = [one for one in fed(trainer, more, 10**6) if isinstance(one, Version) and one.in_force]
    assert taken, "the trainer's own versions are taken again"


def test_a_published_version_tells_the_horizon_it_learned() -> None:
    matured = [replace(one, horizon_days=60) for one in examples(1_100)]
    outputs = fed(Trainer(replace(OPTIONS, examples_per_version=1_024, horizon_days=60)), matured, 10**6)
    versions = [one for one in outputs if isinstance(one, Version)]
    assert {one.model_id for one in versions} == {"logistic", "forest"}
    for one in versions:
        assert contract_values.version_value(one, [])["horizon_days"] == 60
        assert one.version.split("-")[1] == "60"


def test_memory_is_bounded() -> None:
    trainer = Trainer(TrainerOptions(window=150, examples_per_version=128))
    fed(trainer, examples(300), 10**6)
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    later = [example(5_000 + n, np.array(one.prediction.model_inputs), one.outcome is ExampleOutcome.DEFAULTED)
             for n, one in enumerate(examples(300))]  # fmt: skip
    given = tracemalloc.get_traced_memory()[0]
    fed(trainer, later, 10**6)
    del later
    grown = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    assert grown < max(3_000_000, given - before)
    assert len(trainer.window.rows[30]) == 150
    assert FEATURES == 3 * COUNT
