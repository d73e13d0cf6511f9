"""Reading the control topics: whole at a worker's start, then as records come."""

import threading
import time
import uuid
from collections.abc import Callable
from typing import Any

import structlog
from confluent_kafka import Consumer, KafkaException

from loanpulse.broker.read_to_end import WANTED, Place, WholeTopics
from loanpulse.schemas.codec import Codec, CodecError
from loanpulse.schemas.dead_letters import DeadLetter
from loanpulse.schemas.topics import full_name
from loanpulse.schemas.violations import Violation
from loanpulse.settings import Settings
from loanpulse.settings.broker import consumer_properties
from loanpulse.streams.directives.directives import DirectiveError, Directives

log = structlog.get_logger(__name__)

FETCHED_AT_ONCE = 500
POLL_SECONDS = 0.2
DEADLINE_SECONDS = 120.0
METADATA_SECONDS = 15.0


class DirectiveTopicsError(RuntimeError):
    """The control topics can't be read, so that a worker would score without the orders that stand."""


class DirectiveReader:
    """Hands the records of the control topics to ``controls``, and those that can't be obeyed to ``refuse``."""

    def __init__(
        self, settings: Settings, controls: Directives, codec: Codec, refuse: Callable[[DeadLetter], None]
    ) -> None:
        self._controls = controls
        self._codec = codec
        self._refuse = refuse
        self._prefix = settings.topics.prefix
        self._properties = consumer_properties(settings, f"loanpulse-controls-{uuid.uuid4().hex[:8]}", **WANTED)
        self._consumer: Consumer | None = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._follow, name="controls", daemon=True)

    def read_all(self) -> int:
        """Read the topics to their ends; returns the number of records.

        Raises:
            DirectiveTopicsError: a topic is missing, or the broker did not give all of them in time.
        """
        consumer = self._consumer = Consumer(self._properties)
        topics = WholeTopics(consumer, self._places(consumer))
        began = time.monotonic()
        count = 0
        for messages in topics.polls():
            for message in messages:
                self._take(message)
            count += len(messages)
            if time.monotonic() - began > DEADLINE_SECONDS:
                raise DirectiveTopicsError(
                    f"the broker did not give {topics.unread_topics} to the end in {DEADLINE_SECONDS:.0f} s"
                )
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

    def _places(self, consumer: Consumer) -> list[Place]:
        try:
            known = consumer.list_topics(timeout=METADATA_SECONDS).topics
        except KafkaException as error:
            raise DirectiveTopicsError(f"the broker can't be asked for its topics: {error.args[0].str()}") from error
        places: list[Place] = []
        for bare in self._controls.topics:
            name = full_name(bare, self._prefix)
            if name not in known or known[name].error is not None:
                raise DirectiveTopicsError(f"topic {name} is missing: run `loanpulse topics create` first")
            places += [(name, partition) for partition in known[name].partitions]
        return places

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
        except DirectiveError as error:
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
