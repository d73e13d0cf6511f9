"""The learning loop as its drivers use it: snapshots and repayments in, training examples, models and health out.

Backtest and the trainer's process both drive it. Its state can be stored between any two steps; what comes after is
the same as had it gone on.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from loanpulse.streams.learning.labels import (
    DAY_MS,
    LabelOptions,
    LabelQueue,
    LeakError,
    Matured,
    Prediction,
    Repayment,
)
from loanpulse.streams.learning.trainer import Output, Trainer, TrainerOptions

Place = tuple[int, str, int]
"""Where an example stands in its partition's order of maturity."""
NOWHERE: Place = (-1, "", -1)

PATIENCE_DAYS = 14
"""A partition that has nothing more to give holds the others up for at most so many days of event time."""


def place_of(example: Matured) -> Place:
    """Return where an example stands in its partition's order of maturity."""
    return example.matured_time, example.prediction.snapshot_id, example.horizon_days


@dataclass(slots=True)
class Labeller:
    """The ledgers of all partitions, each carried as far as both of its topics have come."""

    options: LabelOptions = field(default_factory=LabelOptions)
    leaks: int = 0
    ledgers: dict[int, LabelQueue] = field(default_factory=dict)
    said: dict[int, Place] = field(default_factory=dict)
    """The last example given, per partition."""
    _reached: dict[tuple[int, str], int] = field(default_factory=dict)

    def _ledger(self, partition: int) -> LabelQueue:
        return self.ledgers.setdefault(partition, LabelQueue(self.options))

    def _note(self, partition: int, source: str, time: int) -> None:
        self._reached[partition, source] = max(time, self._reached.get((partition, source), -1))

    def add_snapshot(self, partition: int, prediction: Prediction) -> None:
        """Take a snapshot; one that was known before its own moment is counted as a leak and never learned from."""
        self._note(partition, "snapshots", prediction.time)
        try:
            self._ledger(partition).add_snapshot(prediction)
        except LeakError:
            self.leaks += 1

    def add_repayment(self, partition: int, event: Repayment) -> None:
        """Take a repayment event."""
        self._note(partition, "repayments", event.time)
        self._ledger(partition).add_repayment(event)

    def matured(self, partition: int, *, repayments_done: bool) -> Iterator[Matured]:
        """Yield what has matured in a partition, by the time that its snapshots have reached.

        Repayments must have come as far, unless ``repayments_done`` says that there are no more for now.
        """
        limit = self._reached.get((partition, "snapshots"), -1)
        if not repayments_done:
            limit = min(limit, self._reached.get((partition, "repayments"), -1))
        if partition in self.ledgers and limit > self.ledgers[partition].advanced_to:
            for one in self.ledgers[partition].advance(limit):
                self.said[partition] = place_of(one)
                yield one


@dataclass(slots=True)
class Examples:
    """Training examples of all partitions on their way to the trainer, each taken once.

    Within a partition they come in the order of maturity. A labeller that was killed says some again, from an
    earlier place on; what is not after the last one taken has been taken.
    """

    trainer: Trainer
    _last: dict[int, Place] = field(default_factory=dict)

    def add(self, partition: int, example: Matured) -> bool:
        """Take an example; returns whether it was new."""
        place = place_of(example)
        if place <= self._last.get(partition, NOWHERE):
            return False
        self._last[partition] = place
        self.trainer.add(example)
        return True

    def has_all(self, partition: int, labeller: Labeller) -> bool:
        """Tell whether all that the labeller said of a partition has come back by its topic."""
        return self._last.get(partition, NOWHERE) >= labeller.said.get(partition, NOWHERE)

    def close(self, idle: Mapping[int, bool], groups: Mapping[str, str]) -> Iterator[Output]:
        """Close the days that every partition has passed; an idle one is not waited for beyond some days."""
        if not self._last:
            return
        furthest = max(place[0] for place in self._last.values()) // DAY_MS
        days = []
        for partition, is_idle in idle.items():
            day = self._last.get(partition, NOWHERE)[0] // DAY_MS
            days.append(max(day, furthest - PATIENCE_DAYS) if is_idle else day)
        yield from self.trainer.close(min(days, default=-1), groups)


@dataclass(slots=True)
class LearningState:
    """All that the trainer's process must keep, with the offsets that it stands for."""

    labeller: Labeller
    examples: Examples
    offsets: dict[tuple[str, int], int] = field(default_factory=dict)

    @classmethod
    def new(cls, ledger: LabelOptions, trainer: TrainerOptions) -> "LearningState":
        """Return the state before the first record."""
        return cls(Labeller(ledger), Examples(Trainer(trainer)))
