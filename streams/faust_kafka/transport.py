"""Faust's Kafka transport, with one message per fetched batch of a partition, and commits of marked offsets only.

Faust spends some 200 µs on every message, aiokafka 4 µs on an object for every record. Here a message's value is
everything that one fetch returned for one partition, as columns, so both costs are paid once per fetch.

Faust counts a message as done when an agent has read it, but its effects are not durable then. So only offsets that the
worker marked as committable, after its checkpoint, are ever committed.
"""

from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from typing import Any

import faust
from aiokafka.consumer import fetcher
from aiokafka.consumer.fetcher import PartitionRecords
from faust.transport.drivers import aiokafka as driver
from faust.types import TP
from faust.types.tuples import ConsumerMessage

from loanpulse.streams.faust_kafka import record_batches
from loanpulse.streams.faust_kafka.record_batches import FetchedRecords


class RawRecords:
    """The bytes of a fetch, kept for ``ColumnRecords``; replaces aiokafka's ``MemoryRecords``."""

    def __init__(self, raw: bytes) -> None:
        self.raw = bytes(raw)

    def has_next(self) -> bool:
        """Return True if at least one batch is complete."""
        if len(self.raw) < record_batches.OVERHEAD.size:
            return False
        _, length = record_batches.OVERHEAD.unpack_from(self.raw)
        return len(self.raw) >= record_batches.OVERHEAD.size + int(length)

    def size_in_bytes(self) -> int:
        """Return the number of bytes fetched."""
        return len(self.raw)


class ColumnRecords(PartitionRecords):  # type: ignore[misc]
    """Yields all records of a fetch as one value of columns."""

    def _unpack_records(self) -> Iterator[FetchedRecords]:
        raw = self._records.raw
        start = int(self.next_fetch_offset)  # type: ignore[has-type]
        if record_batches.is_current_format(raw):
            batches = list(record_batches.batches_of(raw, check=self._check_crcs))
            records = record_batches.records_of(batches, start)
            self.next_fetch_offset = max(start, batches[-1].next_offset)
        else:
            records = record_batches.records_of_old_format(raw, start, check=self._check_crcs)
            if len(records):
                self.next_fetch_offset = int(records.offsets[-1]) + 1
        if len(records):
            yield records


def install() -> None:
    """Replace aiokafka's parser of fetched records in this process; call it before building a Faust app.

    The fetcher looks the two classes up at every fetch and has no option for others. Every aiokafka consumer of the
    process is affected, so a worker's or trainer's process must have no other one.
    """
    fetcher.MemoryRecords = RawRecords
    fetcher.PartitionRecords = ColumnRecords


class BatchSchema(faust.Schema):  # type: ignore[misc]
    """Passes batches on without decoding: the engine decodes all records of a batch at once."""

    def compile(self, app: Any, **_: Any) -> Any:
        """Return the function with which Faust makes an event from a message."""

        async def decode(message: Any, *, propagate: bool = False) -> Any:
            return app.create_event(None, message.value, message.headers, message)

        return decode


