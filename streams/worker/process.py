"""Running a worker as a process: compile, join the group, work until told to stop."""

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
"""Objects made, and not ended, after which the collector looks for cycles; a checkpoint makes one for each borrower."""


def run(settings: Settings) -> None:
    """Run a worker until SIGINT or SIGTERM; ends the process with its exit code.

    Raises:
        PolicyError: the policy file can't be used.
        RegistryUnavailable: the schema registry can't be reached.
        DirectiveTopicsError: the orders that stand can't be read.
    """
    Path(settings.streams.data_dir).mkdir(parents=True, exist_ok=True)
    # The engine lets go of the interpreter for every compiled pass, and would wait 5 ms to get it back.
    sys.setswitchinterval(SWITCH_SECONDS)
    gc.set_threshold(COLLECTED_AFTER, 20, 20)
    built = app.build(settings)
    began = time.monotonic()
    # Before joining the group: a member that compiles for seconds would be taken for dead.
    warm_up(built.worker.engine)
    log.info("compiled code is ready", seconds=round(time.monotonic() - began, 1))
    # Before the first event: a lane must know every order that stands when its event time comes to it.
    log.info("control topics read", records=built.controls.read_all())
    built.controls.start()
    try:
        execute(built.app)
    finally:
        built.controls.stop()
