"""Faust's Kafka transport, with one message per fetched partition batch, and offsets committed only when booked.

Faust spends some 200 µs on every message, aiokafka 4 µs on an object for every record. Here a message's value is what
one fetch brought for one partition, as columns, so that both are paid per fetch. And what Faust counts as done when
an agent lets go of it is not yet durable here: only offsets that the worker has booked, after its checkpoint, are
ever committed.
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
    """A fetch's bytes, kept for ``ColumnRecords`` in the place of aiokafka's parser."""

    def __init__(self, raw: bytes) -> None:
        self.raw = bytes(raw)

    def has_next(self) -> bool:
        """Tell whether a whole batch is there."""
        if len(self.raw) < record_batches.OVERHEAD.size:
            return False
        _, length = record_batches.OVERHEAD.unpack_from(self.raw)
        return len(self.raw) >= record_batches.OVERHEAD.size + int(length)

    def size_in_bytes(self) -> int:
        """Return how much came."""
        return len(self.raw)


class ColumnRecords(PartitionRecords):  # type: ignore[misc]
    """Hands out all records of a fetch as one value of columns."""

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


class BatchSchema(faust.Schema):  # type: ignore[misc]
    """Hands a batch through as it is: decoding is the engine's, which does it for all records at once."""

    def compile(self, app: Any, **_: Any) -> Any:
        """Return the function by which Faust makes an event of a message."""

        async def decode(message: Any, *, propagate: bool = False) -> Any:
            return app.create_event(None, message.value, message.headers, message)

        return decode


class Consumer(driver.Consumer):  # type: ignore[misc]
    """Yields a message per partition batch and commits booked offsets only."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._booked: dict[TP, int] = {}
        self.delivered: dict[TP, int] = {}
        """The offset after the last record handed out, per partition."""
        self.held: set[TP] = set()
        """Partitions of which no more is fetched for now; what was under way when they were held is handed out."""
        # The fetcher looks the classes up here whenever a fetch has come; nothing else of this process consumes by it.
        fetcher.MemoryRecords = RawRecords
        fetcher.PartitionRecords = ColumnRecords
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
        for place, (batch,) in records.items():
            if not self.flow_active or self.app.consumer_generation_id != generation:
                break
            # Faust's own kind: a partition that is paused and resumed by another kind would break its set of them.
            tp = TP(place.topic, place.partition)
            # Of a partition held meanwhile the position is past these records already: left out, they would be lost.
            if active is None or tp in active or tp in self.held or tp in self._buffered_partitions:
                self.app.monitor.track_tp_end_offset(tp, self.highwater(tp))
                self.delivered[tp] = int(batch.offsets[-1]) + 1
                yield tp, self._batch_message(tp, batch)

    async def _getmany(self, active_partitions: set[TP] | None, timeout: float) -> Any:
        """Fetch of these partitions, whatever becomes of the set meanwhile.

        Faust changes it while the fetch is under way; once it was empty, aiokafka would hand out, and count as read,
        records of all partitions, which nobody waits for yet.
        """
        return await super()._getmany(None if active_partitions is None else set(active_partitions), timeout)

    async def perform_seek(self) -> None:
        """Go back to what is committed, and to the beginning where nothing is.

        Faust and aiokafka leave the latter where they are; what was fetched before and not handed out would be lost.
        """
        await super().perform_seek()
        never = [tp for tp in self.assignment() if self._read_offset[tp] is None and not self._is_changelog_tp(tp)]
        if never:
            await self._thread.seek_to_beginning(*(self._new_topicpartition(*tp) for tp in never))

    def hold(self, tp: TP) -> None:
        """Fetch no more of a partition until ``take_up``."""
        self.held.add(tp)
        self.pause_partitions({tp})

    def take_up(self, tp: TP) -> None:
        """Fetch a partition again that was held."""
        self.held.discard(tp)
        self.resume_partitions({tp})

    async def _seek_back(self) -> None:
        try:
            await self.perform_seek()
        except Exception as error:
            # The flow is stopped for a rebalance, whose end seeks again.
            self.log.warning("seeking back while the flow is stopped: %r", error)

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
        """Tell whether all that the broker said to have for this partition has been fetched."""
        try:
            state = self._thread._ensure_consumer()._subscription.subscription.assignment.state_value(tp)
        except AttributeError:
            return False
        if state is None or not state.has_valid_position or state.highwater is None:
            return False
        return bool(state.position >= state.highwater)

    def ack(self, message: Any) -> bool:
        """Let go of a message. Nothing becomes committable by it: see ``book``."""
        if message.acked:
            return False
        message.acked = True
        self._unacked_messages.discard(message)
        return True

    def book(self, offsets: Mapping[TP, int]) -> None:
        """Allow these offsets (the next to read) to be committed: all before them is durable."""
        self._booked.update(offsets)

    def _filter_tps_with_pending_acks(self, topics: Any = None) -> Iterator[TP]:
        return (tp for tp in tuple(self._booked) if topics is None or tp in topics or tp.topic in topics)

    def _filter_committable_offsets(self, tps: Iterable[TP]) -> dict[TP, int]:
        booked = {tp: self._booked[tp] for tp in tps if tp in self._booked}
        return {tp: offset for tp, offset in booked.items() if self._should_commit(tp, offset)}

    async def _add_gap(self, tp: TP, offset_from: int, offset_to: int) -> None:
        """Ignore gaps: Faust books one over the offset that it is about to deliver."""

    async def on_partitions_revoked(self, revoked: set[TP]) -> None:
        """Forget what was booked of the partitions that are taken away."""
        for tp in revoked:
            self._booked.pop(tp, None)
            self.delivered.pop(tp, None)
            self.held.discard(tp)
        await super().on_partitions_revoked(revoked)


class Transport(driver.Transport):  # type: ignore[misc]
    """The transport behind ``loanpulse://host:port``."""

    Consumer = Consumer
