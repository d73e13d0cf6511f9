"""A Faust app as a process: its client's complaints told seldom, and an end in time even where the broker is away."""

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
END_SECONDS = 25.0
"""Less than a Kubernetes pod is given by default."""
LOOK_SECONDS = 0.2
ENDED_LATE = 1


class RateLimitedLogFilter(logging.Filter):
    """Lets the same message (whatever its arguments) through once in ``REPEAT_INTERVAL_SECONDS``.

    Without a broker the client says some eighty lines a second, and they hide what else is said.
    """

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._monotonic = monotonic
        self._said_at: dict[tuple[str, int], float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Tell whether the record is to be said."""
        now, what = self._monotonic(), (str(record.msg), record.levelno)
        if now - self._said_at.get(what, -REPEAT_INTERVAL_SECONDS) < REPEAT_INTERVAL_SECONDS:
            return False
        self._said_at[what] = now
        return True


def execute(app: Any) -> None:
    """Run an app until SIGINT or SIGTERM; ends the process with its exit code.

    A process that has not ended ``END_SECONDS`` after it was told to is ended: what was not yet durable is repeated at
    the next start, as after a crash.
    """
    seldom = RateLimitedLogFilter()
    for name in [name for name in logging.Logger.manager.loggerDict if name.startswith("aiokafka")]:
        logging.getLogger(name).addFilter(seldom)
    worker = Worker(app, loglevel="WARNING", quiet=True, redirect_stdouts=False)
    threading.Thread(target=_end_in_time, args=(worker,), name="end in time", daemon=True).start()
    worker.execute_from_commandline()


def _end_in_time(worker: Worker) -> None:
    while not worker.should_stop:
        time.sleep(LOOK_SECONDS)
    time.sleep(END_SECONDS)
    log.error(
        "not ended in time, most likely because the broker is away; the next start repeats what is not yet durable",
        seconds=END_SECONDS,
    )
    os._exit(ENDED_LATE)
