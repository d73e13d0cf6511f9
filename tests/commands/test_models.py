"""`loanpulse models` on a broker: versions are listed, and who decided what and why is kept."""

import math
import os
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest
from confluent_kafka import Producer
from typer.testing import CliRunner

from loanpulse.commands.main import app
from loanpulse.schemas import json_form
from loanpulse.schemas.topics import MODEL_SNAPSHOTS, full_name
from loanpulse.settings import Settings
from loanpulse.settings.broker import producer_properties
from loanpulse.streams.directives.directives import Directives
from loanpulse.streams.directives.kinds import DIRECTIVE_KINDS
from loanpulse.streams.indicators.catalogue import COUNT, INDICATORS, NAMES
from loanpulse.streams.learning import contract_values
from loanpulse.streams.learning.outputs import Version
from loanpulse.streams.learning.trainer import FEATURES
from loanpulse.streams.models.challenger_weights import challenger_to_bytes
from loanpulse.streams.models.flat_challenger import FlatChallenger, PublishedChallenger
from loanpulse.streams.models.flat_tree import LEAF, FlatTree
from loanpulse.streams.models.scorecard import Scorecard, scorecard_to_bytes
from loanpulse.streams.models.segments import Segments
from loanpulse.streams.models.versions import served_in_force
from loanpulse.streams.policy import policy_file
from loanpulse.streams.trainer.process import published
from tests.support.brokers import environment
from tests.support.processes import CODEC, Reader

pytestmark = pytest.mark.integration


def version(number: int, parent: str, *, in_force: bool) -> Version:
    weights = scorecard_to_bytes(Scorecard(NAMES, np.full(COUNT, number / 10), 3.0))
    name = f"logistic-30-{number}"
    return Version("logistic", name, parent, True, in_force, number * 1_000, number, "test", weights, "a reason")


def forest() -> Version:
    """A challenger that splits once: by the arrears' counted utility."""
    feature = np.array([NAMES.index("arrears"), LEAF, LEAF], np.int32)
    tree = FlatTree(
        feature, np.array([0.0, 0.0, 0.0]), np.array([1, LEAF, LEAF], np.int32), np.array([2, LEAF, LEAF], np.int32),
        np.array([0.2, 0.8, 0.1]),
    )  # fmt: skip
    model = FlatChallenger(Segments(((),) * FEATURES), np.zeros(0), 0.0, (tree,), np.array([0.0, 0.0, 1.0]), 0.0)
    weights = challenger_to_bytes(PublishedChallenger(model, Scorecard(NAMES, np.ones(COUNT), 3.0)))
    return Version("forest", "forest-30-2", "logistic-30-3", False, False, 2_000, 2, "test", weights, "beside")


def unsound() -> Version:
    """A challenger whose tree goes round in a circle."""
    model = FlatChallenger(
        Segments(((),) * FEATURES), np.zeros(0), 0.0,
        (FlatTree(np.zeros(1, np.int32), np.zeros(1), np.zeros(1, np.int32), np.zeros(1, np.int32), np.zeros(1)),),
        np.ones(3), 0.0,
    )  # fmt: skip
    weights = challenger_to_bytes(PublishedChallenger(model, Scorecard(NAMES, np.ones(COUNT), 3.0)))
    return Version("forest", "forest-30-3", "logistic-30-3", False, False, 3_000, 3, "test", weights, "beside")


