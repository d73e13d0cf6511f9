"""The durable producer: it waits while its queue is full, remembers failures and reports them when flushed."""

import time
from collections.abc import Callable, Sequence
from typing import Any

import structlog
from confluent_kafka import KafkaError, KafkaException, Producer

log = structlog.get_logger(__name__)

Headers = Sequence[tuple[str, bytes]]
Records = list[dict[str, Any]]
"""Records of one partition, each with the keyword arguments of ``Producer.produce``: ``key``, ``value`` …"""

BATCH_RECORDS = 10_000
FULL_QUEUE_WAIT_SECONDS = 0.05
FLUSH_WAIT_SECONDS = 1.0
LOG_INTERVAL_SECONDS = 10.0
ANY_PARTITION = -1
"""Leave the partition to the producer's partitioner."""


class PublishError(RuntimeError):
    """The broker did not accept a record that had to become durable."""


class PublishTimeoutError(PublishError):
    """The producer gave up waiting; ``waiting`` records were not acknowledged."""

    def __init__(self, waiting: int) -> None:
        super().__init__(f"the broker has not acknowledged {waiting:,} records")
        self.waiting = waiting


def never() -> bool:
    """Never give up."""
    return False


class StopDeadline:
    """True once ``should_stop`` has been true for ``patience_seconds``; to be passed as a producer's ``give_up``."""

    def __init__(
        self,
        should_stop: Callable[[], bool],
        patience_seconds: float,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._should_stop = should_stop
        self._patience_seconds = patience_seconds
        self._monotonic = monotonic
        self._stopped_at: float | None = None

    def __call__(self) -> bool:
        """Return True once it is time to give up."""
        if not self._should_stop():
            return False
        if self._stopped_at is None:
            self._stopped_at = self._monotonic()
        return self._monotonic() - self._stopped_at >= self._patience_seconds


class DurableProducer:
    """Produces records that are durable after ``flush``; use it from one thread at a time.

    ``properties`` are those of ``loanpulse.settings.broker.producer_properties``. While the broker is away the producer
    waits, until ``give_up`` returns True.
    """

    def __init__(self, properties: dict[str, Any], give_up: Callable[[], bool] = never) -> None:
        self._give_up = give_up
        self._queued = 0
        self.failed = 0
        """Records that the broker did not accept."""
        self.last_error = ""
        # Only failures are reported back: a call per delivered record would cost more than producing it.
        self._producer = Producer({**properties, "delivery.report.only.error": True, "on_delivery": self._note_failure})

    @property
    def waiting(self) -> int:
        """The number of queued records that the broker has not acknowledged yet."""
        return len(self._producer)

    @property
    def delivered(self) -> int:
        """The number of records that the broker has acknowledged; exact after a flush."""
        return max(0, self._queued - self.failed - self.waiting)

    def produce(
        self,
        topic: str,
        key: bytes | None,
        value: bytes | None,
        *,
        partition: int = ANY_PARTITION,
        headers: Headers | None = None,
    ) -> None:
        """Queue a record; waits while the queue is full.

        Raises:
            PublishError: the record can't be queued, e.g. because it is too large.
            PublishTimeoutError: the producer gave up waiting.
        """
        options: dict[str, Any] = {} if headers is None else {"headers": list(headers)}
        while True:
            try:
                self._producer.produce(topic, key=key, value=value, partition=partition, **options)
                break
            except BufferError:
                self._wait_for_queue()
            except KafkaException as error:
                raise PublishError(f"a record of {topic} can't be queued: {error.args[0].str()}") from error
        self._queued += 1
        self._producer.poll(0)

    def produce_batch(self, topic: str, partition: int, records: Records) -> None:
        """Queue records for one partition, in their order; waits while the queue is full. Raises like ``produce``."""
        for start in range(0, len(records), BATCH_RECORDS):
            pending = records[start : start + BATCH_RECORDS]
            while pending := self._offer(topic, partition, pending):
                self._wait_for_queue()

    def flush(self) -> None:
        """Wait until all queued records are durable.

        Raises:
            PublishError: the broker did not accept a record, now or earlier.
            PublishTimeoutError: the producer gave up waiting.
        """
        self.drain()
        if self.failed:
            raise PublishError(f"the broker did not accept a record: {self.last_error}")

    def drain(self) -> None:
        """Wait until the broker has accepted or refused every queued record; refused ones are only counted.

        Raises:
            PublishTimeoutError: the producer gave up waiting.
        """
        began = logged = time.monotonic()
        while waiting := self._producer.flush(FLUSH_WAIT_SECONDS):
            if self._give_up():
                raise PublishTimeoutError(waiting)
            now = time.monotonic()
            if now - logged >= LOG_INTERVAL_SECONDS:
                logged = now
                log.warning("waiting for the broker", seconds=round(now - began), waiting=waiting)

    def _offer(self, topic: str, partition: int, records: Records) -> Records:
        """Queue what the queue has room for; returns the rest."""
        queued = self._producer.produce_batch(topic, records, partition)
        self._queued += queued
        if queued == len(records):
            return []
        rest = [record for record in records if "_error" in record]
        for record in rest:
            error = record.pop("_error")
            if error.code() != KafkaError._QUEUE_FULL:  # noqa: SLF001 - the library's name for it
                raise PublishError(f"a record of {topic} can't be queued: {error.str()}")
        return rest

    def _wait_for_queue(self) -> None:
        if self._give_up():
            raise PublishTimeoutError(self.waiting)
        self._producer.poll(FULL_QUEUE_WAIT_SECONDS)

    def _note_failure(self, error: KafkaError | None, _message: Any) -> None:
        if error is not None:
            self.failed += 1
            self.last_error = error.str()
