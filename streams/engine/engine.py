"""The engine as its drivers use it: it decodes fetched records and holds the partitions that process them.

The worker, ``loanpulse replay`` and the backtest drive it in the same way. It knows no broker and no clock.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from loanpulse.schemas.registry import SchemaRegistry
from loanpulse.schemas.units import DAY_MS
from loanpulse.schemas.violations import Violation
from loanpulse.streams.directives.directives import Directives
from loanpulse.streams.directives.kinds import DIRECTIVE_KINDS
from loanpulse.streams.engine.decode import EventDecoder, RecordBatch
from loanpulse.streams.partition.partition import Partition
from loanpulse.streams.partition.undo_memory import Allocate, in_memory
from loanpulse.streams.policy.policy_file import Policy


@dataclass(frozen=True, slots=True)
class EngineOptions:
    """The options that decide results: the same options over the same log give the same scorings (I1)."""

    partitions: int
    currency: str = "CNY"
    allowed_lateness_ms: int = 7 * DAY_MS
    max_clock_skew_ms: int = 300_000
    restatement_ms: int = 7 * DAY_MS


@dataclass(frozen=True, slots=True)
class Refused:
    """One record that was refused: its index in the batch, and why."""

    index: int
    violation: Violation


@dataclass(slots=True)
class Engine:
    """The partitions that this process owns.

    ``policy`` is in force in each until one of ``directives`` activates another there. ``allocate`` gives the memory of
    the undo logs.
    """

    options: EngineOptions
    policy: Policy
    registry: SchemaRegistry
    directives: Directives = field(default_factory=lambda: Directives(DIRECTIVE_KINDS))
    allocate: Allocate = in_memory
    partitions: dict[int, Partition] = field(default_factory=dict)
    _decoder: EventDecoder = field(init=False)

    def __post_init__(self) -> None:
        self._decoder = EventDecoder(
            self.registry, self.options.currency, self.options.partitions, self.options.max_clock_skew_ms
        )

    @property
    def borrowers(self) -> int:
        """The number of borrowers in all partitions."""
        return sum(len(partition.store) for partition in tuple(self.partitions.values()))

    def partition(self, number: int) -> Partition:
        """Return a partition, an empty one where it is new."""
        if number not in self.partitions:
            options = self.options
            self.partitions[number] = Partition(
                number, self.policy, self.directives, partitions=options.partitions,
                lateness_ms=options.allowed_lateness_ms, restatement_ms=options.restatement_ms, allocate=self.allocate,
            )  # fmt: skip
        return self.partitions[number]

    def drop(self, number: int) -> None:
        """Drop a partition that another worker takes over."""
        self.partitions.pop(number, None)

    def offer(self, batch: RecordBatch) -> list[Refused]:
        """Decode and check records and offer them to their partition; returns those that are refused.

        Redelivered records are skipped (I5).

        Raises:
            RegistryUnavailable: a schema id is new and the registry can't be asked now; nothing was offered.
        """
        decoded = self._decoder.events(batch)
        events = self.partition(batch.partition).offer(batch.source, decoded.events, decoded.keys, batch.forgets)
        skipped = len(batch) - len(events)
        wrong = np.flatnonzero(events["error"]).tolist()
        return [Refused(skipped + index, Violation(int(events["error"][index]))) for index in wrong]


def record_batch_of(
    source: int, partition: int, first_offset: int, timestamps: Sequence[int], keys: Sequence[bytes],
    values: Sequence[bytes],
) -> RecordBatch:  # fmt: skip
    """Return consecutive records from ``first_offset`` on as if a broker had delivered them."""
    return RecordBatch.of(source, partition, range(first_offset, first_offset + len(keys)), timestamps, keys, values)
