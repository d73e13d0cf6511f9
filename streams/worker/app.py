"""The Faust app: one agent over the three event topics, one table recovered from its changelog."""

import asyncio
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import faust
import structlog

from loanpulse.schemas.codec import Codec
from loanpulse.schemas.confluent_registry import open_registry
from loanpulse.schemas.sources import source_of
from loanpulse.schemas.topics import BORROWERS_CHANGELOG, DEAD_LETTERS, EVENT_TOPICS, ORDER_APPLICATIONS, full_name
from loanpulse.settings import Settings
from loanpulse.settings.broker import producer_properties
from loanpulse.streams.engine.engine import Engine
from loanpulse.streams.faust_kafka.consumer_offsets import ConsumerOffsets
from loanpulse.streams.faust_kafka.settings import faust_settings
from loanpulse.streams.faust_kafka.transport import BatchSchema, install
from loanpulse.streams.from_settings import engine_options, load_policy
from loanpulse.streams.worker.changelog_table import BorrowerTable
from loanpulse.streams.worker.checkpoint import CheckpointPublisher
from loanpulse.streams.worker.checkpoint_loop import CheckpointLoop
from loanpulse.streams.worker.directive_reader import DirectiveReader
from loanpulse.streams.worker.disk_memory import on_disk
from loanpulse.streams.worker.worker import BorrowerWorker

log = structlog.get_logger(__name__)

BATCHES_UNDER_WAY = 8
"""Batches submitted to the engine's thread and not yet done; it does them in their order."""
REPORT_SECONDS = 10.0


@dataclass(slots=True)
class WorkerApp:
    """The app and what it drives."""

    app: Any
    worker: BorrowerWorker
    loop: CheckpointLoop
    directives: DirectiveReader


def build(settings: Settings) -> WorkerApp:
    """Wire the app.

    Raises:
        PolicyError: the policy file can't be used.
        RegistryUnavailable: the schema registry can't be reached to register the contracts.
    """
    prefix = settings.topics.prefix
    registry = open_registry(settings.registry)
    codec = Codec(registry, prefix)
    engine = Engine(
        engine_options(settings), load_policy(settings), registry, allocate=on_disk(Path(settings.streams.data_dir))
    )
    install()
    app = faust.App(prefix + settings.streams.consumer_group, **faust_settings(settings))
    inputs = app.topic(
        *(full_name(name, prefix) for name in EVENT_TOPICS), schema=BatchSchema(), key_type=bytes, value_type=bytes
    )
    changelog = app.topic(
        full_name(BORROWERS_CHANGELOG, prefix),
        schema=BatchSchema(),
        key_type=bytes,
        value_type=bytes,
        partitions=settings.topics.partitions,
        acks=False,
        internal=True,
    )

    offsets = ConsumerOffsets(app)

    def caught_up(partition: int, source: int, next_offset: int) -> bool:
        return offsets.caught_up(full_name(EVENT_TOPICS[source], prefix), partition, next_offset)

    worker = BorrowerWorker(
        engine,
        codec,
        CheckpointPublisher(
            producer_properties(settings),
            full_name(BORROWERS_CHANGELOG, prefix),
            full_name(DEAD_LETTERS, prefix),
            full_name(ORDER_APPLICATIONS, prefix),
        ),
        caught_up,
        prefix,
        frozenset(settings.topics.lenders),
        settings.streams.idle_source_timeout_seconds,
        settings.streams.max_buffered_events_per_source,
        settings.streams.threads or os.cpu_count() or 1,
    )

    loop = CheckpointLoop(
        worker, settings.streams.checkpoint_seconds, offsets.commit, settings.broker.group_timeouts.session_seconds
    )
    app.tables.add(
        BorrowerTable(
            app,
            name="borrowers",
            key_type=bytes,
            value_type=bytes,
            partitions=settings.topics.partitions,
            changelog_topic=changelog,
            recovery_buffer_size=8,
            options={"host": worker.owned},
        )
    )
    _add_agent(app, inputs, loop)
    _add_checkpoints(app, loop)
    return WorkerApp(app, worker, loop, DirectiveReader(settings, worker.inbox, codec, worker.inbox.refuse))


def _add_agent(app: Any, inputs: Any, loop: CheckpointLoop) -> None:
    under_way: set[asyncio.Task[None]] = set()

    async def submit(message: Any) -> None:
        try:
            if not await loop.submit(message.topic, message.partition, message.value):
                app.consumer.pause(message.tp)
        except Exception as error:
            # Faust would restart the agent and count the batch as done. The state is complete up to the last
            # checkpoint, so the safe way is to stop and be started again.
            log.error("a batch could not be processed", topic=message.topic, partition=message.partition, exc_info=True)
            await app.crash(error)

    async def borrowers(stream: Any) -> None:
        # Don't await each batch: an engine step can run between two batches and would stall fetching.
        async for event in stream.events():
            submitting = asyncio.create_task(submit(event.message))
            under_way.add(submitting)
            submitting.add_done_callback(under_way.discard)
            while len(under_way) >= BATCHES_UNDER_WAY:
                await asyncio.wait(under_way, return_when=asyncio.FIRST_COMPLETED)

    app.agent(inputs, name="borrowers", concurrency=1)(borrowers)

    async def resume() -> None:
        for tp in tuple(app.consumer.paused):
            if loop.worker.wants_more(source_of(tp.topic, loop.worker.prefix), tp.partition):
                app.consumer.resume(tp)

    app.timer(interval=0.1)(resume)


def _add_checkpoints(app: Any, loop: CheckpointLoop) -> None:
    async def checkpoints() -> None:
        try:
            await loop.run(lambda: bool(app.should_stop))
        except Exception as error:
            log.error("a checkpoint could not be made", exc_info=True)
            await app.crash(error)

    async def report() -> None:
        before = loop.worker.counts.events
        while not app.should_stop:
            await asyncio.sleep(REPORT_SECONDS)
            counts = loop.worker.counts
            log.info(
                "working",
                events=counts.events,
                events_per_second=round((counts.events - before) / REPORT_SECONDS),
                refused=counts.refused,
                snapshots=counts.snapshots,
                alerts=counts.alerts,
                borrowers=loop.worker.engine.borrowers,
            )
            before = counts.events

    async def on_revoked(app: Any, revoked: Any, **_: Any) -> None:
        await loop.suspend()

    app.task(checkpoints)
    app.task(report)
    app.on_partitions_revoked.connect(on_revoked, weak=False)
