"""`make bench-warehouse`: how fast rows get in, what they weigh, and how long the documented queries take.

The loader's way in is measured beside a plain loop of INSERT … VALUES through the same engine, and beside the engine's
own limit: inserting a ready Arrow table into the same tables with the same views filled. Then a portfolio of many
scorings is made in a warehouse by SQL, and every documented query is timed on it, with what EXPLAIN says of the primary
key.
"""

import argparse
import os
import re
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
from rich.console import Console
from rich.table import Table
from tests.support.memory_log import Log, MemoryConsumer, Record

from benchmarks import simulated_warehouse
from loanpulse.schemas.codec import Codec
from loanpulse.schemas.contracts import INDICATORS
from loanpulse.schemas.registry import LocalRegistry
from loanpulse.schemas.topics import LIQUIDITY_SNAPSHOTS
from loanpulse.settings import load
from loanpulse.sinks.embedded import EmbeddedWarehouse
from loanpulse.sinks.loader import Loader
from loanpulse.sinks.migrate import migrate
from loanpulse.sinks.queries import EVENT_CLOCK, Bound, bind, named_queries
from loanpulse.sinks.rows import RowMaker

PARTITIONS = 4
PLAIN_ROWS = 6_000
PLAIN_AT_ONCE = 1_000
REPETITIONS = 3
SECOND = 1.0
ASKED = {"lender": "lender-07", "borrower": "b-00012345", "alert": "000000012345"}
MEMORY = Path("/dev/shm")
"""Where the ways in are compared, if there is such a folder: a disk's own pace is not what is compared."""
RESULTS = Path(__file__).with_name("results") / "warehouse.json"
PAGE = Path(__file__).parents[1] / "docs" / "warehouse.md"
FIGURES = re.compile(r"(?<=<!-- figures -->\n).*(?=<!-- end of figures -->)", re.DOTALL)
READ = re.compile(r"ReadFromMergeTree \(\w+\.(\w+)\)")
GRANULES = re.compile(r"Granules: (\d+)/(\d+)")
MERGED = ("borrowers_latest", "borrower_days", "borrower_day_moves", "borrower_days_as_known",
          "borrower_months_as_known", "level_changes", "loans", "instalment_ledger", "episodes")  # fmt: skip


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--loaded", type=int, default=400_000, help="rows for the loader's own measure")
    options.add_argument(
        "--rows", type=int, default=50_000_000, help="simulated snapshots for the queries; 0 measures the ways in alone"
    )
    options.add_argument("--folder", type=Path, help="keep the large warehouse here, and use it again")
    options.add_argument("--report", action="store_true", help="only write the figures of the last run into the docs")
    chosen = options.parse_args()
    if chosen.report:
        page = PAGE.read_text(encoding="utf-8")
        figures = report(orjson.loads(RESULTS.read_bytes()))
        PAGE.write_text(FIGURES.sub(lambda _: figures, page), encoding="utf-8")
        return
    console = Console(width=140)
    found: dict[str, Any] = orjson.loads(RESULTS.read_bytes())
    with tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as folder:
        found |= ways_in(Path(folder), chosen.loaded, console)
    if chosen.rows:
        found["load"] = round(os.getloadavg()[0], 1)
        with tempfile.TemporaryDirectory() as folder:
            found |= queries(chosen.folder or Path(folder) / "large", chosen.rows, console)
    RESULTS.write_bytes(orjson.dumps(found, option=orjson.OPT_INDENT_2) + b"\n")


