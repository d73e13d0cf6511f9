"""The learning loop as its drivers use it: snapshots and repayments in; training examples, versions and health out.

The backtest and the trainer's process both drive it. Its state can be stored between any two steps; a run that
continues from a stored state gives the same results as an uninterrupted one.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from loanpulse.schemas.units import DAY_MS
from loanpulse.streams.learning.labels import (
    LabelOptions,
    LabelQueue,
    LeakError,
    Matured,
    Prediction,
    Repayment,
)
from loanpulse.streams.learning.outputs import Output
from loanpulse.streams.learning.trainer import Trainer, TrainerOptions

Position = tuple[int, str, int]
"""An example's position in its partition's order of maturity: time of maturity (ms), snapshot id, horizon (days)."""
BEFORE_ALL: Position = (-1, "", -1)

PATIENCE_DAYS = 14
"""An idle partition delays the others by at most this many days of event time."""


def position_of(example: Matured) -> Position:
    """Return an example's position in its partition's order of maturity."""
    return example.matured_time, example.prediction.snapshot_id, example.horizon_days


@dataclass(slots=True)
class Labeller:
    """The label queues of all partitions. Each advances to the event time that both of its topics have reached.

    ``leaks`` counts refused snapshots. ``last_given`` is the position of the last example, per partition.
    """

    options: LabelOptions = field(default_factory=LabelOptions)
    leaks: int = 0
    queues: dict[int, LabelQueue] = field(default_factory=dict)
    last_given: dict[int, Position] = field(default_factory=dict)
    _reached_ms: dict[tuple[int, str], int] = field(default_factory=dict)

    def add_snapshot(self, partition: int, prediction: Prediction) -> None:
        """Add a snapshot; one known before its own event time is counted as a leak and never learned from."""
        self._note_reached(partition, "snapshots", prediction.time)
        try:
            self._queue(partition).add_snapshot(prediction)
        except LeakError:
            self.leaks += 1

    def add_repayment(self, partition: int, event: Repayment) -> None:
        """Add a repayment event."""
        self._note_reached(partition, "repayments", event.time)
        self._queue(partition).add_repayment(event)

    def matured(self, partition: int, *, repayments_done: bool) -> Iterator[Matured]:
        """Yield the examples of a partition that have matured by the event time of its newest snapshot.

        The partition's repayments must have reached that time too, unless ``repayments_done``: there are no more now.
        """
        limit_ms = self._reached_ms.get((partition, "snapshots"), -1)
        if not repayments_done:
            limit_ms = min(limit_ms, self._reached_ms.get((partition, "repayments"), -1))
        if partition in self.queues and limit_ms > self.queues[partition].advanced_to:
            for example in self.queues[partition].advance(limit_ms):
                self.last_given[partition] = position_of(example)
                yield example

    def _queue(self, partition: int) -> LabelQueue:
        return self.queues.setdefault(partition, LabelQueue(self.options))

    def _note_reached(self, partition: int, source: str, time_ms: int) -> None:
        self._reached_ms[partition, source] = max(time_ms, self._reached_ms.get((partition, source), -1))


@dataclass(slots=True)
class Examples:
    """Passes the training examples of all partitions to the trainer, each once.

    Within a partition they arrive in the order of maturity. After a crash the labeller emits some examples again:
    any at or before the last one consumed is skipped.
    """

    trainer: Trainer
    _last: dict[int, Position] = field(default_factory=dict)

    def add(self, partition: int, example: Matured) -> bool:
        """Pass an example on; returns False for one seen before."""
        position = position_of(example)
        if position <= self._last.get(partition, BEFORE_ALL):
            return False
        self._last[partition] = position
        self.trainer.add(example)
        return True

    def has_all(self, partition: int, labeller: Labeller) -> bool:
        """Tell whether every example that the labeller gave for a partition has arrived back by its topic."""
        return self._last.get(partition, BEFORE_ALL) >= labeller.last_given.get(partition, BEFORE_ALL)

    def close(self, idle: Mapping[int, bool], groups: Mapping[str, str]) -> Iterator[Output]:
        """Close the days that every partition has passed; ``idle`` ones delay the others by some days only."""
        if not self._last:
            return
        newest_day = max(position[0] for position in self._last.values()) // DAY_MS
        days = []
        for partition, is_idle in idle.items():
            day = self._last.get(partition, BEFORE_ALL)[0] // DAY_MS
            days.append(max(day, newest_day - PATIENCE_DAYS) if is_idle else day)
        yield from self.trainer.close(min(days, default=-1), groups)


@dataclass(slots=True)
class LearningState:
    """All that the trainer's process must keep, with the input offsets (the next ones to read) it is the state at."""

    labeller: Labeller
    examples: Examples
    offsets: dict[tuple[str, int], int] = field(default_factory=dict)

    @classmethod
    def new(cls, labels: LabelOptions, trainer: TrainerOptions) -> "LearningState":
        """Return the state before the first record."""
        return cls(Labeller(labels), Examples(Trainer(trainer)))
