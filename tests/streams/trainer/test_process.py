"""The trainer as a process on a real broker: killed at any point, it ends with the weights of an undisturbed run."""

import os
import random
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from confluent_kafka import Producer

from loanpulse.schemas.partitioning import partition_of
from loanpulse.schemas.topics import (
    LIQUIDITY_SNAPSHOTS,
    MODEL_HEALTH,
    MODEL_SNAPSHOTS,
    TRAINING_EXAMPLES,
    full_name,
)
from loanpulse.settings import Settings, load
from loanpulse.settings.broker import producer_properties
from loanpulse.streams.learning import contract_values
from loanpulse.streams.learning.learning_loop import LearningState
from loanpulse.streams.learning.outputs import Version
from loanpulse.streams.trainer.app import label_options, trainer_options
from tests.support.brokers import PARTITIONS, environment
from tests.support.learning_book import Record, book
from tests.support.processes import CODEC, Reader, kill, part

pytestmark = [pytest.mark.integration, pytest.mark.timeout(280)]


def undisturbed(settings: Settings, records: list[Record]) -> dict[str, str]:
    """The digest of every version that one uninterrupted run makes of the records."""
    state = LearningState.new(label_options(settings), trainer_options(settings))
    for _, topic, value in records:
        partition = partition_of(value["borrower_id"].encode(), PARTITIONS)
        value = CODEC.decode(topic, CODEC.encode(topic, value))
        if topic == LIQUIDITY_SNAPSHOTS:
            state.labeller.add_snapshot(partition, contract_values.prediction_of(value))
        else:
            state.labeller.add_repayment(partition, contract_values.repayment_of(value))
    for partition in range(PARTITIONS):
        for matured in state.labeller.matured(partition, repayments_done=True):
            value = CODEC.encode(TRAINING_EXAMPLES, contract_values.example_value(matured))
            state.examples.add(partition, contract_values.matured_of(CODEC.decode(TRAINING_EXAMPLES, value)))
    said = state.examples.close(dict.fromkeys(range(PARTITIONS), True), {})
    return {one.version: contract_values.version_value(one, [])["sha256"] for one in said if isinstance(one, Version)}


def publish(settings: Settings, records: list[Record]) -> None:
    producer = Producer(producer_properties(settings))
    for at, topic, value in records:
        name = full_name(topic, settings.topics.prefix)
        key = value["borrower_id"].encode()
        producer.produce(name, key=key, value=CODEC.encode(topic, value), timestamp=at)
        producer.poll(0)
    assert producer.flush(60) == 0


@pytest.fixture
def learning(deployment: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """The deployment with small versions, so that a test sees several."""
    for name, value in {"EXAMPLES_PER_VERSION": "256", "HORIZONS": "30", "CHECKPOINT_SECONDS": "0.3"}.items():
        monkeypatch.setenv(f"LOANPULSE_LEARNING__{name}", value)
    folder = Path(deployment.streams.data_dir).parent / "learning"
    monkeypatch.setenv("LOANPULSE_LEARNING__DATA_DIR", str(folder))
    own = {name: value for name, value in os.environ.items() if name.startswith("LOANPULSE_LEARNING")}
    return load(environment=environment(deployment) | own)


@pytest.fixture
def reader(learning: Settings) -> Iterator[Reader]:
    reader = Reader(learning, MODEL_SNAPSHOTS, MODEL_HEALTH, TRAINING_EXAMPLES)
    yield reader
    reader.close()


def digests(reader: Reader) -> dict[str, str]:
    found: dict[str, str] = {}
    for value in reader.values(MODEL_SNAPSHOTS):
        known = found.setdefault(value["model_version"], value["sha256"])
        assert known == value["sha256"], "a version must never mean two things"
    return found


def test_killed_at_any_point_it_ends_with_the_same_weights(learning: Settings, reader: Reader, tmp_path: Path) -> None:
    records = book()
    expected = undisturbed(learning, records)
    assert len(expected) >= 4
    dice = random.Random(3)
    quarter = len(records) // 4 + 1
    for start in range(0, len(records), quarter):
        publish(learning, records[start : start + quarter])  # while it was down
        with part(learning, tmp_path / "logs", "trainer") as trainer:
            if start + quarter >= len(records):
                reader.read_until(lambda: set(digests(reader)) >= set(expected), 180)
                break
            reader.read_to_end()
            before = len(reader.messages[TRAINING_EXAMPLES])
            reader.read_until(lambda before=before: len(reader.messages[TRAINING_EXAMPLES]) > before)
            time.sleep(dice.uniform(0.0, 1.0))
            kill(trainer)
    assert digests(reader) == expected
    examples = {value["example_id"]: value for value in reader.values(TRAINING_EXAMPLES)}
    assert {value["outcome"] for value in examples.values()} >= {"CURRENT", "DEFAULTED"}
    reader.read_until(lambda: any(value["auc"] is not None for value in reader.values(MODEL_HEALTH)), 20)