def report(found: dict[str, Any]) -> str:
    """Return the figures of a run as a part of a page."""
    rates = found["rows_per_second"]
    times, share = rates["loader"] / rates["plain"], rates["loader"] / rates["limit"]
    weights = ", ".join(f"{name} {weight:g}" for name, weight in found["bytes_per_row"].items() if weight >= 1)
    lines = [
        f"Rows a second in, with all views filled (medians of {REPETITIONS} runs by turns):",
        f"{rates['loader']:,.0f} by the loader, {rates['plain']:,.0f} by a plain loop, {rates['limit']:,.0f} by the",
        f"engine given ready Arrow tables: {times:.1f} times the plain loop and {share:.0%} of the limit.",
        f"Bytes a row stored: {weights}.",
        "",
        f"Seconds on {found['snapshots']:,} snapshots (median of three): of one lender, borrower or alert, and",
        "of the whole book; seconds of CPU, and granules that partitions and primary key leave, of all, are for the",
        f"whole book. The load of the machine before the queries was {found['load']}.",
        "",
        "| query | one | whole book | of CPU | granules |",
        "|---|---|---|---|---|",
    ]
    for name, one in found["queries"].items():
        whole = one["whole_book"]
        reads = ", ".join(f"{read['table']} {read['chosen']}/{read['all']}" for read in (whole or one)["reads"])
        of_all = f"{whole['seconds']:.3f}" if whole else ""
        busy = (whole or one)["cpu_seconds"]
        lines.append(f"| {name} | {one['seconds']:.3f} | {of_all} | {busy:.3f} | {reads} |")
    return "\n".join(lines) + "\n"


def timed(call: Callable[[], Any]) -> float:
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


def ways_in(folder: Path, rows: int, console: Console) -> dict[str, Any]:
    """Measure the loader, a plain loop, and the engine alone, by turns on new tables each time; the medians count."""
    log = a_log(rows)
    maker = RowMaker(LocalRegistry())
    maker.rows(LIQUIDITY_SNAPSHOTS, log[LIQUIDITY_SNAPSHOTS, 0][:10])
    ways: dict[str, Callable[[EmbeddedWarehouse], float]] = {
        "plain": lambda warehouse: plain_loop(warehouse, log),
        "limit": lambda warehouse: ready_tables(warehouse, maker, log),
        "loader": lambda warehouse: loader(warehouse, maker, log),
    }
    runs: dict[str, list[float]] = {name: [] for name in ways}
    weights: dict[str, float] = {}
    for _ in range(REPETITIONS):
        for name, way in ways.items():
            with new_tables(folder / name) as warehouse:
                runs[name].append(way(warehouse))
                weights = bytes_per_row(warehouse)
    rates = {name: statistics.median(of_one) for name, of_one in runs.items()}
    table = Table(
        "way in (snapshots, with all views filled)", "rows/s", "of each run", "", box=None, header_style="bold"
    )
    times, share = rates["loader"] / rates["plain"], rates["loader"] / rates["limit"]
    verdict = "met" if times >= 10 and share >= 1 / 3 else "MISSED"
    words = {"plain": "plain INSERT … VALUES loop", "limit": "engine's limit: ready Arrow tables", "loader": "loader"}
    for name, of_one in runs.items():
        said = f"{times:.1f} times the plain loop, {share:.0%} of the limit: {verdict}" if name == "loader" else ""
        table.add_row(words[name], f"{rates[name]:,.0f}", ", ".join(f"{rate:,.0f}" for rate in of_one), said)
    console.print(table)
    console.print("bytes per row: " + ", ".join(f"{name} {weight}" for name, weight in weights.items()))
    return {"rows_per_second": rates, "runs": runs, "bytes_per_row": weights}


@contextmanager
def new_tables(folder: Path) -> Iterator[EmbeddedWarehouse]:
    warehouse = EmbeddedWarehouse(folder, "loanpulse")
    migrate(warehouse)
    simulated_warehouse.fill(warehouse, 2_000)  # so that nothing is done for the first time while it is measured
    warehouse.execute("SYSTEM START MERGES snapshots")
    yield warehouse
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
    block = load(environment={}).warehouse.batch_rows // PARTITIONS
    for records in log.values():
        for first in range(0, len(records), block):
            ready.append(maker.rows(LIQUIDITY_SNAPSHOTS, records[first : first + block]).rows)
    return sum(rows.num_rows for rows in ready) / timed(lambda: [warehouse.insert("snapshots", rows) for rows in ready])


def loader(warehouse: EmbeddedWarehouse, maker: RowMaker, log: Log) -> float:
    """The loader itself, from consumed messages to rows whose block is recorded."""
    settings = load(environment={})
    consumer = MemoryConsumer(log, at_once=5_000)
    running = Loader(settings, consumer, warehouse, maker)
    running.subscribe()

    def run() -> None:
        while not consumer.is_at_end:
            running.step()
        running.finish()

    return sum(map(len, log.values())) / timed(run)


