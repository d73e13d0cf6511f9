"""Loads topics into tables: in blocks cut by size and age, each inserted once, resumed where the warehouse says.

One thread polls Kafka and never waits for the warehouse. While a batch is inserted, the next one fills. When that is
full too, the thread pauses the partitions and goes on polling, so the loader stays in its group however long the
warehouse is away. ``blocks`` explains why a crash at any time leaves every row exactly once.
"""

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import stamina
import structlog
from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from loanpulse.schemas.confluent_registry import open_registry
from loanpulse.schemas.forgetting import forget_request, is_order_to_forget
from loanpulse.settings import Settings
from loanpulse.settings.broker import consumer_properties
from loanpulse.sinks.backlog import Backlog
from loanpulse.sinks.blocks import Block, PartitionId, read_loaded, record_blocks
from loanpulse.sinks.connect import bring_up_to_date, open_warehouse
from loanpulse.sinks.embedded import EmbeddedWarehouse
from loanpulse.sinks.endpoint import QueryServer
from loanpulse.sinks.erasure import erase, write_audit
from loanpulse.sinks.rows import DEAD_LETTER_TABLE, RowMaker
from loanpulse.sinks.warehouse import Warehouse, WarehouseUnreachableError

log = structlog.get_logger(__name__)

GROUP = "loanpulse-loader"
POLL_SECONDS = 0.2
FETCHED_AT_ONCE = 5_000
WATERMARK_SECONDS = 10
REPORT_SECONDS = 30.0
LONGEST_RETRY_SECONDS = 20.0
REVOKED_WAIT_SECONDS = 2.0
"""How long a rebalance waits for the batch being inserted. Otherwise the next owner repeats it, same tokens."""


@dataclass(slots=True)
class LoaderCounts:
    """What a loader has inserted and refused since its start."""

    rows: int = 0
    refused: int = 0
    blocks: int = 0


