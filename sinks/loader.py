"""From topics to tables: batches by size and age, and offsets committed only after the insert.

A row loaded twice is one row to a reader, because tables replace by ids that are made of what happened. How far each
partition has been loaded is also written into the warehouse with every batch; the loader takes up from there where
that is further than what the group has committed.
"""

import threading
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import stamina
import structlog
from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from loanpulse.schemas.registry import open_registry
from loanpulse.settings import Settings
from loanpulse.settings.broker import consumer_properties
from loanpulse.sinks.connect import open_warehouse
from loanpulse.sinks.embedded import EmbeddedWarehouse
from loanpulse.sinks.endpoint import QueryServer
from loanpulse.sinks.migrate import migrate
from loanpulse.sinks.rows import RowMaker
from loanpulse.sinks.warehouse import Warehouse, WarehouseUnreachableError

log = structlog.get_logger(__name__)

GROUP = "loanpulse-loader"
POLL_SECONDS = 0.2
FETCHED_AT_ONCE = 5_000
WATERMARK_SECONDS = 10
REPORT_SECONDS = 30.0
LONGEST_RETRY_SECONDS = 20.0

Place = tuple[str, int]


@dataclass(slots=True)
class LoaderCounts:
    """What a loader has done since its start."""

    rows: int = 0
    refused: int = 0
    batches: int = 0
    skipped: int = 0


@dataclass(slots=True)
class Batch:
    """Messages that wait to be inserted, by place, and since when (monotonic seconds)."""

    messages: dict[Place, list[Any]] = field(default_factory=lambda: defaultdict(list))
    count: int = 0
    since: float = 0.0


