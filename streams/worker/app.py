"""The Faust app: one agent over the three event topics, one table recovered from its changelog."""

import asyncio
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import faust
import structlog
from faust.types import TP

from loanpulse.schemas.codec import Codec
from loanpulse.schemas.registry import open_registry
from loanpulse.schemas.sources import source_of
from loanpulse.schemas.topics import BORROWERS_CHANGELOG, DEAD_LETTERS, EVENT_TOPICS, ORDER_APPLICATIONS, full_name
from loanpulse.settings import Settings
from loanpulse.settings.broker import faust_security, producer_properties
from loanpulse.streams.engine.engine import Engine
from loanpulse.streams.faust_kafka.transport import BatchSchema
from loanpulse.streams.from_settings import engine_options, load_policy
from loanpulse.streams.partition.undo_log import on_disk
from loanpulse.streams.worker.changelog_table import BorrowerTable
from loanpulse.streams.worker.checkpoint import CheckpointPublisher
from loanpulse.streams.worker.directive_reader import DirectiveReader
from loanpulse.streams.worker.worker import BorrowerWorker, CheckpointLoop

log = structlog.get_logger(__name__)

BATCHES_BUFFERED = 8
"""Batches that wait for the engine before fetching is held back."""
BATCHES_UNDER_WAY = 8
"""Batches handed to the engine's thread and not yet taken; they are taken in their order."""
REPORT_SECONDS = 10.0


def faust_settings(settings: Settings) -> dict[str, Any]:
    """Return Faust's own settings; the reasons of the unusual ones are in docs/operator.md."""
    security = faust_security(settings)
    timeouts = settings.broker.group_timeouts
    options: dict[str, Any] = {
        "broker": ";".join(f"loanpulse://{server}" for server in settings.broker.bootstrap_servers.split(",")),
        "ssl_context": security.ssl_context,
        "store": "memory://",
        "web_enabled": False,
        "topic_allow_declare": False,
        "topic_disable_leader": True,
        "topic_partitions": settings.topics.partitions,
        "topic_replication_factor": settings.topics.replication_factor,
        "table_standby_replicas": 0,
        "stream_wait_empty": False,
        "stream_buffer_maxsize": BATCHES_BUFFERED,
        "stream_recovery_delay": 0.0,
        "stream_processing_timeout": 300.0,
        "broker_session_timeout": timeouts.session_seconds,
        "broker_heartbeat_interval": timeouts.heartbeat_seconds,
        "broker_rebalance_timeout": timeouts.rebalance_seconds,
        "broker_request_timeout": 40.0,
        "broker_max_poll_interval": 120.0,
        "broker_commit_interval": 2.8,
        "broker_commit_livelock_soft_timeout": 60.0,
        "producer_request_timeout": 60.0,
        "consumer_auto_offset_reset": "earliest",
        "consumer_max_fetch_size": settings.streams.max_partition_fetch_bytes,
        "worker_redirect_stdouts": False,
        "datadir": settings.streams.data_dir,
    }
    if security.mechanism:
        options["broker_credentials"] = faust.SASLCredentials(
            username=security.username,
            password=security.password,
            mechanism=security.mechanism,
            ssl_context=security.ssl_context,
        )
    elif security.ssl_context:
        options["broker_credentials"] = faust.SSLCredentials(context=security.ssl_context)
    return options


@dataclass(slots=True)
class WorkerApp:
    """The app and what it drives."""

    app: Any
    worker: BorrowerWorker
    loop: CheckpointLoop
    controls: DirectiveReader


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

    def caught_up(source: int, partition: int, next_offset: int) -> bool:
        tp = TP(full_name(EVENT_TOPICS[source], prefix), partition)
        taken = app.consumer.delivered.get(tp, next_offset) <= next_offset
        return bool(taken and app.consumer.is_caught_up(tp))

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

    async def commit(offsets: dict[tuple[str, int], int]) -> None:
        app.consumer.book({TP(topic, partition): offset for (topic, partition), offset in offsets.items()})
        await app.consumer.commit()

    loop = CheckpointLoop(
        worker, settings.streams.checkpoint_seconds, commit, settings.broker.group_timeouts.session_seconds
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
            options={"host": worker},
        )
    )
    _add_agent(app, inputs, loop)
    _add_checkpoints(app, loop)
    return WorkerApp(app, worker, loop, DirectiveReader(settings, engine.controls, codec, worker.refuse_order))


def _add_agent(app: Any, inputs: Any, loop: CheckpointLoop) -> None:
    under_way: set[asyncio.Task[None]] = set()

    async def take(message: Any) -> None:
        try:
            if not await loop.take(message.topic, message.partition, message.value):
                app.consumer.hold(message.tp)
        except Exception as error:
            # Faust would restart the agent and count the batch as done. The state is whole up to the last
            # checkpoint, so the safe end is to stop and be started again.
            log.error("a batch could not be taken", topic=message.topic, partition=message.partition, exc_info=True)
            await app.crash(error)

    async def borrowers(stream: Any) -> None:
        # A step of the engine takes as long as many batches: were each waited for, one would stand between any two.
        async for event in stream.events():
            taking = asyncio.create_task(take(event.message))
            under_way.add(taking)
            taking.add_done_callback(under_way.discard)
            while len(under_way) >= BATCHES_UNDER_WAY:
                await asyncio.wait(under_way, return_when=asyncio.FIRST_COMPLETED)

    app.agent(inputs, name="borrowers", concurrency=1)(borrowers)

    async def resume() -> None:
        for tp in tuple(app.consumer.held):
            if loop.worker.wants_more(source_of(tp.topic, loop.worker.prefix), tp.partition):
                app.consumer.take_up(tp)

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
                borrowers=sum(len(lane.slab) for lane in tuple(loop.worker.engine.lanes.values())),
            )
            before = counts.events

    async def on_revoked(app: Any, revoked: Any, **_: Any) -> None:
        await loop.stand_back()

    app.task(checkpoints)
    app.task(report)
    app.on_partitions_revoked.connect(on_revoked, weak=False)
