"""A trainer that was down catches up from its topics with the weights of one that never was."""

from dataclasses import dataclass, field
from pathlib import Path

import pytest

from loanpulse.schemas.topics import LIQUIDITY_SNAPSHOTS, MODEL_SNAPSHOTS, REPAYMENT_EVENTS, TRAINING_EXAMPLES
from loanpulse.streams.learning.labels import LabelOptions
from loanpulse.streams.learning.learning_loop import LearningState
from loanpulse.streams.learning.trainer import TrainerOptions
from loanpulse.streams.models.scorecard import scorecard_to_bytes
from loanpulse.streams.trainer import state_file
from loanpulse.streams.trainer.process import TrainerProcess
from tests.support.grown_forest import promoted
from tests.support.learning_book import FIRST_DAY, Record, book
from tests.support.memory_topics import MemoryTopics
from tests.support.processes import CODEC

PARTITIONS, DAYS = 2, 120
LEDGER, TRAINER = LabelOptions((30,)), TrainerOptions(examples_per_version=128)
SOURCES = (LIQUIDITY_SNAPSHOTS, REPAYMENT_EVENTS, TRAINING_EXAMPLES, MODEL_SNAPSHOTS)


@dataclass(slots=True)
class Running:
    """The trainer's own process on topics in memory; a second passes at each step. Its state is stored every twelve."""

    folder: Path
    topics: MemoryTopics
    process: TrainerProcess = field(init=False)
    _now: float = 0.0

    def __post_init__(self) -> None:
        self.start()

    def start(self) -> None:
        """Start anew from what was stored, as after SIGKILL; what was learned since is lost."""
        state = state_file.restore(self.folder) or LearningState.new(LEDGER, TRAINER)
        self.process = TrainerProcess(
            state, CODEC, self.topics, self.folder, PARTITIONS,  # type: ignore[arg-type]
            lambda topic, partition, reached: reached >= self.topics.end(topic, partition),
            checkpoint_seconds=12.0, monotonic=lambda: self._now,
        )  # fmt: skip

    def turn(self) -> None:
        """Take all that the topics hold, and make a step."""
        for topic in SOURCES:
            for partition in range(PARTITIONS):
                reached = self.process.state.offsets.get((topic, partition), 0)
                records = self.topics.fetched(topic, partition, reached)
                if records is not None:
                    self.process.take(topic, partition, records)
        self.process.step()
        self._now += 1.0

    def finish(self) -> bytes:
        """Go on until nothing more comes; returns the champion's weights."""
        for _ in range(20):
            self.turn()
        return scorecard_to_bytes(self.process.state.examples.trainer.champion.scorecard())


def publish(topics: MemoryTopics, records: list[Record]) -> None:
    for _, topic, value in records:
        topics.produce(topic, value["borrower_id"].encode(), CODEC.encode(topic, value))


def run(folder: Path, down: range) -> tuple[bytes, set[tuple[str, str]]]:
    """Publish a day after the other; the trainer is killed as ``down`` begins and comes back when it has passed."""
    topics = MemoryTopics(PARTITIONS)
    running = Running(folder, topics)
    by_day: dict[int, list[Record]] = {}
    for record in book(30, DAYS):
        by_day.setdefault(record[0] // 86_400_000 - FIRST_DAY, []).append(record)
    for day in range(DAYS):
        publish(topics, by_day.get(day, []))
        if day == down.stop:
            running.start()
        if day not in down:
            running.turn()
    weights = running.finish()
    versions = {(one["model_version"], one["sha256"]) for one in topics.values(MODEL_SNAPSHOTS, CODEC.decode)}
    return weights, versions


@pytest.fixture(scope="module")
def never_down(tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, set[tuple[str, str]]]:
    weights, versions = run(tmp_path_factory.mktemp("never"), range(0))
    assert len([name for name, _ in versions if name.startswith("logistic")]) >= 2, "it has learned"
    return weights, versions


@pytest.mark.parametrize("down", [range(70, 71), range(45, 100)], ids=["a day", "eight weeks"])
def test_a_trainer_that_was_down_catches_up(
    down: range, tmp_path: Path, never_down: tuple[bytes, set[tuple[str, str]]]
) -> None:
    assert run(tmp_path, down) == never_down


def test_a_forest_promoted_by_a_person_stands_through_a_restart(tmp_path: Path) -> None:
    topics = MemoryTopics(PARTITIONS)
    running = Running(tmp_path, topics)
    records = book(30, DAYS)
    publish(topics, records[: len(records) // 2])
    running.finish()
    for value in (promoted(0), promoted(0, "damaged") | {"sha256": "0" * 64}):
        topics.produce(MODEL_SNAPSHOTS, b"champion", CODEC.encode(MODEL_SNAPSHOTS, value))
    running.finish()
    running.start()
    trainer = running.process.state.examples.trainer
    assert trainer.in_force_version == "forest-30-3072"
    before = trainer.examples
    publish(topics, records[len(records) // 2 :])
    running.finish()
    trainer = running.process.state.examples.trainer
    assert trainer.examples > before
    assert trainer.in_force_version == "forest-30-3072"
