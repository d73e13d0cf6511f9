"""The Faust worker: batches in, lanes carried on, checkpoints out. It wires; what it means is in the engine."""

import asyncio
import math
import time
from collections import deque
from collections.abc import Callable
from collections.abc import Set as AbstractSet
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from queue import SimpleQueue
from typing import Any

import numpy as np
import structlog

from loanpulse.schemas.codec import Codec
from loanpulse.schemas.contracts import AlertDisposition
from loanpulse.schemas.dead_letters import DeadLetter
from loanpulse.schemas.forgetting import is_order_to_forget
from loanpulse.schemas.sources import SOURCES, source_of
from loanpulse.schemas.topics import (
    EVENT_TOPICS,
    LIQUIDITY_ALERTS,
    LIQUIDITY_SNAPSHOTS,
    ORDER_APPLICATIONS,
    full_name,
    key_of,
    lender_alerts,
)
from loanpulse.streams.alerts.budget import BUDGETS_KEY
from loanpulse.streams.alerts.scored import Scored
from loanpulse.streams.alerts.snapshots import SnapshotEncoder
from loanpulse.streams.engine.decode import RecordBatch
from loanpulse.streams.engine.engine import Application, Engine
from loanpulse.streams.faust_kafka.record_batches import FetchedRecords
from loanpulse.streams.partition.partition import PARTITION_KEY
from loanpulse.streams.worker.checkpoint import Checkpoint, CheckpointPublisher, Messages

log = structlog.get_logger(__name__)

STEP_SECONDS = 0.4
STEP_EVENTS = 65_536
"""About as many events are carried in one step, so that what one step leaves is published while the next is made."""
IDLE_PAUSE_SECONDS = 0.02
BEHIND_FACTOR = 8
"""While there is more to carry than a step takes, state follows so many times as rarely."""
BEHIND_LINGERS_SECONDS = 1.0
"""In a backlog a step now and then has no more to carry, until more is fetched."""
AT_REST_SECONDS = 0.5
"""Where a step had nothing to do, state follows this long after the last."""
STATE_REST_FACTOR = 5
"""State rests this many times as long as writing it took: writing it never takes more than a sixth of the time."""
STATE_PARTS = 4
"""State is taken from so many parts of the partitions in turn: each stands still for its own part only."""
STATE_AHEAD = 2
"""Parts taken and not yet written: one is on its way while the next is taken."""

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
class SourceProgress:
    """How far one source of one partition has been taken, and when (monotonic seconds) something last came."""

    next_offset: int = -1
    last_data: float = 0.0


@dataclass(slots=True)
class PartitionClock:
    """Event time going on while nothing comes: ``event_ms`` was the time when the wall clock was ``wall_ms``."""

    event_ms: int
    wall_ms: int

    def now(self, wall_ms: int) -> int:
        """Return the event time that corresponds to the wall clock."""
        return self.event_ms + max(0, wall_ms - self.wall_ms)