@dataclass(slots=True)
class Loader:
    """Consumes and inserts; ``monotonic`` is a clock that never jumps."""

    settings: Settings
    consumer: Consumer
    warehouse: Warehouse
    maker: RowMaker
    monotonic: Callable[[], float] = time.monotonic
    counts: LoaderCounts = field(default_factory=LoaderCounts)
    _batch: Batch = field(default_factory=Batch)
    _loaded: dict[Place, int] = field(default_factory=dict)

    def subscribe(self) -> None:
        """Join the group."""
        self.consumer.subscribe(self.maker.topics, on_assign=self._on_assign, on_revoke=self._on_revoke)

    def step(self) -> None:
        """Take what there is for a moment, and insert if the batch is large or old enough."""
        for message in self.consumer.consume(FETCHED_AT_ONCE, POLL_SECONDS):
            self._add(message)
        if self._batch.count and self._is_ripe():
            self.insert()

    def insert(self) -> None:
        """Insert the batch and commit its offsets; keeps trying while the warehouse is away."""
        batch, self._batch = self._batch, Batch()
        if not batch.count:
            return
        for attempt in stamina.retry_context(
            on=WarehouseUnreachableError, attempts=None, timeout=None, wait_initial=0.5, wait_max=LONGEST_RETRY_SECONDS
        ):
            with attempt:
                self._keep_membership(attempt.num)
                self._insert(batch)
        if attempt.num > 1:
            self.consumer.resume(self.consumer.assignment())
        self._commit(batch)

    def _add(self, message: Any) -> None:
        error = message.error()
        if error is not None:
            if error.code() != KafkaError._PARTITION_EOF:  # noqa: SLF001 - the library has no other name for it
                log.warning("the broker reports", error=error.str())
            return
        place = message.topic(), message.partition()
        if message.offset() < self._loaded.get(place, 0):
            self.counts.skipped += 1
            return
        if not self._batch.count:
            self._batch.since = self.monotonic()
        self._batch.messages[place].append(message)
        self._batch.count += 1

    def _is_ripe(self) -> bool:
        warehouse = self.settings.warehouse
        old = self.monotonic() - self._batch.since >= warehouse.batch_seconds
        return old or self._batch.count >= warehouse.batch_rows

    def _keep_membership(self, attempt: int) -> None:
        """Stay in the group while the warehouse is away: poll without taking anything."""
        if attempt > 1:
            self.consumer.pause(self.consumer.assignment())
            self.consumer.poll(0)
            log.warning("the warehouse is away; waiting", attempt=attempt)

    def _insert(self, batch: Batch) -> None:
        by_topic: dict[str, list[Any]] = defaultdict(list)
        for (topic, _), messages in sorted(batch.messages.items()):
            by_topic[topic].extend(messages)
        for topic, messages in by_topic.items():
            made = self.maker.rows(topic, messages)
            self.warehouse.insert(made.table, made.rows)
            self.counts.rows += made.rows.num_rows
            if made.refused is not None:
                self.warehouse.insert("dead_letters", made.refused)
                self.counts.refused += made.refused.num_rows
        self.warehouse.insert("loader_offsets", self._offset_rows(batch))
        self.counts.batches += 1

    def _offset_rows(self, batch: Batch) -> pa.Table:
        places = sorted(batch.messages)
        return pa.table(
            {
                "topic": pa.array([topic for topic, _ in places], pa.string()),
                "partition": pa.array([partition for _, partition in places], pa.uint32()),
                "next_offset": pa.array([batch.messages[place][-1].offset() + 1 for place in places], pa.int64()),
                "rows": pa.array([len(batch.messages[place]) for place in places], pa.uint64()),
            }
        )

    def _commit(self, batch: Batch) -> None:
        offsets = {place: messages[-1].offset() + 1 for place, messages in batch.messages.items()}
        self._loaded.update(offsets)
        positions = [TopicPartition(topic, partition, offset) for (topic, partition), offset in offsets.items()]
        try:
            self.consumer.commit(offsets=positions, asynchronous=False)
        except KafkaException as error:
            # The rows are in and written down in the warehouse; at worst they are read again and skipped.
            log.warning("offsets were not committed", error=error.args[0].str())

    def _on_assign(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        loaded = self._read_offsets()
        for place in consumer.committed(partitions, timeout=WATERMARK_SECONDS):
            further = loaded.get((place.topic, place.partition), 0)
            if further > max(place.offset, 0):
                _, high = consumer.get_watermark_offsets(place, timeout=WATERMARK_SECONDS)
                if high < further:
                    # The topic was made anew since: its offsets are not those that the warehouse has seen.
                    log.warning("topic is newer than the warehouse", topic=place.topic, partition=place.partition)
                    continue
                self._loaded[place.topic, place.partition] = further

    def _on_revoke(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        self.insert()
        for place in partitions:
            self._loaded.pop((place.topic, place.partition), None)

    def _read_offsets(self) -> dict[Place, int]:
        rows = self.warehouse.query(
            "SELECT topic, partition, max(next_offset) AS next_offset FROM loader_offsets GROUP BY topic, partition"
        )
        return {(row["topic"], row["partition"]): row["next_offset"] for row in rows.to_pylist()}


def run(settings: Settings, stop: threading.Event) -> None:
    """Load until told to stop; migrates the warehouse first and, where it is embedded, answers queries meanwhile.

    Raises:
        WarehouseError: the warehouse can't be opened or migrated.
        MigrationError: the warehouse and this version don't fit.
    """
    warehouse = open_warehouse(settings.warehouse)
    server = None
    consumer = Consumer(consumer_properties(settings, settings.topics.prefix + GROUP))
    loader = Loader(settings, consumer, warehouse, RowMaker(open_registry(settings.registry), settings.topics.prefix))
    try:
        applied = migrate(warehouse)
        log.info("warehouse is ready", migrations_applied=len(applied))
        if isinstance(warehouse, EmbeddedWarehouse):
            server = QueryServer(warehouse, Path(settings.warehouse.path), settings.warehouse.query_port)
            server.start()
        loader.subscribe()
        reported = time.monotonic()
        while not stop.is_set():
            loader.step()
            if time.monotonic() - reported > REPORT_SECONDS:
                reported = time.monotonic()
                log.info(
                    "loading", rows=loader.counts.rows, batches=loader.counts.batches, refused=loader.counts.refused
                )
        loader.insert()
    finally:
        consumer.close()
        if server is not None:
            server.stop()
        warehouse.close()
