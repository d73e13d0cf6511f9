"""The worker's agent and tasks in Faust's event loop: they submit batches, resume partitions and write checkpoints."""

import asyncio
from dataclasses import dataclass, field
from typing import Any

import structlog

from loanpulse.schemas.sources import source_of
from loanpulse.streams.worker.checkpoint_loop import CheckpointLoop

log = structlog.get_logger(__name__)

BATCHES_UNDER_WAY = 8
"""Batches submitted to the engine's thread and not yet done; it does them in their order."""
RESUME_SECONDS = 0.1
REPORT_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class BorrowerAgent:
    """Connects a Faust app to the checkpoint loop. If something fails, the app crashes and is started again."""

    app: Any
    loop: CheckpointLoop
    _under_way: set[asyncio.Task[None]] = field(default_factory=set)

    def add_to_app(self, inputs: Any) -> None:
        """Register agent and tasks with the app; ``inputs`` is the channel of the event topics."""
        self.app.agent(inputs, name="borrowers", concurrency=1)(self.read_inputs)
        self.app.timer(interval=RESUME_SECONDS)(self.resume)
        self.app.task(self.write_checkpoints)
        self.app.task(self.report)
        self.app.on_partitions_revoked.connect(self.on_revoked, weak=False)

    async def read_inputs(self, stream: Any) -> None:
        """Submit every batch, in the order of their arrival."""
        # Don't await each batch: an engine step can run between two batches and would stall fetching.
        async for event in stream.events():
            submitting = asyncio.create_task(self._submit(event.message))
            self._under_way.add(submitting)
            submitting.add_done_callback(self._under_way.discard)
            while len(self._under_way) >= BATCHES_UNDER_WAY:
                await asyncio.wait(self._under_way, return_when=asyncio.FIRST_COMPLETED)

    async def _submit(self, message: Any) -> None:
        try:
            if not await self.loop.submit(message.topic, message.partition, message.value):
                self.app.consumer.pause(message.tp)
        except Exception as error:
            # Faust would restart the agent and count the batch as done. The state is complete up to the last
            # checkpoint, so the safe way is to stop and be started again.
            log.error("a batch could not be processed", topic=message.topic, partition=message.partition, exc_info=True)
            await self.app.crash(error)

    async def resume(self) -> None:
        """Resume the paused partitions whose events the worker wants again."""
        worker = self.loop.worker
        for tp in tuple(self.app.consumer.paused):
            if worker.wants_more(source_of(tp.topic, worker.prefix), tp.partition):
                self.app.consumer.resume(tp)

    async def write_checkpoints(self) -> None:
        """Run the checkpoint loop until the app stops."""
        try:
            await self.loop.run(lambda: bool(self.app.should_stop))
        except Exception as error:
            log.error("a checkpoint failed", exc_info=True)
            await self.app.crash(error)

    async def report(self) -> None:
        """Log the progress every ``REPORT_SECONDS``."""
        before = self.loop.worker.counts.events
        while not self.app.should_stop:
            await asyncio.sleep(REPORT_SECONDS)
            counts = self.loop.worker.counts
            log.info(
                "working",
                events=counts.events,
                events_per_second=round((counts.events - before) / REPORT_SECONDS),
                refused=counts.refused,
                snapshots=counts.snapshots,
                alerts=counts.alerts,
                checkpoints=counts.checkpoints,
                borrowers=self.loop.worker.engine.borrowers,
            )
            before = counts.events

    async def on_revoked(self, app: Any, revoked: Any, **_: Any) -> None:
        """Suspend the loop while partitions are reassigned."""
        await self.loop.suspend()