class Consumer(driver.Consumer):  # type: ignore[misc]
    """Yields a message per batch of a partition and commits marked offsets only; needs ``install``."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if fetcher.PartitionRecords is not ColumnRecords:
            raise RuntimeError("call transport.install() before building the app")
        self._committable: dict[TP, int] = {}
        self.delivered: dict[TP, int] = {}
        """The offset after the last record delivered, by partition."""
        self.paused: set[TP] = set()
        """Partitions that are not fetched for now; fetches in progress when they were paused are still delivered."""
        super().__init__(*args, **kwargs)

    async def getmany(self, timeout: float) -> AsyncIterator[tuple[TP, ConsumerMessage]]:
        """Fetch, and yield one message per partition: its value is all of its records, its offset the last one's."""
        records, active = await self._wait_next_records(timeout)
        generation = self.app.consumer_generation_id
        if records is None or self.should_stop:
            return
        if not self.flow_active:
            await self._seek_back()
            return
        for partition, (batch,) in records.items():
            if not self.flow_active or self.app.consumer_generation_id != generation:
                break
            # Faust expects its own type in its sets of partitions, not aiokafka's TopicPartition.
            tp = TP(partition.topic, partition.partition)
            # A partition paused during the fetch must be delivered: its position is past these records already, so
            # skipping them would lose them.
            if active is None or tp in active or tp in self.paused or tp in self._buffered_partitions:
                self.app.monitor.track_tp_end_offset(tp, self.highwater(tp))
                self.delivered[tp] = int(batch.offsets[-1]) + 1
                yield tp, self._batch_message(tp, batch)

    async def _getmany(self, active_partitions: set[TP] | None, timeout: float) -> Any:
        """Fetch from a copy of the set of partitions.

        Faust changes the set during the fetch. If it becomes empty, aiokafka returns records of all partitions, and
        counts them as read, but Faust drops them.
        """
        return await super()._getmany(None if active_partitions is None else set(active_partitions), timeout)

    async def perform_seek(self) -> None:
        """Seek to the committed offsets, and to the beginning where none is committed.

        Faust and aiokafka leave partitions without a commit at their position: records that were fetched and not
        delivered would be lost.
        """
        await super().perform_seek()
        uncommitted = [
            tp for tp in self.assignment() if self._read_offset[tp] is None and not self._is_changelog_tp(tp)
        ]
        if uncommitted:
            # aiokafka accepts its own TopicPartition only, not Faust's TP.
            await self._thread.seek_to_beginning(*(self._new_topicpartition(*tp) for tp in uncommitted))

    def pause(self, tp: TP) -> None:
        """Stop fetching a partition until ``resume``."""
        self.paused.add(tp)
        self.pause_partitions({tp})

    def resume(self, tp: TP) -> None:
        """Fetch a paused partition again."""
        self.paused.discard(tp)
        self.resume_partitions({tp})

    async def _seek_back(self) -> None:
        try:
            await self.perform_seek()
        except Exception as error:
            # The flow is stopped for a rebalance; when that ends, Faust seeks again.
            self.log.warning("can't seek back while the flow is stopped: %r", error)

    def _batch_message(self, tp: TP, batch: FetchedRecords) -> ConsumerMessage:
        return ConsumerMessage(
            tp.topic,
            tp.partition,
            int(batch.offsets[-1]),
            int(batch.timestamps[-1]) / 1000.0,
            0,
            [],
            b"",
            batch,
            None,
            0,
            0,
            tp,
            generation_id=self.app.consumer_generation_id,
        )

    def is_caught_up(self, tp: TP) -> bool:
        """Return True if everything up to the last known high watermark of a partition was fetched."""
        try:
            state = self._thread._ensure_consumer()._subscription.subscription.assignment.state_value(tp)
        except AttributeError:
            return False  # not assigned, or not connected yet
        if state is None or not state.has_valid_position or state.highwater is None:
            return False
        return bool(state.position >= state.highwater)

    def ack(self, message: Any) -> bool:
        """Release a message. This makes no offset committable; ``mark_committable`` does."""
        if message.acked:
            return False
        message.acked = True
        self._unacked_messages.discard(message)
        return True

    def mark_committable(self, offsets: Mapping[TP, int]) -> None:
        """Allow these offsets (the next to read) to be committed: everything before them is durable."""
        self._committable.update(offsets)

    def _filter_tps_with_pending_acks(self, topics: Any = None) -> Iterator[TP]:
        return (tp for tp in tuple(self._committable) if topics is None or tp in topics or tp.topic in topics)

    def _filter_committable_offsets(self, tps: Iterable[TP]) -> dict[TP, int]:
        marked = {tp: self._committable[tp] for tp in tps if tp in self._committable}
        return {tp: offset for tp, offset in marked.items() if self._should_commit(tp, offset)}

    async def _add_gap(self, tp: TP, offset_from: int, offset_to: int) -> None:
        """Ignore gaps: Faust would count the offsets up to the message that it is about to deliver as done."""

    async def on_partitions_revoked(self, revoked: set[TP]) -> None:
        """Drop the offsets and pauses of revoked partitions."""
        for tp in revoked:
            self._committable.pop(tp, None)
            self.delivered.pop(tp, None)
            self.paused.discard(tp)
        await super().on_partitions_revoked(revoked)


class Transport(driver.Transport):  # type: ignore[misc]
    """The transport behind ``loanpulse://host:port``."""

    Consumer = Consumer
