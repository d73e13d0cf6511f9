"""The worker: fetched batches in, steps of all partitions, checkpoints out. It wires; the rules are the partition's."""

import time
from collections.abc import Callable, Iterator
from collections.abc import Set as AbstractSet
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial

from loanpulse.schemas.codec import Codec
from loanpulse.schemas.dead_letters import DeadLetter
from loanpulse.schemas.sources import source_of
from loanpulse.streams.alerts.scored import Scored
from loanpulse.streams.engine.engine import Engine
from loanpulse.streams.faust_kafka.record_batches import FetchedRecords
from loanpulse.streams.partition.partition import Partition
from loanpulse.streams.partition.watermark import Idle
from loanpulse.streams.worker.checkpoint import Checkpoint, CheckpointPublisher
from loanpulse.streams.worker.directive_inbox import DirectiveInbox
from loanpulse.streams.worker.fetched import batch_of, dead_letter_of
from loanpulse.streams.worker.outputs import OutputEncoder
from loanpulse.streams.worker.owned_partitions import OwnedPartitions

STEP_EVENTS = 65_536
"""About as many events are folded in one step, so that one step's outputs are published while the next is made."""

Clock = Callable[[], float]


@dataclass(slots=True)
class Counts:
    """What a worker has done since its start."""

    events: int = 0
    refused: int = 0
    snapshots: int = 0
    alerts: int = 0
    checkpoints: int = 0


@dataclass(slots=True)
class BorrowerWorker:
    """Drives the engine for the partitions that this worker owns.

    ``caught_up(partition, source, next_offset)`` returns whether the broker has no more than was delivered. A source
    that is ahead of another is paused when ``max_buffered_events`` of its events wait in a partition. ``threads``
    advance so many partitions side by side. ``wall`` is the wall clock in seconds, ``monotonic`` a clock that never
    jumps. ``behind`` tells whether the last step left events for the next.
    """

    engine: Engine
    codec: Codec
    publisher: CheckpointPublisher
    caught_up: Callable[[int, int, int], bool]
    prefix: str = ""
    lenders: frozenset[str] = frozenset()
    idle_after_seconds: float = 0.5
    max_buffered_events: int = 200_000
    threads: int = 1
    wall: Clock = time.time
    monotonic: Clock = time.monotonic
    counts: Counts = field(default_factory=Counts)
    behind: bool = False
    inbox: DirectiveInbox = field(init=False)
    owned: OwnedPartitions = field(init=False)
    _outputs: OutputEncoder = field(init=False)
    _letters: list[DeadLetter] = field(default_factory=list)
    _pool: ThreadPoolExecutor | None = None

    def __post_init__(self) -> None:
        self.inbox = DirectiveInbox(self.engine.directives)
        self.owned = OwnedPartitions(self.engine, self.monotonic)
        self._outputs = OutputEncoder(self.codec, self.prefix, self.lenders)
        if self.threads > 1:
            self._pool = ThreadPoolExecutor(self.threads, "partition")

    def submit(self, topic: str, partition: int, records: FetchedRecords) -> bool:
        """Offer a fetched batch to its partition; returns whether its source should be fetched further for now."""
        if partition not in self.owned:
            return True
        source = source_of(topic, self.prefix)
        refused = self.engine.offer(batch_of(source, partition, records))
        self._letters += [dead_letter_of(topic, partition, records, one) for one in refused]
        self.counts.refused += len(refused)
        self.counts.events += len(records)
        self.engine.partition(partition).watermark.note_data(
            source, int(records.offsets[-1]) + 1, now_s=self.monotonic(), wall_ms=self._wall_ms(),
            idle_after_s=self.idle_after_seconds,
        )  # fmt: skip
        return self._may_fetch(source, partition, self.max_buffered_events)

    def wants_more(self, source: int, partition: int) -> bool:
        """Return whether a source that was paused may be fetched again."""
        return partition not in self.owned or self._may_fetch(source, partition, self.max_buffered_events // 2)

    def _may_fetch(self, source: int, number: int, most: int) -> bool:
        """Return whether fewer than ``most`` events are buffered, or other sources wait for this one (I6)."""
        partition = self.engine.partition(number)
        return partition.buffer.count(source) < most or not partition.watermark.is_ahead(source, self._idle(partition))

    def step(self, *, state_of: AbstractSet[int] | None = None) -> Checkpoint:
        """Advance every partition as far as it may go, and return what has to be made durable.

        ``state_of`` names the partitions whose changed state, and the offsets that it includes, are added; None for
        all. Outputs may be published as often as one likes before the state: after a crash they are made again, with
        the same ids (I2).
        """
        refused = self.inbox.drain()
        self.counts.refused += len(refused)
        checkpoint = Checkpoint(dead_letters=[*self._letters, *refused])
        self._letters = []
        for partition, results in self._advanced():
            for application in partition.drain_applications():
                self._outputs.add_application(application, checkpoint)
            for scored in results:
                self._outputs.add_snapshots(scored, checkpoint)
                self.counts.snapshots += len(scored)
                for alert in partition.alerts(scored):
                    self._outputs.add_alert(partition.number, alert, checkpoint)
                    self.counts.alerts += 1
        for number in self.owned.numbers:
            if state_of is not None and number not in state_of:
                continue
            changes = self.engine.partition(number).changed(self._wall_ms())
            if changes is not None:
                self._outputs.add_changes(number, changes, checkpoint)
        return checkpoint

    def _advanced(self) -> Iterator[tuple[Partition, list[Scored]]]:
        """Advance the partitions that have had an event; yields each with its scorings, in the partitions' order."""
        partitions = [self.engine.partition(number) for number in self.owned.numbers]
        partitions = [one for one in partitions if one.watermark.clock is not None]
        most = STEP_EVENTS // max(1, sum(one.buffer.has_any for one in partitions))
        limits = [one.step_until(self._idle(one), self._wall_ms(), most) for one in partitions]
        self.behind = any(more for _, more in limits)
        each = map if self._pool is None else self._pool.map
        yield from zip(partitions, each(Partition.advance, partitions, [ms for ms, _ in limits]), strict=True)

    def _idle(self, partition: Partition) -> Idle:
        caught_up = partial(self.caught_up, partition.number)
        return partition.watermark.idle_sources(self.monotonic(), self.idle_after_seconds, caught_up)

    def _wall_ms(self) -> int:
        return int(self.wall() * 1000)
