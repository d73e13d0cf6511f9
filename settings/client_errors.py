"""What a broker's clients say of it, for people: each trouble once in a while, not at every attempt to connect."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

import structlog
from confluent_kafka import KafkaError

log = structlog.get_logger(__name__)

REPEAT_INTERVAL_SECONDS = 60.0


@dataclass(slots=True)
class ClientErrors:
    """A client's ``error_cb``: logs an error unless the same kind was logged within ``REPEAT_INTERVAL_SECONDS``."""

    monotonic: Callable[[], float] = time.monotonic
    _said_at: dict[int, float] = field(default_factory=dict)

    def __call__(self, error: KafkaError) -> None:
        """Take an error that the client met by itself; those of a record or a call come back there."""
        now = self.monotonic()
        if now - self._said_at.get(error.code(), -REPEAT_INTERVAL_SECONDS) >= REPEAT_INTERVAL_SECONDS:
            self._said_at[error.code()] = now
            log.warning("trouble with the broker; the client goes on trying", kind=error.name(), error=error.str())
