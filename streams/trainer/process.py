"""The trainer: it processes fetched batches, and publishes examples, versions and health; it stores its state."""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import structlog

from loanpulse.broker.producer import ANY_PARTITION, DurableProducer
from loanpulse.schemas.codec import Codec, CodecError
from loanpulse.schemas.topics import (
    LIQUIDITY_SNAPSHOTS,
    MODEL_HEALTH,
    MODEL_SNAPSHOTS,
    REPAYMENT_EVENTS,
    TRAINING_EXAMPLES,
    full_name,
)
from loanpulse.streams.faust_kafka.record_batches import FetchedRecords
from loanpulse.streams.learning import contract_values
from loanpulse.streams.learning.learning_loop import LearningState
from loanpulse.streams.learning.outputs import Measured, Version
from loanpulse.streams.models.scorecard import WeightsError
from loanpulse.streams.models.versions import IN_FORCE_KEY, served_in_force
from loanpulse.streams.trainer import state_file

log = structlog.get_logger(__name__)

INPUTS = (LIQUIDITY_SNAPSHOTS, REPAYMENT_EVENTS, TRAINING_EXAMPLES, MODEL_SNAPSHOTS)
GRACE_SECONDS = 3.0
"""A partition counts as idle only after it has delivered nothing for this long."""

Offsets = dict[tuple[str, int], int]


@dataclass(slots=True)
class Counts:
    """Counters since the trainer's start."""

    records: int = 0
    undecodable: int = 0
    examples: int = 0
    learned: int = 0
    versions: int = 0


@dataclass(slots=True)
class TrainerProcess:
    """Drives the learning loop; ``caught_up(topic, partition, next_offset)`` is True if the broker has no more records.

    After a crash outputs may be published again, with the same ids and contents. The state counts every record once: it
    is stored together with its offsets, and records before those are skipped.
    """

    state: LearningState
    codec: Codec
    producer: DurableProducer
    folder: Path
    partitions: int
    caught_up: Callable[[str, int, int], bool]
    prefix: str = ""
    groups: Mapping[str, str] = field(default_factory=dict)
    checkpoint_seconds: float = 10.0
    monotonic: Callable[[], float] = time.monotonic
    counts: Counts = field(default_factory=Counts)
    _last_data: dict[tuple[str, int], float] = field(default_factory=dict)
    _stored_at: float = 0.0
    _changed: bool = False

    def take(self, topic: str, partition: int, records: FetchedRecords) -> None:
        """Process a fetched batch of one of the input topics."""
        name = topic.removeprefix(self.prefix)
        for row, offset in enumerate(records.offsets.tolist()):
            source = (name, partition)
            if offset < self.state.offsets.get(source, 0):
                continue
            self.state.offsets[source] = offset + 1
            self._last_data[source] = self.monotonic()
            self._changed = True
            self.counts.records += 1
            try:
                self._add(name, partition, self.codec.decode(topic, records.values[row]))
            except CodecError:
                # The workers read the same topic and publish the dead letter.
                self.counts.undecodable += 1

    def _add(self, name: str, partition: int, value: dict[str, Any]) -> None:
        if name == LIQUIDITY_SNAPSHOTS:
            self.state.labeller.add_snapshot(partition, contract_values.prediction_of(value))
        elif name == REPAYMENT_EVENTS:
            self.state.labeller.add_repayment(partition, contract_values.repayment_of(value))
        elif name == TRAINING_EXAMPLES:
            self.counts.learned += self.state.examples.add(partition, contract_values.matured_of(value))
        elif value["decided_by"] != contract_values.TRAINER:
            self._follow(value)

    def _follow(self, value: dict[str, Any]) -> None:
        """Continue from a version that a person has put in force."""
        try:
            served = served_in_force(value)
        except WeightsError as error:
            log.error("a version put in force can't be used", version=value["model_version"], reason=str(error))
            return
        if served is not None:
            self.state.examples.trainer.put_in_force(value["model_version"], served)

    def step(self, *, stopping: bool = False) -> Offsets:
        """Label, learn and publish; returns the durable offsets, empty if this step did not store the state."""
        for partition in range(self.partitions):
            done = self._is_idle(REPAYMENT_EVENTS, partition)
            for matured in self.state.labeller.matured(partition, repayments_done=done):
                key, value = matured.prediction.borrower_id, contract_values.example_value(matured)
                self._produce(TRAINING_EXAMPLES, key, value, partition)
                self.counts.examples += 1
        idle = {partition: self._has_no_more(partition) for partition in range(self.partitions)}
        for output in self.state.examples.close(idle, self.groups):
            self._publish(output)
        due = self.monotonic() - self._stored_at >= self.checkpoint_seconds
        if not self._changed or not (due or stopping):
            return {}
        self.producer.flush()
        state_file.store(self.folder, self.state)
        self._stored_at, self._changed = self.monotonic(), False
        return {(full_name(name, self.prefix), part): at for (name, part), at in self.state.offsets.items()}

    def _has_no_more(self, partition: int) -> bool:
        """Return True if a partition has no examples for now, neither to be read nor to be labelled."""
        sources = (LIQUIDITY_SNAPSHOTS, REPAYMENT_EVENTS, TRAINING_EXAMPLES)
        quiet = all(self._is_idle(name, partition) for name in sources)
        return quiet and self.state.examples.has_all(partition, self.state.labeller)

    def _is_idle(self, name: str, partition: int) -> bool:
        if self.monotonic() - self._last_data.setdefault((name, partition), self.monotonic()) < GRACE_SECONDS:
            return False
        return self.caught_up(full_name(name, self.prefix), partition, self.state.offsets.get((name, partition), 0))

    def _publish(self, output: Version | Measured) -> None:
        if isinstance(output, Measured):
            if output.health.drifted:
                log.warning(
                    "drift", model=output.model_id, lender=output.lender, moved=list(output.health.moved),
                    horizon_days=output.horizon_days,
                )  # fmt: skip
            self._produce(MODEL_HEALTH, output.model_id, contract_values.health_value(output))
            return
        offsets = [self.state.offsets.get((TRAINING_EXAMPLES, part), 0) for part in range(self.partitions)]
        for key, value in published(output, offsets):
            self._produce(MODEL_SNAPSHOTS, key, value)
        self.counts.versions += 1
        log.info("version", version=output.version, in_force=output.in_force, reason=output.reason)

    def _produce(self, name: str, key: str, value: dict[str, Any], partition: int = ANY_PARTITION) -> None:
        topic = full_name(name, self.prefix)
        self.producer.produce(topic, key.encode(), self.codec.encode(topic, value), partition=partition)


def published(version: Version, offsets: list[int]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the records of a version: one under its own key, and one under ``IN_FORCE_KEY`` if it is in force."""
    value = contract_values.version_value(version, offsets)
    yield f"{version.model_id}/{version.version}", value
    if version.in_force:
        yield IN_FORCE_KEY, value