@dataclass(slots=True)
class BorrowerWorker:
    """Drives the engine for the partitions that this worker owns.

    ``caught_up(source, partition, next_offset)`` tells whether the broker has no more than what was taken.
    ``waiting_events`` of one source may wait in a lane for the others before its fetching is paused, unless the others
    wait for it. ``threads`` carry so many lanes side by side, which have nothing in common. ``wall`` is the wall clock
    in seconds, ``monotonic`` a clock that never jumps. ``behind`` tells whether the last step stopped short of what it
    might have carried.
    """

    engine: Engine
    codec: Codec
    publisher: CheckpointPublisher
    caught_up: Callable[[int, int, int], bool]
    prefix: str = ""
    lenders: frozenset[str] = frozenset()
    grace_seconds: float = 0.5
    waiting_events: int = 200_000
    threads: int = 1
    wall: Clock = time.time
    monotonic: Clock = time.monotonic
    counts: Counts = field(default_factory=Counts)
    behind: bool = False
    _recovering: set[int] = field(default_factory=set)
    _owned: set[int] = field(default_factory=set)
    _progress: dict[tuple[int, int], SourceProgress] = field(default_factory=dict)
    _woke_at: dict[int, float] = field(default_factory=dict)
    _clocks: dict[int, PartitionClock] = field(default_factory=dict)
    _letters: list[DeadLetter] = field(default_factory=list)
    _booked: dict[tuple[int, int], int] = field(default_factory=dict)
    _encoder: SnapshotEncoder | None = None
    _refused_orders: SimpleQueue[DeadLetter] = field(default_factory=SimpleQueue)
    _lanes_threads: ThreadPoolExecutor | None = None

    def __post_init__(self) -> None:
        if self.threads > 1:
            self._lanes_threads = ThreadPoolExecutor(self.threads, "lane")

    # What the reader of the control topics calls, from its own thread.

    def refuse_order(self, letter: DeadLetter) -> None:
        """Let an order that can't be obeyed go to the dead letters with the next step."""
        self._refused_orders.put(letter)

    # What the changelog's recovery calls.

    def begin_recovery(self, partitions: set[int]) -> None:
        """Make room for partitions newly assigned."""
        for partition in partitions:
            self.let_go({partition})
            self._recovering.add(partition)

    def let_go(self, partitions: set[int]) -> None:
        """Forget partitions that another worker takes over."""
        for partition in partitions:
            self.engine.drop(partition)
            self._recovering.discard(partition)
            self._owned.discard(partition)
            self._clocks.pop(partition, None)
            self._woke_at.pop(partition, None)
            for source in range(SOURCES):
                self._progress.pop((source, partition), None)
                self._booked.pop((source, partition), None)

    def restore(self, partition: int, key: bytes, value: bytes | None) -> None:
        """Put one changelog record in place; ignored for a partition that is not being recovered."""
        if partition not in self._recovering:
            return
        lane = self.engine.lane(partition)
        if value is None:
            lane.slab.drop(key)
        elif key == BUDGETS_KEY:
            self.engine.standing(partition).ledger.load(value)
        elif key == PARTITION_KEY:
            lane.load(value)
            self._clocks[partition] = PartitionClock(lane.advanced_to, lane.wall_at)
        else:
            lane.slab.load(key, value)

    def recovered(self, partitions: set[int]) -> None:
        """Take note that these partitions' state is whole."""
        now = self.monotonic()
        for partition in partitions & self._recovering:
            for source in range(SOURCES):
                self._progress[source, partition] = SourceProgress(last_data=now)
            log.info("partition recovered", partition=partition, borrowers=len(self.engine.lane(partition).slab))
        self._owned |= partitions
        self._recovering -= partitions

    def stand_back(self) -> None:
        """Do nothing more for any partition until the state of those that stay is confirmed: a rebalance began."""
        self._owned.clear()

    # What the agent calls.

    def take(self, topic: str, partition: int, records: FetchedRecords) -> bool:
        """Let a fetched batch wait in its lane; returns whether its source should be fetched further for now."""
        source = source_of(topic, self.prefix)
        if partition not in self._owned:
            return True
        empty = np.flatnonzero(records.values.missing).tolist()
        fetched = RecordBatch(
            source,
            partition,
            records.offsets,
            records.timestamps,
            records.keys,
            records.values,
            [row for row in empty if is_order_to_forget(None, records.headers_of(row))],
        )
        for refused in self.engine.take(fetched):
            row = refused.place
            self._letters.append(
                DeadLetter(
                    topic, partition, int(records.offsets[row]), int(records.timestamps[row]), records.keys[row],
                    records.values[row], refused.violation, records.headers_of(row),
                )
            )  # fmt: skip
            self.counts.refused += 1
        self.counts.events += len(records)
        lane = self.engine.lane(partition)
        now = self.monotonic()
        if now - max(self._progress[one, partition].last_data for one in range(SOURCES)) >= self.grace_seconds:
            self._woke_at[partition] = now
        progress = self._progress[source, partition]
        progress.next_offset, progress.last_data = int(records.offsets[-1]) + 1, now
        if lane.arrived() > 0:
            self._clocks[partition] = PartitionClock(max(lane.arrived(), lane.advanced_to), int(self.wall() * 1000))
        return lane.waiting(source) < self.waiting_events or not self._is_ahead(source, partition)

    def wants_more(self, source: int, partition: int) -> bool:
        """Tell whether a source that was paused may be fetched again."""
        if partition not in self._owned or self.engine.lane(partition).waiting(source) < self.waiting_events // 2:
            return True
        return not self._is_ahead(source, partition)

    def _is_ahead(self, source: int, partition: int) -> bool:
        """Tell whether a source waits for another; if not, what waits in the lane may wait for what it has not brought.

        However many do: after an event of a clock that is ahead, all that follow wait at its time.
        """
        lane = self.engine.lane(partition)
        reached = lane.reached(source)
        return any(
            other != source and lane.reached(other) < reached and not self._is_idle(other, partition)
            for other in range(SOURCES)
        )

    # What the checkpoint loop calls.

    @property
    def partitions(self) -> list[int]:
        """The partitions that are this worker's and whose state is whole."""
        return sorted(self._owned)

    def step(self, *, state_of: AbstractSet[int] | None = None) -> Checkpoint:
        """Carry every lane as far as it may go, and return what has to be made durable.

        ``state_of`` names the partitions of which the state that has changed, and the offsets that it stands for, is
        added; None for all. Between, outputs alone may be sent as often as one likes: after a crash they are made
        again, with the same ids.
        """
        checkpoint = Checkpoint()
        checkpoint.dead_letters, self._letters = self._letters, []
        while not self._refused_orders.empty():
            checkpoint.dead_letters.append(self._refused_orders.get())
            self.counts.refused += 1
        self.behind = False
        partitions = sorted(self._owned & self._clocks.keys())
        waiting = sum(self.engine.lane(partition).waits for partition in partitions)
        limits = [self._limit(partition, STEP_EVENTS // max(1, waiting)) for partition in partitions]
        each = map if self._lanes_threads is None else self._lanes_threads.map
        for partition, carried in zip(partitions, each(self.engine.carry, partitions, limits), strict=True):
            for application in self.engine.take_applications(partition):
                self._add_application(application, checkpoint)
            for scored in carried:
                self._add_outputs(partition, scored, checkpoint)
        for partition in sorted(self._owned if state_of is None else self._owned & state_of):
            self._add_state(partition, checkpoint)
        return checkpoint

    def _limit(self, partition: int, most: int) -> int:
        """Return up to which event time (ms) this step carries a partition, to fold about ``most`` events."""
        lane = self.engine.lane(partition)
        idle = tuple(self._is_idle(source, partition) for source in range(SOURCES))
        limit = lane.limit(idle, self._clocks[partition].now(int(self.wall() * 1000)) if all(idle) else 0)
        reach = lane.reach(most)
        if reach < limit:
            self.behind, limit = True, max(reach, lane.advanced_to)
        return limit

    def _add_state(self, partition: int, checkpoint: Checkpoint) -> None:
        lane = self.engine.lane(partition)
        booked = {
            (source, partition): int(lane.next_offset[source])
            for source in range(SOURCES)
            if lane.next_offset[source] > self._booked.get((source, partition), 0)
        }
        changelog: Messages = []
        ledger = self.engine.standing(partition).ledger
        if ledger.changed:
            # Before the borrowers: an alert made again after a crash in between must find that it was counted.
            changelog.append({"key": BUDGETS_KEY, "value": ledger.take_bytes()})
        changelog += [{"key": key, "value": raw} for key, raw in lane.take_changed()]
        if not (changelog or booked):
            return
        checkpoint.changelog[partition] = changelog
        checkpoint.lanes[partition] = lane.to_bytes(int(self.wall() * 1000))
        self._booked.update(booked)
        for (source, _), offset in booked.items():
            checkpoint.offsets[full_name(EVENT_TOPICS[source], self.prefix), partition] = offset

    def _is_idle(self, source: int, partition: int) -> bool:
        """Tell whether a source is not waited for: nothing came for a while, and the broker has no more.

        The while begins anew when a partition wakes, of which no source had brought anything: what was published at
        once need not come at once.
        """
        progress = self._progress[source, partition]
        since = max(progress.last_data, self._woke_at.get(partition, progress.last_data))
        if self.monotonic() - since < self.grace_seconds:
            return False
        return self.caught_up(source, partition, progress.next_offset)

    def _add_application(self, application: Application, checkpoint: Checkpoint) -> None:
        value = {
            "order_id": application.order.identity,
            "topic": application.order.topic,
            "partition": application.partition,
            "event_time": datetime.fromtimestamp(application.moment / 1000, UTC),
            "source": "worker",
        }
        topic = full_name(ORDER_APPLICATIONS, self.prefix)
        checkpoint.applications.append(
            {"key": key_of(ORDER_APPLICATIONS, value), "value": self.codec.encode(topic, value)}
        )

    def _add_outputs(self, partition: int, scored: Scored, checkpoint: Checkpoint) -> None:
        topic = full_name(LIQUIDITY_SNAPSHOTS, self.prefix)
        if self._encoder is None:
            self._encoder = SnapshotEncoder(self.codec.schema_id(topic))
        checkpoint.unencoded.append(((topic, partition), partial(_snapshots, self._encoder, scored)))
        self.counts.snapshots += len(scored)
        for alert in self.engine.alerts(scored):
            self._add_alert(partition, alert, checkpoint)

    def _add_alert(self, partition: int, alert: dict[str, Any], checkpoint: Checkpoint) -> None:
        topics = [LIQUIDITY_ALERTS]
        if alert["lender_id"] in self.lenders and alert["disposition"] == AlertDisposition.SENT.name:
            topics.append(lender_alerts(alert["lender_id"]))
        value = self.codec.encode(full_name(LIQUIDITY_ALERTS, self.prefix), alert)
        for topic in topics:
            messages = checkpoint.outputs.setdefault((full_name(topic, self.prefix), partition), [])
            messages.append({"key": alert["borrower_id"].encode(), "value": value})
        self.counts.alerts += 1


def _snapshots(encoder: SnapshotEncoder, scored: Scored) -> Messages:
    values = encoder.encode(scored.scores, scored.keys, scored.ids, scored.model_version, scored.policy.version)
    return [{"key": key, "value": value} for key, value in zip(scored.keys.tolist(), values, strict=True)]


@dataclass(slots=True)
class CheckpointLoop:
    """Runs steps and makes them durable, off the event loop.

    Outputs go out with every step. State follows every ``state_seconds``, a part of the partitions with each step; more
    rarely in a backlog and where there is much of it, because a borrower that many events touched meanwhile is then
    written once; at once where there is nothing else to do. Steps and batches share one thread, so that the engine is
    never touched by two. Outputs are written by another, one step's while the next is made, and state by a third, once
    the outputs that it counts are durable: no alert waits for state.
    """

    worker: BorrowerWorker
    state_seconds: float
    commit: Callable[[dict[tuple[str, int], int]], Any]
    fence_seconds: float
    monotonic: Clock = time.monotonic
    _engine_thread: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1, "engine"))
    _outputs_thread: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1, "outputs"))
    _state_thread: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1, "state"))
    _quiet: asyncio.Lock = field(default_factory=asyncio.Lock)
    _last_beat: float = math.inf
    _behind_at: float = -math.inf
    _at_rest: bool = False
    _outputs: asyncio.Task[None] | None = None
    _states: deque[asyncio.Task[None]] = field(default_factory=deque)
    _state_due: list[int] = field(default_factory=list)
    _state_at: float = 0.0
    _state_took: float = 0.0

    async def take(self, topic: str, partition: int, records: FetchedRecords) -> bool:
        """Hand a batch to the engine's thread."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._engine_thread, self.worker.take, topic, partition, records)

    async def once(self) -> bool:
        """Do one step and begin to make it durable; returns whether there was anything to do."""
        async with self._quiet:
            await self._states_written(all_of_them=False)
            step = partial(self.worker.step, state_of=self._next_state())
            checkpoint = await asyncio.get_running_loop().run_in_executor(self._engine_thread, step)
            if self.worker.behind:
                self._behind_at = self.monotonic()
            await self._outputs_written()
            self._at_rest = checkpoint.silent
            if checkpoint.empty:
                return False
            self._begin(checkpoint)
            return True

    def _next_state(self) -> frozenset[int]:
        """Return the partitions whose state is to be taken with the next step."""
        if not self._state_due and not self._states and self.monotonic() - self._state_at >= self._state_rest():
            self._state_due, self._state_took = self.worker.partitions, 0.0
        if len(self._states) >= STATE_AHEAD:
            return frozenset()
        count = math.ceil(len(self.worker.partitions) / STATE_PARTS)
        chosen, self._state_due = self._state_due[:count], self._state_due[count:]
        return frozenset(chosen)

    def _state_rest(self) -> float:
        """Return how long (seconds) state is left alone after it was last written."""
        if self._at_rest:
            return min(AT_REST_SECONDS, self.state_seconds)
        behind = self.monotonic() - self._behind_at < BEHIND_LINGERS_SECONDS
        return max(self.state_seconds * (BEHIND_FACTOR if behind else 1), STATE_REST_FACTOR * self._state_took)

    def _begin(self, checkpoint: Checkpoint) -> None:
        """Begin to make a checkpoint durable: its outputs now, its state after them."""
        self._outputs = asyncio.create_task(self._write_outputs(checkpoint))
        if checkpoint.lanes:
            self._states.append(asyncio.create_task(self._write_state(checkpoint, self._outputs)))

    async def _write_outputs(self, checkpoint: Checkpoint) -> None:
        self._check_fence()
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(self._outputs_thread, self.worker.publisher.publish_outputs, checkpoint)

    async def _write_state(self, checkpoint: Checkpoint, outputs: asyncio.Task[None]) -> None:
        await outputs
        self._check_fence()
        loop = asyncio.get_running_loop()
        took = await loop.run_in_executor(self._state_thread, self._publish_state, checkpoint)
        self._state_took += took
        self._state_at = self.monotonic()
        if checkpoint.offsets:
            self.worker.counts.checkpoints += 1
            await self.commit(checkpoint.offsets)

    def _publish_state(self, checkpoint: Checkpoint) -> float:
        """Write a checkpoint's state; returns how long it took (seconds)."""
        began = self.monotonic()
        self.worker.publisher.publish_state(checkpoint)
        return self.monotonic() - began

    async def _outputs_written(self) -> None:
        """Wait until the outputs under way are durable; raises what went wrong with them."""
        writing, self._outputs = self._outputs, None
        if writing is not None:
            await writing

    async def _states_written(self, *, all_of_them: bool = True) -> None:
        """Wait until the state under way is durable, or look what of it is; raises what went wrong with it."""
        while self._states and (all_of_them or self._states[0].done()):
            await self._states.popleft()

    async def stand_back(self) -> None:
        """Make the state durable once more and do nothing further until partitions are assigned anew.

        After this another worker may read the changelog. The offsets are not committed: the group is in between, and
        the lanes' own records say how far the state has come.
        """
        loop = asyncio.get_running_loop()
        async with self._quiet:
            checkpoint = await loop.run_in_executor(self._engine_thread, self.worker.step)
            await loop.run_in_executor(self._engine_thread, self.worker.stand_back)
            await self._outputs_written()
            await self._states_written()
            self._state_due = []
            if not checkpoint.empty:
                self._check_fence()
                await loop.run_in_executor(self._outputs_thread, self.worker.publisher.publish_outputs, checkpoint)
                await loop.run_in_executor(self._state_thread, self.worker.publisher.publish_state, checkpoint)

    async def run(self, should_stop: Callable[[], bool]) -> None:
        """Go on until told to stop."""
        self._last_beat = self._state_at = self._behind_at = self.monotonic()
        while not should_stop():
            began = self.monotonic()
            self._last_beat = began
            await self.once()
            more = self.worker.behind or (self._at_rest and self._state_due)
            rest = 0.0 if more else STEP_SECONDS - (self.monotonic() - began)
            await asyncio.sleep(max(IDLE_PAUSE_SECONDS, rest))
        await self._outputs_written()
        await self._states_written()

    def _check_fence(self) -> None:
        """Stop before writing state that may have become another worker's while this process stood still."""
        silent = self.monotonic() - self._last_beat
        if silent > self.fence_seconds:
            raise SessionExpiredError(
                f"the worker stood still for {silent:.0f} s, longer than its session of {self.fence_seconds:.0f} s; "
                "it must be started again"
            )


class SessionExpiredError(RuntimeError):
    """The process was suspended or starved for longer than its session in the group."""
