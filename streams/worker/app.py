"""The Faust app: one agent over the three event topics, one table recovered from its changelog."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import faust

from loanpulse.schemas.codec import Codec
from loanpulse.schemas.confluent_registry import open_registry
from loanpulse.schemas.topics import BORROWERS_CHANGELOG, DEAD_LETTERS, EVENT_TOPICS, ORDER_APPLICATIONS, full_name
from loanpulse.settings import Settings
from loanpulse.settings.broker import producer_properties
from loanpulse.streams.engine.engine import Engine
from loanpulse.streams.faust_kafka.consumer_offsets import ConsumerOffsets
from loanpulse.streams.faust_kafka.settings import faust_settings
from loanpulse.streams.faust_kafka.transport import BatchSchema, install
from loanpulse.streams.from_settings import engine_options, load_policy
from loanpulse.streams.worker.agent import BorrowerAgent
from loanpulse.streams.worker.changelog_table import BorrowerTable
from loanpulse.streams.worker.checkpoint import CheckpointPublisher
from loanpulse.streams.worker.checkpoint_loop import CheckpointLoop
from loanpulse.streams.worker.directive_reader import DirectiveReader
from loanpulse.streams.worker.disk_memory import on_disk
from loanpulse.streams.worker.worker import BorrowerWorker


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
    offsets = ConsumerOffsets(app)
    worker = _worker(settings, engine, codec, offsets)
    loop = CheckpointLoop(
        worker, settings.streams.checkpoint_seconds, offsets.commit, settings.broker.group_timeouts.session_seconds
    )
    _add_table(app, settings, worker)
    inputs = app.topic(
        *(full_name(name, prefix) for name in EVENT_TOPICS), schema=BatchSchema(), key_type=bytes, value_type=bytes
    )
    BorrowerAgent(app, loop).add_to_app(inputs)
    return WorkerApp(app, worker, loop, DirectiveReader(settings, worker.inbox, codec, worker.inbox.refuse))


def _worker(settings: Settings, engine: Engine, codec: Codec, offsets: ConsumerOffsets) -> BorrowerWorker:
    prefix = settings.topics.prefix

    def caught_up(partition: int, source: int, next_offset: int) -> bool:
        return offsets.caught_up(full_name(EVENT_TOPICS[source], prefix), partition, next_offset)

    publisher = CheckpointPublisher(
        producer_properties(settings),
        full_name(BORROWERS_CHANGELOG, prefix),
        full_name(DEAD_LETTERS, prefix),
        full_name(ORDER_APPLICATIONS, prefix),
    )
    return BorrowerWorker(
        engine,
        codec,
        publisher,
        caught_up,
        prefix,
        frozenset(settings.topics.lenders),
        settings.streams.idle_source_timeout_seconds,
        settings.streams.max_buffered_events_per_source,
        settings.streams.threads or os.cpu_count() or 1,
    )


def _add_table(app: Any, settings: Settings, worker: BorrowerWorker) -> None:
    """Add the table by which Faust assigns partitions and reads the changelog back."""
    changelog = app.topic(
        full_name(BORROWERS_CHANGELOG, settings.topics.prefix),
        schema=BatchSchema(),
        key_type=bytes,
        value_type=bytes,
        partitions=settings.topics.partitions,
        acks=False,
        internal=True,
    )
    table = BorrowerTable(
        app,
        name="borrowers",
        key_type=bytes,
        value_type=bytes,
        partitions=settings.topics.partitions,
        changelog_topic=changelog,
        recovery_buffer_size=8,
        options={"host": worker.owned},
    )
    app.tables.add(table)
