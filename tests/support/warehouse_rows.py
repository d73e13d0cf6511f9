"""Counting rows while a loader fills the warehouse."""

import time

from loanpulse.settings import Settings
from loanpulse.sinks.query_client import run_query
from loanpulse.sinks.warehouse import WarehouseError


def count(settings: Settings, statement: str) -> int:
    return int(run_query(settings.warehouse, statement).column(0)[0].as_py())


def wait_for(settings: Settings, statement: str, wanted: int, seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    found = -1
    while time.monotonic() < deadline:
        try:
            found = count(settings, statement)
        except WarehouseError:
            found = -1
        if found == wanted:
            return
        time.sleep(0.3)
    raise AssertionError(f"{statement}: {found}, not {wanted}")