@pytest.fixture
def models(deployment: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    for name, value in environment(deployment).items():
        monkeypatch.setenv(name, value)
    producer = Producer(producer_properties(deployment))
    for one in (
        version(1, "expert-1", in_force=True),
        version(2, "logistic-30-1", in_force=True),
        version(3, "logistic-30-2", in_force=False),
        forest(),
        unsound(),
    ):
        for key, value in published(one, [0]):
            topic = full_name(MODEL_SNAPSHOTS, deployment.topics.prefix)
            producer.produce(topic, key=key.encode(), value=CODEC.encode(MODEL_SNAPSHOTS, value))
    assert producer.flush(30) == 0
    return deployment


def run(*arguments: str) -> str:
    result = CliRunner().invoke(app, ["models", *arguments], env={**os.environ, "COLUMNS": "200"})
    assert result.exit_code == 0, result.output
    return result.output


def test_versions_are_listed_promoted_and_rolled_back(models: Settings) -> None:
    assert "in force: logistic-30-2" in run("list")
    assert "REFUSED" in run("list")
    shown = run("show", "logistic-30-3")
    assert "a reason" in shown
    assert "0.3000" in shown
    run("promote", "logistic-30-3", "--by", "Wang", "--why", "reviewed")
    assert "in force: logistic-30-3" in run("list")
    shown = run("show", "logistic-30-3")
    assert "Wang" in shown
    assert "reviewed" in shown
    assert "RETIRED" in run("list")
    run("rollback", "--by", "Li", "--why", "complaints")
    assert "in force: logistic-30-2" in run("list")
    reader = Reader(models, MODEL_SNAPSHOTS)
    reader.read_until(lambda: len(reader.messages[MODEL_SNAPSHOTS]) >= 12, 20)
    decided = [value for value in reader.values(MODEL_SNAPSHOTS) if value["decided_by"] == "Li"]
    reader.close()
    assert {(value["model_version"], value["reason"]) for value in decided} == {
        ("logistic-30-2", "rolled back to: complaints")
    }


def test_a_forest_is_promoted_and_gone_back_from(models: Settings) -> None:
    assert "1 trees, 2 leaves" in run("show", "forest-30-2")
    run("promote", "forest-30-2", "--by", "Wang", "--why", "a year beside the champion")
    assert "in force: forest-30-2" in run("list")
    shown = run("show", "forest-30-2")
    assert "1 trees, 2 leaves" in shown
    assert "CHAMPION" in shown
    reader = Reader(models, MODEL_SNAPSHOTS)
    reader.read_until(lambda: any(value["decided_by"] == "Wang" for value in reader.values(MODEL_SNAPSHOTS)), 20)
    decided = [value for value in reader.values(MODEL_SNAPSHOTS) if value["decided_by"] == "Wang"]
    reader.close()
    controls = Directives(DIRECTIVE_KINDS)
    for value in decided:
        controls.add(MODEL_SNAPSHOTS, value)
    assert [order.content.version for order in controls.known()] == ["forest-30-2"], "workers apply it"
    run("rollback", "--by", "Li", "--why", "complaints")
    assert "in force: logistic-30-2" in run("list"), "what stood before, not the candidate that the forest weighs"


def test_the_experts_scorecard_can_always_be_gone_back_to(models: Settings) -> None:
    assert "expert-1" in run("list")
    run("rollback", "--to", "logistic-30-1", "--by", "Wang", "--why", "complaints")
    run("rollback", "--by", "Wang", "--why", "more complaints")
    assert "in force: expert-1" in run("list")
    reader = Reader(models, MODEL_SNAPSHOTS)
    reader.read_until(lambda: any(value["model_version"] == "expert-1" for value in reader.values(MODEL_SNAPSHOTS)), 20)
    decided = [value for value in reader.values(MODEL_SNAPSHOTS) if value["model_version"] == "expert-1"]
    reader.close()
    assert {(value["status"], value["decided_by"]) for value in decided} == {("IN_FORCE", "Wang")}
    scorecard = served_in_force(decided[0])
    assert isinstance(scorecard, Scorecard)
    assert scorecard.weights.tolist() == [indicator.weight for indicator in INDICATORS]
    run("promote", "logistic-30-2", "--by", "Wang", "--why", "mended")
    assert "in force: logistic-30-2" in run("list")


def test_one_score_is_explained_by_any_version(models: Settings, tmp_path: Path) -> None:
    file = tmp_path / "snapshots.jsonl"
    file.write_bytes(b"\n".join(orjson.dumps({"topic": "liquidity-snapshots", "value": one}) for one in scores()))
    by_experts = orjson.loads(run("explain", str(file), "--version", "expert-1", "--borrower", "b2", "--json"))
    assert by_experts["snapshot_id"] == "b2-9"
    parameters = policy_file.load().parameters
    weight = parameters["factor"] * np.array([indicator.weight for indicator in INDICATORS])
    utility = np.where(np.array(NAMES) == "usage_shock", parameters["neutral_utility"], 0.9)
    assert list(by_experts["points_lost"].values()) == pytest.approx(list(weight * (1.0 - utility)))
    assert by_experts["lhi"] == pytest.approx(by_experts["start"] - sum(by_experts["points_lost"].values()))
    in_force = orjson.loads(run("explain", str(file), "--snapshot", "b1-3", "--json"))
    assert (in_force["explained_by"], in_force["borrower_id"]) == ("logistic-30-2", "b1")
    assert len(set(in_force["points_lost"].values())) == 2, "that version gives all the same weight; one is not known"
    exact = orjson.loads(run("explain", str(file), "--version", "forest-30-2", "--borrower", "b0", "--json"))
    assert (exact["method"], exact["pd"]) == ("exact points", pytest.approx(0.8))
    assert exact["lhi"] == pytest.approx(max(0.0, exact["start"] - sum(exact["points_lost"].values())))
    assert {name for name, points in exact["points_lost"].items() if points != 0.0} == {"arrears"}
    by_forest = orjson.loads(
        run("explain", str(file), "--version", "forest-30-2", "--borrower", "b0", "--others", "--json")
    )
    lost = {name: points for name, points in by_forest["points_lost"].items() if points != 0.0}
    assert list(lost) == ["arrears"], "nothing else is read"
    assert by_forest["pd"] == pytest.approx(0.8)
    assert by_forest["permutations"] >= 1
    assert "arrears" in run("explain", str(file))
    nobody = CliRunner().invoke(app, ["models", "explain", str(file), "--version", "expert-1", "--borrower", "b9"])
    assert nobody.exit_code == 1


def scores() -> list[dict[str, Any]]:
    """Snapshots of three borrowers, each better off than the one before; a reading's utility is 0.1 to 0.9."""
    return [
        json_form.to_json("liquidity-snapshots", one)
        for number in range(3)
        for step in (3, 9)
        for one in [snapshot(number, step)]
    ]


def snapshot(number: int, step: int) -> dict[str, Any]:
    instant, utility = contract_values.instant(20_000 * 86_400_000 + step), 0.1 + 0.4 * number
    reading = {"value": 1.0, "utility": utility, "evidence": 1.0, "points": 0.0, "age_days": 1.0}
    return {
        "snapshot_id": f"b{number}-{step}", "borrower_id": f"b{number}", "event_time": instant, "cause": "EVENT",
        "lhi": 50.0, "pd": 0.1, "level": "WATCH", "previous_level": "WATCH", "confidence": 1.0, "days_past_due": 0,
        "overdue_amount": Decimal("0.00"), "open_loans": 1, "lender_ids": ["lender-a"], "model_version": "expert-1",
        "policy_version": "1", "known_at": instant, **dict.fromkeys(NAMES, reading),
        "usage_shock": reading | {"value": math.nan, "evidence": 0.0, "age_days": -1.0},
    }  # fmt: skip


def test_a_version_that_is_not_there_and_a_decision_of_nobody_are_refused(models: Settings) -> None:
    unknown = CliRunner().invoke(app, ["models", "promote", "logistic-30-9", "--by", "Wang", "--why", "x"])
    assert unknown.exit_code == 1
    circle = CliRunner().invoke(app, ["models", "promote", "forest-30-3", "--by", "Wang", "--why", "x"])
    assert circle.exit_code == 1
    assert "leads nowhere" in circle.output
    nobody = CliRunner().invoke(app, ["models", "promote", "logistic-30-3", "--by", " ", "--why", "x"])
    assert nobody.exit_code == 2
