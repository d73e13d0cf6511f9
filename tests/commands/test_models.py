"""`loanpulse models` on a broker: versions are listed, and who decided what and why is kept."""

import os

import numpy as np
import pytest
from confluent_kafka import Producer
from typer.testing import CliRunner

from loanpulse.commands.main import app
from loanpulse.schemas.topics import MODEL_SNAPSHOTS, full_name
from loanpulse.settings import Settings
from loanpulse.settings.broker import producer_properties
from loanpulse.streams.indicators.catalogue import COUNT, NAMES
from loanpulse.streams.learning.scorecard import Scorecard, scorecard_to_bytes
from loanpulse.streams.learning.trainer import Version
from loanpulse.streams.trainer_process import published
from tests.conftest import environment
from tests.deployment import CODEC, Reader

pytestmark = pytest.mark.integration


def version(number: int, parent: str, *, in_force: bool) -> Version:
    weights = scorecard_to_bytes(Scorecard(NAMES, np.full(COUNT, number / 10), 3.0))
    name = f"logistic-30-{number}"
    return Version("logistic", name, parent, True, in_force, number * 1_000, number, "test", weights, "a reason")


@pytest.fixture
def models(deployment: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    for name, value in environment(deployment).items():
        monkeypatch.setenv(name, value)
    producer = Producer(producer_properties(deployment))
    for one in (
        version(1, "expert-1", in_force=True),
        version(2, "logistic-30-1", in_force=True),
        version(3, "logistic-30-2", in_force=False),
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
    reader.read_until(lambda: len(reader.messages[MODEL_SNAPSHOTS]) >= 11, 20)
    decided = [value for value in reader.values(MODEL_SNAPSHOTS) if value["decided_by"] == "Li"]
    reader.close()
    assert {(value["model_version"], value["reason"]) for value in decided} == {
        ("logistic-30-2", "rolled back to: complaints")
    }


def test_a_version_that_is_not_there_and_a_decision_of_nobody_are_refused(models: Settings) -> None:
    unknown = CliRunner().invoke(app, ["models", "promote", "logistic-30-9", "--by", "Wang", "--why", "x"])
    assert unknown.exit_code == 1
    nobody = CliRunner().invoke(app, ["models", "promote", "logistic-30-3", "--by", " ", "--why", "x"])
    assert nobody.exit_code == 2
