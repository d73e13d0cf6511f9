"""The loop that runs the worker's steps and makes them durable, off the event loop.

Three threads: the engine's runs batches and steps, so that the engine is never touched by two; the outputs' writes one
step's outputs while the next step runs; the state's writes state once the outputs that it counts are durable (I2). No
alert waits for state.
"""

import asyncio
import math
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from loanpulse.streams.faust_kafka.record_batches import FetchedRecords
from loanpulse.streams.worker.checkpoint import Checkpoint
from loanpulse.streams.worker.worker import BorrowerWorker, Clock

STEP_SECONDS = 0.4
IDLE_PAUSE_SECONDS = 0.02
BEHIND_FACTOR = 8
"""While a step leaves events for the next, state is written this many times less often."""
BEHIND_LINGERS_SECONDS = 1.0
"""In a backlog a step now and then leaves nothing, until more is fetched."""
AT_REST_SECONDS = 0.5
"""After a step without output, state is written this long after the last time."""
STATE_REST_FACTOR = 5
"""State rests this many times as long as writing it took, so that writing takes at most a sixth of the time."""
STATE_PARTS = 4
"""State is written for a quarter of the partitions at a time: each waits for its own part only."""
STATE_AHEAD = 2
"""Parts made and not yet written: one is being written while the next is made."""


class SessionExpiredError(RuntimeError):
    """The process was suspended or starved for longer than its session in the group."""


