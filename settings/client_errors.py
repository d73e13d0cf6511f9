"""Logs the errors that a broker client reports by callback, each kind at most once a minute."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

import structlog
from confluent_kafka import KafkaError

log = structlog.get_logger(__name__)

REPEAT_INTERVAL_SECONDS = 60.0


@dataclass(slots=True)
class ClientErrors:
    """A client's ``error_cb``: logs an error unless its kind was logged within ``REPEAT_INTERVAL_SECONDS``."""

    monotonic: Callable[[], float] = time.monotonic
    _logged_at_s: dict[int, float] = field(default_factory=dict)

    def __call__(self, error: KafkaError) -> None:
        """Log an error of the client itself; errors of a record or a call are reported to its caller instead."""
        now = self.monotonic()
        if now - self._logged_at_s.get(error.code(), -REPEAT_INTERVAL_SECONDS) >= REPEAT_INTERVAL_SECONDS:
            self._logged_at_s[error.code()] = now
            log.warning("broker error; the client retries", kind=error.name(), error=error.str())
