"""`loanpulse load`: topics into the warehouse."""

import signal
import threading
from typing import Any

from loanpulse.commands import topics_admin
from loanpulse.commands.console import ConfigOption, configured, fail, failures
from loanpulse.schemas.registry import RegistryUnavailable
from loanpulse.sinks.loader import run
from loanpulse.sinks.migrate import MigrationError
from loanpulse.sinks.warehouse import WarehouseError


def load(config: ConfigOption = None) -> None:
    """Run the loader: it reads the topics and inserts their records into ClickHouse.

    It applies pending migrations first. With the embedded warehouse it also answers `loanpulse query` while it runs.
    You can stop or kill it at any time: every record ends up in its table once, even if it is inserted again.
    """
    settings = configured(config)
    stop = threading.Event()

    def request_stop(_number: int, _frame: Any) -> None:
        stop.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, request_stop)
    with failures(topics_admin.BrokerUnreachableError, WarehouseError, MigrationError, RegistryUnavailable):
        problems = topics_admin.check_topics(settings, topics_admin.TIMEOUT_SECONDS)
        missing = [problem.what for problem in problems if "is missing" in problem.what]
        if missing:
            fail(f"{missing[0]}: run `loanpulse topics create` first.")
        run(settings, stop)
