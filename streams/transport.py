"""Faust's Kafka transport, with one message per fetched partition batch, and offsets committed only when booked.

Faust spends some 200 µs on every message. Here a message's value is the list of records that one fetch brought for
one partition, so that this cost is paid per batch. And what Faust counts as done when an agent lets go of it is not
yet durable here: only offsets that the worker has booked, after its checkpoint, are ever committed.
"""

from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from typing import Any

import faust
from aiokafka.consumer import fetcher
from aiokafka.consumer.fetcher import PartitionRecords
from faust.transport.drivers import aiokafka as driver
from faust.types import TP
from faust.types.tuples import ConsumerMessage


class PlainRecords(PartitionRecords):  # type: ignore[misc]
    """Hands out records as the parser made them: a second object of each would cost more than all the rest."""

    def _consumer_record(self, tp: Any, record: Any) -> Any:
        return record


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
        # The fetcher looks the class up here whenever a fetch has come; nothing else of this process consumes by it.
        fetcher.PartitionRecords = PlainRecords
        super().__init__(*args, **kwargs)

    async def getmany(self, timeout: float) -> AsyncIterator[tuple[TP, ConsumerMessage]]:
        """Fetch, and yield one message per partition: its value is the list of records, its offset the last one's."""
        records, active = await self._wait_next_records(timeout)
        generation = self.app.consumer_generation_id
        if records is None or self.should_stop:
            return
        if not self.flow_active:
            await self._seek_back()
            return
        for tp, batch in records.items():
            if not self.flow_active or self.app.consumer_generation_id != generation:
                break
            if batch and (active is None or tp in active or tp in self._buffered_partitions):
                self.app.monitor.track_tp_end_offset(tp, self.highwater(tp))
                self.delivered[TP(tp.topic, tp.partition)] = batch[-1].offset + 1
                yield tp, self._batch_message(tp, batch)

    async def _seek_back(self) -> None:
        try:
            await self.perform_seek()
        except Exception as error:
            # The flow is stopped for a rebalance, whose end seeks again.
            self.log.warning("seeking back while the flow is stopped: %r", error)

    def _batch_message(self, tp: TP, batch: list[Any]) -> ConsumerMessage:
        last = batch[-1]
        return ConsumerMessage(
            tp.topic,
            tp.partition,
            last.offset,
            last.timestamp / 1000.0,
            last.timestamp_type,
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
        await super().on_partitions_revoked(revoked)


class Transport(driver.Transport):  # type: ignore[misc]
    """The transport behind ``loanpulse://host:port``."""

    Consumer = Consumer
