"""A Faust app as a process: rate-limited logs of its client, and an end in time even while the broker is away."""

import logging
import os
import threading
import time
from collections.abc import Callable
from typing import Any

import structlog
from faust import Worker

log = structlog.get_logger(__name__)

REPEAT_INTERVAL_SECONDS = 60.0
SHUTDOWN_SECONDS = 25.0
"""Less than Kubernetes gives a pod by default (30 s)."""
POLL_SECONDS = 0.2
EXIT_FORCED = 1


class RateLimitedLogFilter(logging.Filter):
    """Passes the same message (whatever its arguments) once in ``REPEAT_INTERVAL_SECONDS``.

    While the broker is away the client logs some eighty lines a second, which hide all others.
    """

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._monotonic = monotonic
        self._logged_at: dict[tuple[str, int], float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Return True if the record is to be logged."""
        now, message = self._monotonic(), (str(record.msg), record.levelno)
        if now - self._logged_at.get(message, -REPEAT_INTERVAL_SECONDS) < REPEAT_INTERVAL_SECONDS:
            return False
        self._logged_at[message] = now
        return True


def execute(app: Any) -> None:
    """Run an app until SIGINT or SIGTERM; ends the process with its exit code.

    If the app has not stopped ``SHUTDOWN_SECONDS`` after the signal, the process exits: the next start repeats what was
    not yet durable, as after a crash.
    """
    once_a_minute = RateLimitedLogFilter()
    for name in [name for name in logging.Logger.manager.loggerDict if name.startswith("aiokafka")]:
        logging.getLogger(name).addFilter(once_a_minute)
    worker = Worker(app, loglevel="WARNING", quiet=True, redirect_stdouts=False)
    threading.Thread(target=_exit_in_time, args=(worker,), name="exit in time", daemon=True).start()
    worker.execute_from_commandline()


def _exit_in_time(worker: Worker) -> None:
    while not worker.should_stop:
        time.sleep(POLL_SECONDS)
    time.sleep(SHUTDOWN_SECONDS)
    log.error(
        "the app did not stop in time, most likely because the broker is away; "
        "the next start repeats what is not yet durable",
        seconds=SHUTDOWN_SECONDS,
    )
    os._exit(EXIT_FORCED)
