"""Running a worker as a process: compile, read the directives, join the group, run until a signal stops it."""

import gc
import sys
import time
from pathlib import Path

import structlog

from loanpulse.settings import Settings
from loanpulse.streams.faust_kafka.process import execute
from loanpulse.streams.worker import app
from loanpulse.streams.worker.warm_up import warm_up

log = structlog.get_logger(__name__)

SWITCH_SECONDS = 0.0005
COLLECTED_AFTER = 200_000
"""Net new objects after which the garbage collector runs; a checkpoint makes one for each borrower."""


def run(settings: Settings) -> None:
    """Run a worker until SIGINT or SIGTERM; ends the process with its exit code.

    Raises:
        PolicyError: the policy file can't be used.
        RegistryUnavailable: the schema registry can't be reached.
        DirectiveTopicsError: the directives can't be read.
    """
    Path(settings.streams.data_dir).mkdir(parents=True, exist_ok=True)
    # The engine releases the interpreter lock for every compiled pass, and would wait 5 ms to get it back.
    sys.setswitchinterval(SWITCH_SECONDS)
    gc.set_threshold(COLLECTED_AFTER, 20, 20)
    built = app.build(settings)
    began = time.monotonic()
    # Before joining the group: a member that compiles for seconds would be removed from it.
    warm_up(built.worker.engine)
    log.info("compiled code is ready", seconds=round(time.monotonic() - began, 1))
    # Before the first event: a partition must know every directive before its event time reaches it.
    log.info("control topics read", records=built.directives.read_all())
    built.directives.start()
    try:
        execute(built.app)
    finally:
        built.directives.stop()
