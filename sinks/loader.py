"""From topics to tables: blocks by size and age, each once; the warehouse's own word says where to go on.

One thread talks to Kafka and never waits for the warehouse: while a batch is being inserted the next one fills, and
when that is full too the partitions are paused and polling goes on, so that the group keeps its member however long
the warehouse is away. See ``blocks`` for why a crash at any moment leaves every row once.
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

from loanpulse.schemas.forgetting import forget_request, is_order_to_forget
from loanpulse.schemas.registry import open_registry
from loanpulse.settings import Settings
from loanpulse.settings.broker import consumer_properties
from loanpulse.sinks.backlog import Backlog
from loanpulse.sinks.blocks import Block, Place, read_standings, write_down
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
"""How long a rebalance waits for a batch under way; another loader repeats it with the same tokens otherwise."""


@dataclass(slots=True)
class LoaderCounts:
    """What a loader has done since its start."""

    rows: int = 0
    refused: int = 0
    blocks: int = 0


@dataclass(slots=True)
class Loader:
    """Consumes and inserts; ``monotonic`` is a clock that never jumps."""

    settings: Settings
    consumer: Consumer
    warehouse: Warehouse
    maker: RowMaker
    monotonic: Callable[[], float] = time.monotonic
    counts: LoaderCounts = field(default_factory=LoaderCounts)
    _backlog: Backlog = field(default_factory=Backlog)
    _assigned: set[Place] = field(default_factory=set)
    _under_way: "Future[list[Block]] | None" = None
    _paused: bool = False
    _batches: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1, "batch"))
    _inserts: ThreadPoolExecutor = field(init=False)

    def __post_init__(self) -> None:
        self._inserts = ThreadPoolExecutor(self.settings.warehouse.insert_threads, "insert")

    def subscribe(self) -> None:
        """Join the group."""
        self.consumer.subscribe(self.maker.topics, on_assign=self._on_assign, on_revoke=self._on_revoke)

    def step(self) -> None:
        """Begin an insert if enough waits and none is under way; take what there is for a moment.

        Raises:
            WarehouseError: the warehouse refused a block, and would refuse it again.
        """
        # Full, it waits for the batch under way and not for messages: the next one begins at once.
        self._settle(wait=POLL_SECONDS if self._paused else 0.0)
        if self._under_way is None and self._is_ripe():
            self._begin()
        self._hold_back(self._under_way is not None and self._backlog.count >= self.settings.warehouse.batch_rows)
        for message in self.consumer.consume(FETCHED_AT_ONCE, 0.0 if self._paused else POLL_SECONDS):
            self._add(message)

    def finish(self) -> None:
        """Insert and commit what waits. Raises WarehouseError."""
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

    def _hold_back(self, full: bool) -> None:
        """Take nothing more while one batch is being inserted and the next is full."""
        if full != self._paused:
            self._paused = full
            (self.consumer.pause if full else self.consumer.resume)(self.consumer.assignment())

    def _begin(self) -> None:
        blocks = self._backlog.cut(self.monotonic())
        if blocks:
            self._under_way = self._batches.submit(self._insert_persistently, blocks)

    def _settle(self, wait: float | None) -> None:
        """Commit the offsets of a batch that is in. Waits up to ``wait`` seconds, None for as long as needed."""
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
        self._commit([block for block in blocks if block.place in self._assigned])

    def _insert_persistently(self, blocks: list[Block]) -> list[Block]:
        """Insert a batch; keeps trying while the warehouse is away. Runs beside the thread that polls."""
        for attempt in stamina.retry_context(
            on=WarehouseUnreachableError, attempts=None, timeout=None, wait_initial=0.5, wait_max=LONGEST_RETRY_SECONDS
        ):
            with attempt:
                if attempt.num > 1:
                    log.warning("the warehouse is away; waiting", attempt=attempt.num)
                self._insert(blocks)
        return blocks

    def _insert(self, blocks: list[Block]) -> None:
        fresh = [block for block in blocks if not block.planned]
        if fresh:
            write_down(self.warehouse, fresh, loaded=False)
            for block in fresh:
                block.planned = True
        list(self._inserts.map(self._insert_block, blocks))
        write_down(self.warehouse, blocks, loaded=True)

    def _insert_block(self, block: Block) -> None:
        messages = [message for message in block.messages if message.value() is not None or not _is_order(message)]
        if len(messages) < len(block.messages):
            self._insert_rows(block, messages)
            self._follow_orders(block)
        else:
            self._insert_rows(block, block.messages)

    def _insert_rows(self, block: Block, messages: Sequence[Any]) -> None:
        if not messages:
            return
        made = self.maker.rows(block.place[0], messages)
        token = block.token
        self.warehouse.insert(made.table, made.rows, token)
        block.rows = made.rows.num_rows
        if made.refused is not None:
            self.warehouse.insert(DEAD_LETTER_TABLE, made.refused, f"{token}:refused")
            block.refused = made.refused.num_rows

    def _follow_orders(self, block: Block) -> None:
        """Forget borrowers, now that everything before their orders is in the tables."""
        for message in block.messages:
            request = forget_request(message.value(), message.headers())
            if request is not None and message.key():
                borrower = message.key().decode("utf-8", "replace")
                erased = erase(self.warehouse, borrower, self.settings.warehouse.cluster)
                write_audit(self.warehouse, request, borrower, block.place[0], erased)
                log.info("a borrower was forgotten", request=request, topic=block.place[0])

    def _commit(self, blocks: list[Block]) -> None:
        positions = [TopicPartition(*block.place, block.edges.following) for block in blocks]
        if not positions:
            return
        try:
            self.consumer.commit(offsets=positions, asynchronous=False)
        except KafkaException as error:
            # The blocks are in and written down in the warehouse, which is asked first.
            log.warning("offsets were not committed", error=error.args[0].str())

    def _on_assign(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        """Go on from where the warehouse says, and only where it says nothing from what the group has committed."""
        standings = read_standings(self.warehouse)
        for place in partitions:
            key = place.topic, place.partition
            self._assigned.add(key)
            standing = standings.get(key)
            if standing is None:
                continue
            low, high = consumer.get_watermark_offsets(place, timeout=WATERMARK_SECONDS)
            if high < standing.loaded_up_to:
                # The topic was made anew since: its offsets are not those that the warehouse has seen.
                log.warning("topic is newer than the warehouse", topic=place.topic, partition=place.partition)
                continue
            place.offset = max(standing.loaded_up_to, low)
            if standing.under_way is not None and low < standing.under_way.following <= high:
                self._backlog.fixed[key] = standing.under_way
        consumer.assign(partitions)
        self._paused = False

    def _on_revoke(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        self._settle(wait=REVOKED_WAIT_SECONDS)
        for place in partitions:
            self._backlog.forget((place.topic, place.partition))
            self._assigned.discard((place.topic, place.partition))


def _is_order(message: Any) -> bool:
    return is_order_to_forget(message.value(), message.headers())


def run(settings: Settings, stop: threading.Event) -> None:
    """Load until told to stop; migrates the warehouse first and, where it is embedded, answers queries meanwhile.

    Raises:
        WarehouseError: the warehouse can't be opened or migrated, or refuses rows.
        MigrationError: the warehouse and this version don't fit.
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