@dataclass(slots=True)
class CheckpointLoop:
    """Runs steps and makes them durable.

    Outputs are written with every step. State is written every ``state_seconds``, a part of the partitions with each
    step; less often in a backlog and where there is much of it, because a borrower whom many events touched meanwhile
    is then written once; at once where there is nothing else to do. ``commit`` commits input offsets by (topic,
    partition). ``fence_seconds`` is the session of this process in the group.
    """

    worker: BorrowerWorker
    state_seconds: float
    commit: Callable[[dict[tuple[str, int], int]], Any]
    fence_seconds: float
    monotonic: Clock = time.monotonic
    _engine_thread: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1, "engine"))
    _outputs_thread: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1, "outputs"))
    _state_thread: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1, "state"))
    _stepping: asyncio.Lock = field(default_factory=asyncio.Lock)
    _last_beat_s: float = math.inf
    _behind_at_s: float = -math.inf
    _at_rest: bool = False
    _outputs: asyncio.Task[None] | None = None
    _states: deque[asyncio.Task[None]] = field(default_factory=deque)
    _state_due: list[int] = field(default_factory=list)
    _state_at_s: float = 0.0
    _state_took_s: float = 0.0

    async def submit(self, topic: str, partition: int, records: FetchedRecords) -> bool:
        """Submit a batch on the engine's thread; returns whether its source should be fetched further for now."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._engine_thread, self.worker.submit, topic, partition, records)

    async def run_step(self) -> bool:
        """Run one step and begin to make it durable; returns whether there was anything to do."""
        async with self._stepping:
            await self._states_written(all_of_them=False)
            step = partial(self.worker.step, state_of=self._next_state())
            checkpoint = await asyncio.get_running_loop().run_in_executor(self._engine_thread, step)
            if self.worker.behind:
                self._behind_at_s = self.monotonic()
            await self._outputs_written()
            self._at_rest = checkpoint.silent
            if checkpoint.empty:
                return False
            self._begin_writing(checkpoint)
            return True

    async def suspend(self) -> None:
        """Make the state durable once more and process nothing until partitions are assigned anew.

        After this another worker may read the changelog. The offsets are not committed, because the group is
        rebalancing; each partition's own entry holds how far its state has got.
        """
        loop = asyncio.get_running_loop()
        async with self._stepping:
            checkpoint = await loop.run_in_executor(self._engine_thread, self.worker.step)
            await loop.run_in_executor(self._engine_thread, self.worker.owned.suspend)
            await self._outputs_written()
            await self._states_written()
            self._state_due = []
            if not checkpoint.empty:
                self._check_fence()
                await loop.run_in_executor(self._outputs_thread, self.worker.publisher.publish_outputs, checkpoint)
                await loop.run_in_executor(self._state_thread, self.worker.publisher.publish_state, checkpoint)

    async def run(self, should_stop: Callable[[], bool]) -> None:
        """Run steps until ``should_stop`` returns True."""
        self._last_beat_s = self._state_at_s = self._behind_at_s = self.monotonic()
        while not should_stop():
            began_s = self.monotonic()
            self._last_beat_s = began_s
            await self.run_step()
            more = self.worker.behind or (self._at_rest and self._state_due)
            rest_s = 0.0 if more else STEP_SECONDS - (self.monotonic() - began_s)
            await asyncio.sleep(max(IDLE_PAUSE_SECONDS, rest_s))
        await self._outputs_written()
        await self._states_written()

    def _next_state(self) -> frozenset[int]:
        """Return the partitions whose state is to be made with the next step."""
        if not self._state_due and not self._states and self.monotonic() - self._state_at_s >= self._state_rest_s():
            self._state_due, self._state_took_s = self.worker.owned.numbers, 0.0
        if len(self._states) >= STATE_AHEAD:
            return frozenset()
        count = math.ceil(len(self.worker.owned.numbers) / STATE_PARTS)
        chosen, self._state_due = self._state_due[:count], self._state_due[count:]
        return frozenset(chosen)

    def _state_rest_s(self) -> float:
        """Return how long (seconds) after it was last written state is written again."""
        if self._at_rest:
            return min(AT_REST_SECONDS, self.state_seconds)
        behind = self.monotonic() - self._behind_at_s < BEHIND_LINGERS_SECONDS
        return max(self.state_seconds * (BEHIND_FACTOR if behind else 1), STATE_REST_FACTOR * self._state_took_s)

    def _begin_writing(self, checkpoint: Checkpoint) -> None:
        """Begin to write a checkpoint: its outputs now, its state after them."""
        self._outputs = asyncio.create_task(self._write_outputs(checkpoint))
        if checkpoint.own_entries:
            self._states.append(asyncio.create_task(self._write_state(checkpoint, self._outputs)))

    async def _write_outputs(self, checkpoint: Checkpoint) -> None:
        self._check_fence()
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(self._outputs_thread, self.worker.publisher.publish_outputs, checkpoint)

    async def _write_state(self, checkpoint: Checkpoint, outputs: asyncio.Task[None]) -> None:
        await outputs
        self._check_fence()
        loop = asyncio.get_running_loop()
        took_s = await loop.run_in_executor(self._state_thread, self._publish_state, checkpoint)
        self._state_took_s += took_s
        self._state_at_s = self.monotonic()
        if checkpoint.offsets:
            self.worker.counts.checkpoints += 1
            await self.commit(checkpoint.offsets)

    def _publish_state(self, checkpoint: Checkpoint) -> float:
        """Write a checkpoint's state; returns how long it took (seconds)."""
        began_s = self.monotonic()
        self.worker.publisher.publish_state(checkpoint)
        return self.monotonic() - began_s

    async def _outputs_written(self) -> None:
        """Wait until the outputs being written are durable; raises what went wrong with them."""
        writing, self._outputs = self._outputs, None
        if writing is not None:
            await writing

    async def _states_written(self, *, all_of_them: bool = True) -> None:
        """Wait until the state being written is durable, or only note what of it is; raises what went wrong with it."""
        while self._states and (all_of_them or self._states[0].done()):
            await self._states.popleft()

    def _check_fence(self) -> None:
        """Stop before writing state that may have become another worker's while this process was suspended."""
        silent_s = self.monotonic() - self._last_beat_s
        if silent_s > self.fence_seconds:
            raise SessionExpiredError(
                f"the worker was suspended for {silent_s:.0f} s, longer than its session of "
                f"{self.fence_seconds:.0f} s; it must be started again"
            )
