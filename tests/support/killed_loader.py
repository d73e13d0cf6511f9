"""A loader that is killed a hundred times while it loads a log into a warehouse's folder, then once left alone.

Each child gives a sign before and after every insert; it is killed shortly after a number of signs, both drawn at
random, so that every kill falls into the work.

A program of its own (`python -m tests.support.killed_loader FOLDER`), because its children are forked, and a process in
which other tests have run the engine can't be.
"""

import os
import random
import signal
import sys
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa

from loanpulse.schemas.registry import LocalRegistry
from loanpulse.settings import load
from loanpulse.sinks.embedded import EmbeddedWarehouse
from loanpulse.sinks.loader import Loader
from loanpulse.sinks.migrate import migrate
from loanpulse.sinks.rows import RowMaker
from loanpulse.streams.worker.warm_up import warm_up  # noqa: F401 - children are forked with everything imported
from tests.support import sample_records
from tests.support.memory_log import Log, MemoryConsumer, Record

SEED = 20260301
KILLS = 100
MOST_SIGNS = 6
LONGEST_WAIT_SECONDS = 0.01


def a_log() -> Log:
    log: Log = {}
    for partition in range(2):
        values = [
            sample_records.snapshot(
                f"b-{partition}-{n % 50}", sample_records.START + timedelta(hours=n // 10, seconds=n)
            )
            for n in range(3_000)
        ]
        log[sample_records.SNAPSHOTS, partition] = sample_records.records(sample_records.SNAPSHOTS, values, partition)
        alerts = [
            sample_records.alert(f"b-{partition}-{n}", sample_records.START + timedelta(hours=n)) for n in range(400)
        ]
        log[sample_records.ALERTS, partition] = sample_records.records(sample_records.ALERTS, alerts, partition)
        log[sample_records.ALERTS, partition][7] = Record(sample_records.ALERTS, 7, b"b", b"\x00junk", None, partition)
    return log


class SignallingWarehouse:
    """A warehouse that writes a sign into a pipe before and after every insert."""

    def __init__(self, warehouse: EmbeddedWarehouse, signs: int) -> None:
        self._warehouse, self._signs = warehouse, signs

    def __getattr__(self, name: str) -> Any:
        return getattr(self._warehouse, name)

    def insert(self, table: str, rows: pa.Table, token: str = "") -> None:
        os.write(self._signs, b".")
        self._warehouse.insert(table, rows, token)
        os.write(self._signs, b".")


def load_log(log: Log, folder: Path, signs: int) -> None:
    """What a loader does, from its start to the end of the log; runs in a forked child."""
    settings = load(environment={"LOANPULSE_WAREHOUSE__BATCH_ROWS": "150", "LOANPULSE_WAREHOUSE__INSERT_THREADS": "2"})
    warehouse = SignallingWarehouse(EmbeddedWarehouse(folder, "loanpulse"), signs)
    consumer = MemoryConsumer(log, at_once=40)
    loader = Loader(settings, consumer, warehouse, RowMaker(LocalRegistry()))
    loader.subscribe()
    while not consumer.is_at_end:
        loader.step()
    loader.finish()
    warehouse.close()


def in_a_child(log: Log, folder: Path, kill_after: int | None, wait_seconds: float = 0.0) -> int:
    """Load in a child that is killed after so many signs and a short delay; returns how it ended."""
    heard, signs = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(heard)
        try:
            load_log(log, folder, signs)
        finally:
            os._exit(0)
    os.close(signs)
    count = 0
    while (kill_after is None or count < kill_after) and (said := os.read(heard, 1)):
        count += len(said)
    if kill_after is not None:
        time.sleep(wait_seconds)
        os.kill(child, signal.SIGKILL)
    os.close(heard)
    return os.waitpid(child, 0)[1]


def main(folder: Path) -> None:
    """Print how many of the children were killed before the log's end."""
    log = a_log()
    RowMaker(LocalRegistry()).rows(
        sample_records.SNAPSHOTS, log[sample_records.SNAPSHOTS, 0][:1]
    )  # compiled before the children fork
    if os.fork() == 0:  # tables are made by a child, so that this process never runs the engine's threads
        warehouse = EmbeddedWarehouse(folder, "loanpulse")
        migrate(warehouse)
        warehouse.close()
        os._exit(0)
    os.wait()
    dice = random.Random(SEED)
    ends = [
        in_a_child(log, folder, dice.randint(1, MOST_SIGNS), dice.uniform(0, LONGEST_WAIT_SECONDS))
        for _ in range(KILLS)
    ]
    print(sum(map(os.WIFSIGNALED, ends)))  # noqa: T201
    in_a_child(log, folder, None)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