def bytes_per_row(warehouse: EmbeddedWarehouse) -> dict[str, float]:
    weights = warehouse.query(
        "SELECT table, round(sum(bytes_on_disk) / sum(parts.rows), 1) AS weight FROM system.parts "
        "WHERE active AND database = 'loanpulse' AND parts.rows > 100 GROUP BY table ORDER BY table"
    )
    return {row["table"]: row["weight"] for row in weights.to_pylist()}


def queries(folder: Path, rows: int, console: Console) -> dict[str, Any]:
    """Time every documented query on a large portfolio: of one lender, and of the whole book."""
    is_new = not folder.exists()
    warehouse = EmbeddedWarehouse(folder, "loanpulse")
    migrate(warehouse)
    if is_new:
        console.print(f"making {rows:,} snapshots …")
        console.print(f"made in {timed(lambda: simulated_warehouse.fill(warehouse, rows)):,.0f} s; merging …")
        for name in MERGED:
            warehouse.execute(f"OPTIMIZE TABLE {name} FINAL")
    warehouse.execute("SYSTEM STOP MERGES")  # merges of raw scorings in a folder that is used again would use a core
    held = int(warehouse.query("SELECT count() FROM snapshots").column(0)[0].as_py())
    now = warehouse.query(EVENT_CLOCK).column(0)[0].as_py()
    found: dict[str, Any] = {}
    for query in named_queries().values():
        asked = {one.name: ASKED[one.name] for one in query.parameters if one.name in ASKED}
        needed = {name: value for name, value in asked.items() if name not in query.optional}
        found[query.name] = measured(warehouse, bind(query, asked, now))
        found[query.name]["whole_book"] = measured(warehouse, bind(query, needed, now)) if needed != asked else None
    warehouse.close()
    slow = show(found, console)
    console.print(f"{held:,} snapshots; {slow} of {len(found)} queries took a second or more")
    return {"snapshots": held, "queries": found}


def measured(warehouse: EmbeddedWarehouse, bound: Bound) -> dict[str, Any]:
    """Ask three times; the median counts."""
    taken, worked, rows = [], [], 0
    for _ in range(3):
        began, busy = time.perf_counter(), time.process_time()
        rows = warehouse.query(bound.statement, bound.values).num_rows
        taken.append(time.perf_counter() - began)
        worked.append(time.process_time() - busy)
    plan = warehouse.query(f"EXPLAIN indexes = 1 {bound.statement}", bound.values).column(0).to_pylist()
    return {
        "seconds": round(statistics.median(taken), 4), "cpu_seconds": round(statistics.median(worked), 4),
        "rows": rows, "reads": reads_of(plan),
    }  # fmt: skip


def reads_of(plan: list[str]) -> list[dict[str, Any]]:
    """Return, of every table that a plan reads, the granules left by partitions and primary key, and all."""
    reads: list[dict[str, Any]] = []
    for line in plan:
        if read := READ.search(line):
            reads.append({"table": read[1], "chosen": None, "all": None})
        elif (granules := GRANULES.search(line)) and reads:
            chosen, latest = map(int, granules.groups())
            reads[-1]["chosen"] = chosen
            reads[-1]["all"] = reads[-1]["all"] or latest
    return [read for read in reads if read["all"] is not None]


def show(found: dict[str, Any], console: Console) -> int:
    """Print a table of the queries; returns how many are slow."""
    table = Table("query", "one", "whole book", "of CPU", "rows", "granules read", "", box=None, header_style="bold")
    slow = 0
    for name, one in found.items():
        whole = one["whole_book"] or one
        is_slow = max(one["seconds"], whole["seconds"]) >= SECOND
        slow += is_slow
        granules = ", ".join(f"{read['chosen']}/{read['all']}" for read in whole["reads"])
        table.add_row(
            name, f"{one['seconds']:.3f}", f"{whole['seconds']:.3f}", f"{whole['cpu_seconds']:.3f}", str(whole["rows"]),
            granules, "SLOW" if is_slow else "",
        )  # fmt: skip
    console.print(table)
    return slow


if __name__ == "__main__":
    main()
