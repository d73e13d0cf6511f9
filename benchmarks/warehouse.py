"""`make bench-warehouse`: how fast rows get in, what they weigh, and how long the documented queries take.

The loader's way in is measured beside a plain loop of INSERT … VALUES through the same engine, and beside the engine's
own limit: inserting a ready Arrow table into the same tables with the same views filled. Then a portfolio of many
scorings is made in a warehouse by SQL, and every documented query is timed on it, with what EXPLAIN says of the primary
key.
"""

import argparse
import re
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
from rich.console import Console
from rich.table import Table
from tests.sinks.memory_log import Log, MemoryConsumer, Record

from benchmarks import simulated_warehouse
from loanpulse.schemas.codec import Codec
from loanpulse.schemas.contracts import INDICATORS
from loanpulse.schemas.registry import LocalRegistry
from loanpulse.schemas.topics import LIQUIDITY_SNAPSHOTS
from loanpulse.settings import load
from loanpulse.sinks.embedded import EmbeddedWarehouse
from loanpulse.sinks.loader import Loader
from loanpulse.sinks.migrate import migrate
from loanpulse.sinks.queries import EVENT_CLOCK, bind, named_queries
from loanpulse.sinks.rows import RowMaker

PARTITIONS = 4
BATCH_ROWS = 20_000
PLAIN_ROWS = 6_000
PLAIN_AT_ONCE = 1_000
SECOND = 1.0
ASKED = {"lender": "lender-07", "borrower": "b-00012345", "alert": "000000012345"}
GRANULES = re.compile(
    r"^\s*PrimaryKey$(?:\n^(?!\s*(?:PrimaryKey|Skip|ReadFromMergeTree)).*$)*?\n\s*Granules: (\d+)/(\d+)", re.MULTILINE
)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--loaded", type=int, default=200_000, help="rows for the loader's own measure")
    options.add_argument("--rows", type=int, default=50_000_000, help="simulated snapshots for the queries")
    options.add_argument("--folder", type=Path, help="keep the large warehouse here, and take it up again")
    chosen = options.parse_args()
    console = Console(width=140)
    with tempfile.TemporaryDirectory() as folder:
        ways_in(Path(folder), chosen.loaded, console)
        queries(chosen.folder or Path(folder) / "large", chosen.rows, console)


def timed(call: Callable[[], Any]) -> float:
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


def ways_in(folder: Path, rows: int, console: Console) -> None:
    """The loader, a plain loop, and the engine alone, in one run on tables of their own."""
    log = a_log(rows)
    maker = RowMaker(LocalRegistry())
    maker.rows(LIQUIDITY_SNAPSHOTS, log[LIQUIDITY_SNAPSHOTS, 0][:10])
    rates = {}
    with_tables(folder / "plain", lambda warehouse: rates.update(plain=plain_loop(warehouse, log)))
    with_tables(folder / "limit", lambda warehouse: rates.update(limit=ready_tables(warehouse, maker, log)))
    with_tables(folder / "loader", lambda warehouse: rates.update(loader=loader(warehouse, maker, log, console)))
    table = Table("way in (snapshots, with all views filled)", "rows/s", "", box=None, header_style="bold")
    table.add_row("plain INSERT … VALUES loop", f"{rates['plain']:,.0f}", "")
    table.add_row("engine's limit: ready Arrow tables", f"{rates['limit']:,.0f}", "")
    times, share = rates["loader"] / rates["plain"], rates["loader"] / rates["limit"]
    verdict = "met" if times >= 10 and share >= 1 / 3 else "MISSED"
    table.add_row(
        "loader", f"{rates['loader']:,.0f}", f"{times:.1f} times the plain loop, {share:.0%} of the limit: {verdict}"
    )
    console.print(table)


def with_tables(folder: Path, call: Callable[[EmbeddedWarehouse], None]) -> None:
    warehouse = EmbeddedWarehouse(folder, "loanpulse")
    migrate(warehouse)
    simulated_warehouse.fill(warehouse, 2_000)  # so that nothing is done for the first time while it is measured
    warehouse.execute("SYSTEM START MERGES snapshots")
    call(warehouse)
    warehouse.close()
    shutil.rmtree(folder)


def a_log(rows: int) -> Log:
    codec = Codec(LocalRegistry())
    start = datetime(2026, 3, 1, tzinfo=UTC)
    log: Log = {(LIQUIDITY_SNAPSHOTS, partition): [] for partition in range(PARTITIONS)}
    for number in range(rows):
        at = start + timedelta(seconds=number)
        reading = {"value": number % 7 / 7, "utility": 0.5, "evidence": 1.0, "points": number % 5, "age_days": 2.0}
        value = {
            "snapshot_id": f"{number * 2654435761 % 2**128:032x}", "borrower_id": f"b-{number * 7919 % 20_000:08d}",
            "event_time": at, "cause": "EVENT", "lhi": 20 + number % 800 / 10, "pd": 0.02, "level": "STABLE",
            "previous_level": "WATCH" if number % 25 == 0 else "STABLE", "confidence": 0.8, "days_past_due": 0,
            "overdue_amount": Decimal(number % 1000), "open_loans": 1, "lender_ids": [f"lender-{number % 20}"],
            **dict.fromkeys(INDICATORS, reading), "model_version": "m1", "policy_version": "p1", "known_at": at,
        }  # fmt: skip
        records = log[LIQUIDITY_SNAPSHOTS, number % PARTITIONS]
        body = codec.encode(LIQUIDITY_SNAPSHOTS, value)
        records.append(Record(LIQUIDITY_SNAPSHOTS, len(records), b"b", body, None, number % PARTITIONS))
    return log


