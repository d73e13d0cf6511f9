"""Reading the directive topics: to their ends at a worker's start, then as records arrive."""

import threading
import uuid
from collections.abc import Callable
from typing import Any

import structlog
from confluent_kafka import Consumer, KafkaException

from loanpulse.broker.read_to_end import (
    READ_TO_END_PROPERTIES,
    EndNotReachedError,
    TopicMissingError,
    partitions_from_beginning,
    read_to_end,
)
from loanpulse.schemas.codec import Codec, CodecError
from loanpulse.schemas.dead_letters import DeadLetter
from loanpulse.schemas.topics import full_name
from loanpulse.schemas.violations import Violation
from loanpulse.settings import Settings
from loanpulse.settings.broker import consumer_properties
from loanpulse.streams.directives.directives import DirectiveError, Directives
from loanpulse.streams.worker.directive_inbox import DirectiveInbox

log = structlog.get_logger(__name__)

MAX_BATCH_RECORDS = 500
POLL_SECONDS = 0.2
MAX_SILENCE_SECONDS = 120.0


class DirectiveTopicsError(RuntimeError):
    """The directive topics can't be read, so a worker would score without the directives in force."""


class DirectiveReader:
    """Adds the records of the directive topics to ``directives``; passes invalid ones to ``refuse`` as dead letters."""

    def __init__(
        self,
        settings: Settings,
        directives: Directives | DirectiveInbox,
        codec: Codec,
        refuse: Callable[[DeadLetter], None],
    ) -> None:
        self._directives = directives
        self._codec = codec
        self._refuse = refuse
        self._prefix = settings.topics.prefix
        self._properties = consumer_properties(
            settings, f"loanpulse-directives-{uuid.uuid4().hex[:8]}", **READ_TO_END_PROPERTIES
        )
        self._consumer: Consumer | None = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._follow, name="directives", daemon=True)

    def read_all(self) -> int:
        """Read the topics to their ends; returns the number of records.

        Raises:
            DirectiveTopicsError: a topic is missing, or the broker does not deliver it to its end.
        """
        consumer = self._consumer = Consumer(self._properties)
        names = [full_name(topic, self._prefix) for topic in self._directives.topics]
        count = 0
        try:
            partitions = partitions_from_beginning(consumer, names)
            for message in read_to_end(consumer, partitions, MAX_SILENCE_SECONDS):
                self._add(message)
                count += 1
        except KafkaException as error:
            raise DirectiveTopicsError(f"the directive topics can't be read: {error.args[0].str()}") from error
        except (TopicMissingError, EndNotReachedError) as error:
            raise DirectiveTopicsError(str(error)) from error
        return count

    def start(self) -> None:
        """Start a thread that adds records as they arrive."""
        self._thread.start()

    def stop(self) -> None:
        """End the thread and close the consumer."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(10.0)
        if self._consumer is not None:
            self._consumer.close()

    def _follow(self) -> None:
        while not self._stop.is_set() and self._consumer is not None:
            for message in self._consumer.consume(MAX_BATCH_RECORDS, POLL_SECONDS):
                if message.error() is None:
                    self._add(message)

    def _add(self, message: Any) -> None:
        if message.value() is None:
            return  # a tombstone: it only lets compaction drop the directive
        try:
            value = self._codec.decode(message.topic(), message.value())
            self._directives.add(message.topic().removeprefix(self._prefix), value)
        except CodecError as error:
            self._dead_letter(message, error.code, error.message)
        except DirectiveError as error:
            self._dead_letter(message, Violation.ORDER_INVALID, str(error))

    def _dead_letter(self, message: Any, violation: Violation, reason: str) -> None:
        source = {"topic": message.topic(), "partition": message.partition(), "offset": message.offset()}
        log.error("invalid directive", reason=reason, **source)
        self._refuse(
            DeadLetter(
                **source, timestamp=message.timestamp()[1], key=message.key(), value=message.value(),
                violation=violation, own_headers=tuple(message.headers() or ()),
            )
        )  # fmt: skip
