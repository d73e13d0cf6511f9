"""Reading the control topics: whole at a worker's start, then as records come."""

import threading
import time
import uuid
from collections.abc import Callable
from typing import Any

import structlog
from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, TopicPartition

from loanpulse.schemas.codec import Codec, CodecError
from loanpulse.schemas.dead_letters import DeadLetter
from loanpulse.schemas.topics import full_name
from loanpulse.schemas.violations import Violation
from loanpulse.settings import Settings
from loanpulse.settings.broker import consumer_properties
from loanpulse.streams.controls import Controls, OrderError

log = structlog.get_logger(__name__)

FETCHED_AT_ONCE = 500
POLL_SECONDS = 0.2
QUIET_SECONDS = 1.0
"""The topics count as read when every partition has told its end and nothing has come for so long since: some brokers
report the end of a partition by the first offset of its last batch."""
DEADLINE_SECONDS = 120.0
METADATA_SECONDS = 15.0


class ControlTopicsError(RuntimeError):
    """The control topics can't be read, so that a worker would score without the orders that stand."""


class ControlReader:
    """Hands the records of the control topics to ``controls``, and those that can't be obeyed to ``refuse``."""

    def __init__(
        self, settings: Settings, controls: Controls, codec: Codec, refuse: Callable[[DeadLetter], None]
    ) -> None:
        self._controls = controls
        self._codec = codec
        self._refuse = refuse
        self._prefix = settings.topics.prefix
        self._properties = consumer_properties(
            settings, f"loanpulse-controls-{uuid.uuid4().hex[:8]}", **{"enable.partition.eof": True}
        )
        self._consumer: Consumer | None = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._follow, name="controls", daemon=True)

    def read_all(self) -> int:
        """Read the topics to their ends; returns the number of records.

        Raises:
            ControlTopicsError: a topic is missing, or the broker did not give all of them in time.
        """
        consumer = self._consumer = Consumer(self._properties)
        unread = self._assign(consumer)
        began = last = time.monotonic()
        count = 0
        while unread or time.monotonic() - last < QUIET_SECONDS:
            if time.monotonic() - began > DEADLINE_SECONDS:
                names = ", ".join(sorted({topic for topic, _ in unread}))
                raise ControlTopicsError(f"the broker did not give {names} to the end in {DEADLINE_SECONDS:.0f} s")
            for message in consumer.consume(FETCHED_AT_ONCE, POLL_SECONDS):
                if message.error() is None:
                    self._take(message)
                    count += 1
                    last = time.monotonic()
                elif message.error().code() == KafkaError._PARTITION_EOF:  # noqa: SLF001 - the library's name for it
                    unread.discard((message.topic(), message.partition()))
        return count

    def start(self) -> None:
        """Follow the topics in a thread."""
        self._thread.start()

    def stop(self) -> None:
        """End the thread and leave the broker."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(10.0)
        if self._consumer is not None:
            self._consumer.close()

    def _assign(self, consumer: Consumer) -> set[tuple[str, int]]:
        try:
            known = consumer.list_topics(timeout=METADATA_SECONDS).topics
        except KafkaException as error:
            raise ControlTopicsError(f"the broker can't be asked for its topics: {error.args[0].str()}") from error
        places = []
        for bare in self._controls.topics:
            name = full_name(bare, self._prefix)
            if name not in known or known[name].error is not None:
                raise ControlTopicsError(f"topic {name} is missing: run `loanpulse topics create` first")
            places += [TopicPartition(name, partition, OFFSET_BEGINNING) for partition in known[name].partitions]
        consumer.assign(places)
        return {(place.topic, place.partition) for place in places}

    def _follow(self) -> None:
        while not self._stop.is_set() and self._consumer is not None:
            for message in self._consumer.consume(FETCHED_AT_ONCE, POLL_SECONDS):
                if message.error() is None:
                    self._take(message)

    def _take(self, message: Any) -> None:
        if message.value() is None:
            return  # a tombstone: compaction drops the order for readers to come
        try:
            value = self._codec.decode(message.topic(), message.value())
            self._controls.add(message.topic().removeprefix(self._prefix), value)
        except CodecError as error:
            self._refused(message, error.code, error.message)
        except OrderError as error:
            self._refused(message, Violation.ORDER_INVALID, str(error))

    def _refused(self, message: Any, violation: Violation, reason: str) -> None:
        place = {"topic": message.topic(), "partition": message.partition(), "offset": message.offset()}
        log.error("an order can't be obeyed", reason=reason, **place)
        self._refuse(
            DeadLetter(
                **place, timestamp=message.timestamp()[1], key=message.key(), value=message.value(),
                violation=violation, own_headers=tuple(message.headers() or ()),
            )
        )  # fmt: skip