def plain_loop(warehouse: EmbeddedWarehouse, log: Log) -> float:
    """Decode one by one, write the rows out as text, a statement for every thousand."""
    codec = Codec(LocalRegistry())
    maker = RowMaker(LocalRegistry())
    records = [record for part in log.values() for record in part][:PLAIN_ROWS]
    names = maker.rows(LIQUIDITY_SNAPSHOTS, records[:1]).rows.column_names

    def insert() -> None:
        for first in range(0, len(records), PLAIN_AT_ONCE):
            rows = [
                plain_row(codec.decode(LIQUIDITY_SNAPSHOTS, r.value()), names, r)
                for r in records[first:][:PLAIN_AT_ONCE]
            ]
            warehouse.execute(f"INSERT INTO snapshots ({', '.join(names)}) VALUES {', '.join(rows)}")

    return len(records) / timed(insert)


def plain_row(value: dict[str, Any], names: list[str], record: Record) -> str:
    flat = dict(value)
    for name in INDICATORS:
        flat |= {f"{name}_{part}": cell for part, cell in value[name].items()}
    flat |= {
        "kafka_partition": record.partition(),
        "kafka_offset": record.offset(),
        "published_at": value["event_time"],
    }
    return f"({', '.join(literal(flat[name]) for name in names)})"


def literal(cell: Any) -> str:
    if cell is None:
        return "NULL"
    if isinstance(cell, datetime):
        return f"'{cell:%Y-%m-%d %H:%M:%S.%f}'"[:-4] + "'"
    if isinstance(cell, list):
        return f"[{', '.join(literal(item) for item in cell)}]"
    return f"'{cell}'" if isinstance(cell, str) else str(cell)


def ready_tables(warehouse: EmbeddedWarehouse, maker: RowMaker, log: Log) -> float:
    """Insert what is already an Arrow table, in batches as large as the loader's blocks."""
    ready: list[pa.Table] = []
    for records in log.values():
        for first in range(0, len(records), BATCH_ROWS):
            ready.append(maker.rows(LIQUIDITY_SNAPSHOTS, records[first : first + BATCH_ROWS]).rows)
    return sum(rows.num_rows for rows in ready) / timed(lambda: [warehouse.insert("snapshots", rows) for rows in ready])


def loader(warehouse: EmbeddedWarehouse, maker: RowMaker, log: Log, console: Console) -> float:
    """The loader itself, from consumed messages to rows with their offsets written down."""
    settings = load(environment={"LOANPULSE_WAREHOUSE__BATCH_ROWS": str(BATCH_ROWS * PARTITIONS)})
    consumer = MemoryConsumer(log, at_once=5_000)
    running = Loader(settings, consumer, warehouse, maker)
    running.subscribe()

    def run() -> None:
        while not consumer.is_at_end:
            running.step()
        running.finish()

    rate = sum(map(len, log.values())) / timed(run)
    weights = warehouse.query(
        "SELECT table, round(sum(bytes_on_disk) / sum(parts.rows), 1) AS bytes_per_row FROM system.parts "
        "WHERE active AND database = 'loanpulse' AND parts.rows > 100 GROUP BY table ORDER BY table"
    )
    console.print(
        "bytes per row: " + ", ".join(f"{row['table']} {row['bytes_per_row']}" for row in weights.to_pylist())
    )
    return rate


def queries(folder: Path, rows: int, console: Console) -> None:
    """Every documented query on a large portfolio, three times each; the median counts."""
    is_new = not folder.exists()
    warehouse = EmbeddedWarehouse(folder, "loanpulse")
    migrate(warehouse)
    if is_new:
        console.print(f"making {rows:,} snapshots …")
        console.print(f"made in {timed(lambda: simulated_warehouse.fill(warehouse, rows)):,.0f} s; merging …")
        for name in ("borrowers_latest", "borrower_days", "borrower_days_as_known", "level_changes", "loans",
                     "instalment_events", "episodes"):  # fmt: skip
            warehouse.execute(f"OPTIMIZE TABLE {name} FINAL")
    held = warehouse.query("SELECT count() FROM snapshots").column(0)[0].as_py()
    now = warehouse.query(EVENT_CLOCK).column(0)[0].as_py()
    table = Table(
        "query", "seconds", "of CPU", "rows", "granules read by primary key", "", box=None, header_style="bold"
    )
    slow = 0
    for query in named_queries().values():
        given = {one.name: ASKED[one.name] for one in query.parameters if one.name in ASKED}
        bound = bind(query, given, now)
        taken, worked, found = [], [], 0
        for _ in range(3):
            began, busy = time.perf_counter(), time.process_time()
            found = warehouse.query(bound.statement, bound.values).num_rows
            taken.append(time.perf_counter() - began)
            worked.append(time.process_time() - busy)
        seconds, cpu = statistics.median(taken), statistics.median(worked)
        slow += seconds >= SECOND
        plan = "\n".join(warehouse.query(f"EXPLAIN indexes = 1 {bound.statement}", bound.values).column(0).to_pylist())
        read = ", ".join(f"{chosen}/{all_}" for chosen, all_ in GRANULES.findall(plan))
        table.add_row(query.name, f"{seconds:.3f}", f"{cpu:.3f}", str(found), read, "" if seconds < SECOND else "SLOW")
    console.print(table)
    console.print(f"{held:,} snapshots; {slow} of {len(named_queries())} queries took a second or more")
    warehouse.close()


if __name__ == "__main__":
    main()