@dataclass(slots=True)
class Loader:
    """Consumes topics and inserts blocks. ``monotonic`` is a clock in seconds that never jumps."""

    settings: Settings
    consumer: Consumer
    warehouse: Warehouse
    maker: RowMaker
    monotonic: Callable[[], float] = time.monotonic
    counts: LoaderCounts = field(default_factory=LoaderCounts)
    _backlog: Backlog = field(default_factory=Backlog)
    _assigned: set[PartitionId] = field(default_factory=set)
    _under_way: "Future[list[Block]] | None" = None
    _paused: bool = False
    _batches: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1, "batch"))
    _inserts: ThreadPoolExecutor = field(init=False)

    def __post_init__(self) -> None:
        self._inserts = ThreadPoolExecutor(self.settings.warehouse.insert_threads, "insert")

    def subscribe(self) -> None:
        """Join the consumer group."""
        self.consumer.subscribe(self.maker.topics, on_assign=self._on_assign, on_revoke=self._on_revoke)

    def step(self) -> None:
        """Start an insert if the backlog is due and none is running, then poll once.

        Raises:
            WarehouseError: the warehouse refused a block, and would refuse it again.
        """
        # If paused, wait for the running insert instead of messages, so that the next insert starts at once.
        self._settle(wait=POLL_SECONDS if self._paused else 0.0)
        if self._under_way is None and self._is_ripe():
            self._begin()
        self._pause_if(self._under_way is not None and self._backlog.count >= self.settings.warehouse.batch_rows)
        for message in self.consumer.consume(FETCHED_AT_ONCE, 0.0 if self._paused else POLL_SECONDS):
            self._add(message)

    def finish(self) -> None:
        """Insert and commit the whole backlog. Raises WarehouseError."""
        self._settle(wait=None)
        if self._backlog.count:
            self._begin()
            self._settle(wait=None)
        self._batches.shutdown()
        self._inserts.shutdown()

    def _add(self, message: Any) -> None:
        error = message.error()
        if error is not None:
            if error.code() != KafkaError._PARTITION_EOF:  # noqa: SLF001 - the library has no other name for it
                log.warning("the broker reports", error=error.str())
            return
        self._backlog.add(message, self.monotonic())

    def _is_ripe(self) -> bool:
        warehouse = self.settings.warehouse
        old = self.monotonic() - self._backlog.since >= warehouse.max_batch_age_seconds
        return bool(self._backlog.count) and (old or self._backlog.count >= warehouse.batch_rows)

    def _pause_if(self, full: bool) -> None:
        """Pause the partitions while one batch is being inserted and the next is full; resume them afterwards."""
        if full != self._paused:
            self._paused = full
            (self.consumer.pause if full else self.consumer.resume)(self.consumer.assignment())

    def _begin(self) -> None:
        blocks = self._backlog.cut(self.monotonic())
        if blocks:
            self._under_way = self._batches.submit(self._insert_persistently, blocks)

    def _settle(self, wait: float | None) -> None:
        """Commit the offsets of an inserted batch. Waits up to ``wait`` seconds for it, None for as long as needed."""
        if self._under_way is None or (wait == 0.0 and not self._under_way.done()):
            return
        try:
            blocks = self._under_way.result(wait)
        except TimeoutError:
            return
        self._under_way = None
        self.counts.blocks += len(blocks)
        self.counts.rows += sum(block.rows for block in blocks)
        self.counts.refused += sum(block.refused for block in blocks)
        self._commit([block for block in blocks if block.partition_id in self._assigned])

    def _insert_persistently(self, blocks: list[Block]) -> list[Block]:
        """Insert a batch, with retries while the warehouse can't be reached. Runs in the batch thread."""
        for attempt in stamina.retry_context(
            on=WarehouseUnreachableError, attempts=None, timeout=None, wait_initial=0.5, wait_max=LONGEST_RETRY_SECONDS
        ):
            with attempt:
                if attempt.num > 1:
                    log.warning("the warehouse can't be reached; retrying", attempt=attempt.num)
                self._insert(blocks)
        return blocks

    def _insert(self, blocks: list[Block]) -> None:
        fresh = [block for block in blocks if not block.planned]
        if fresh:
            record_blocks(self.warehouse, fresh, loaded=False)
            for block in fresh:
                block.planned = True
        list(self._inserts.map(self._insert_block, blocks))
        record_blocks(self.warehouse, blocks, loaded=True)

    def _insert_block(self, block: Block) -> None:
        messages = [message for message in block.messages if message.value() is not None or not _is_forget(message)]
        if len(messages) < len(block.messages):
            self._insert_rows(block, messages)
            self._erase_borrowers(block)
        else:
            self._insert_rows(block, block.messages)

    def _insert_rows(self, block: Block, messages: Sequence[Any]) -> None:
        if not messages:
            return
        made = self.maker.rows(block.partition_id[0], messages)
        token = block.token
        self.warehouse.insert(made.table, made.rows, token)
        block.rows = made.rows.num_rows
        if made.refused is not None:
            self.warehouse.insert(DEAD_LETTER_TABLE, made.refused, f"{token}:refused")
            block.refused = made.refused.num_rows

    def _erase_borrowers(self, block: Block) -> None:
        """Apply the block's forget requests, now that all records before them are in the tables."""
        for message in block.messages:
            request = forget_request(message.value(), message.headers())
            if request is not None and message.key():
                borrower = message.key().decode("utf-8", "replace")
                erased = erase(self.warehouse, borrower, self.settings.warehouse.cluster)
                write_audit(self.warehouse, request, borrower, block.partition_id[0], erased)
                log.info("a borrower was forgotten", request=request, topic=block.partition_id[0])

    def _commit(self, blocks: list[Block]) -> None:
        positions = [TopicPartition(*block.partition_id, block.edges.following) for block in blocks]
        if not positions:
            return
        try:
            self.consumer.commit(offsets=positions, asynchronous=False)
        except KafkaException as error:
            # No harm: the blocks are recorded in the warehouse, which decides where loading resumes.
            log.warning("offsets were not committed", error=error.args[0].str())

    def _on_assign(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        """Resume where the warehouse says; for partitions that it doesn't know, at the group's committed offset."""
        loaded = read_loaded(self.warehouse)
        for assigned in partitions:
            key = assigned.topic, assigned.partition
            self._assigned.add(key)
            known = loaded.get(key)
            if known is None:
                continue
            low, high = consumer.get_watermark_offsets(assigned, timeout=WATERMARK_SECONDS)
            if high < known.loaded_up_to:
                # The topic was deleted and created again: the warehouse's offsets are of the old one.
                log.warning(
                    "topic was created again; loading from the group's offset",
                    topic=assigned.topic,
                    partition=assigned.partition,
                )
                continue
            assigned.offset = max(known.loaded_up_to, low)
            if known.under_way is not None and low < known.under_way.following <= high:
                self._backlog.fixed[key] = known.under_way
        consumer.assign(partitions)
        self._paused = False

    def _on_revoke(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        self._settle(wait=REVOKED_WAIT_SECONDS)
        for assigned in partitions:
            self._backlog.forget((assigned.topic, assigned.partition))
            self._assigned.discard((assigned.topic, assigned.partition))


def _is_forget(message: Any) -> bool:
    return is_order_to_forget(message.value(), message.headers())


def run(settings: Settings, stop: threading.Event) -> None:
    """Load until ``stop`` is set. Migrates the warehouse first; an embedded one also answers queries meanwhile.

    Raises:
        WarehouseError: the warehouse can't be opened or migrated, or refuses rows.
        MigrationError: this version can't use the warehouse.
    """
    warehouse = open_warehouse(settings.warehouse)
    server = None
    consumer = Consumer(consumer_properties(settings, settings.topics.prefix + GROUP))
    maker = RowMaker(open_registry(settings.registry), settings.topics.prefix, settings.streams.currency)
    loader = Loader(settings, consumer, warehouse, maker)
    try:
        applied = bring_up_to_date(warehouse, settings)
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
                counts = loader.counts
                log.info("loading", rows=counts.rows, blocks=counts.blocks, refused=counts.refused)
        loader.finish()
    finally:
        consumer.close()
        if server is not None:
            server.stop()
        warehouse.close()
