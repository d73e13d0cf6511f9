"""`loanpulse forget`: erase a borrower from state, topics and tables, and prove it by a search."""

import time
import uuid
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Annotated

import orjson
import typer
from rich.table import Table

from loanpulse.commands import topics_admin
from loanpulse.commands.console import USAGE_ERROR, ConfigOption, configured, err, fail, failures, print_table
from loanpulse.schemas.forgetting import borrowers_topics
from loanpulse.schemas.topics import EVENT_TOPICS
from loanpulse.settings import Settings
from loanpulse.sinks import borrower_topics, erasure
from loanpulse.sinks.borrower_topics import Remains, TopicsUnreadableError
from loanpulse.sinks.connect import open_warehouse
from loanpulse.sinks.endpoint import read_endpoint
from loanpulse.sinks.query_client import run_query
from loanpulse.sinks.warehouse import WarehouseError

LONGEST_ID = 64
LOOK_EVERY_SECONDS = 0.5


def forget(
    borrower: Annotated[str, typer.Argument(help="The borrower's pseudonym.", show_default=False)],
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Don't ask for confirmation.")] = False,
    check: Annotated[bool, typer.Option("--check", help="Only search; change nothing.")] = False,
    wait: Annotated[float, typer.Option(help="Seconds to wait for workers and the loader to apply it.", min=1)] = 180.0,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
    config: ConfigOption = None,
) -> None:
    """Erase a borrower from the workers' state, the compacted topics and every table, then search for remains.

    Running workers and loaders apply the request when they reach it in the log; later events start a new record.
    Topics with time retention keep the records until it ends; the search prints when. The exit code is 0 if nothing is
    left in state and tables, otherwise 1. You can repeat it, also with --check. `loanpulse erase` is the same command.
    """
    if not 0 < len(borrower) <= LONGEST_ID:
        fail(f"BORROWER must have 1 to {LONGEST_ID} characters.", USAGE_ERROR)
    settings = configured(config)
    if not (check or yes):
        typer.confirm("This can't be undone. Forget the borrower?", abort=True)
    request = uuid.uuid4().hex
    with failures(TopicsUnreadableError, WarehouseError, topics_admin.BrokerUnreachableError):
        topics_admin.check_topics(settings)
        if not check:
            _forget(settings, borrower, request, time.monotonic() + wait)
        in_state = borrower_topics.in_state(settings, borrower)
        tables = _tables_with(settings, borrower)
        deployment = topics_admin.deployment(settings)
        remains = borrower_topics.search(settings, deployment, borrower, partial(_show_progress, not as_json))
    _print(request, borrower, in_state, tables, remains, as_json)
    if in_state or tables:
        fail("The borrower is not erased everywhere: check that workers and the loader run, then repeat the command.")


def _forget(settings: Settings, borrower: str, request: str, deadline: float) -> None:
    offsets = borrower_topics.send_orders(settings, EVENT_TOPICS, borrower, request)
    # Wait for the workers first: after that they publish no output about the borrower behind the next requests.
    _wait("the workers", deadline, lambda: borrower_topics.followed_by_worker(settings, offsets))
    others = [topic.name for topic in borrowers_topics() if topic.name not in EVENT_TOPICS]
    borrower_topics.send_orders(settings, others, borrower, request)
    held, server = _loader_holds_warehouse(settings), settings.warehouse.kind == "server"
    if held or server:
        wanted = len(EVENT_TOPICS) + len(others)
        _wait("the loader", deadline, lambda: _requests_applied(settings, request) >= wanted)
    if server or (not held and (Path(settings.warehouse.path) / "tables").exists()):
        warehouse = open_warehouse(settings.warehouse, create=False)
        try:
            erasure.write_audit(
                warehouse, request, borrower, "", erasure.erase(warehouse, borrower, settings.warehouse.cluster)
            )
        finally:
            warehouse.close()


def _loader_holds_warehouse(settings: Settings) -> bool:
    return settings.warehouse.kind == "embedded" and read_endpoint(Path(settings.warehouse.path)) is not None


def _requests_applied(settings: Settings, request: str) -> int:
    statement = f"SELECT uniqExact(topic) FROM {erasure.AUDIT_TABLE} WHERE request_id = '{request}'"
    return int(run_query(settings.warehouse, statement).column(0)[0].as_py())


def _wait(whom: str, deadline: float, is_applied: Callable[[], bool]) -> None:
    while not is_applied():
        if time.monotonic() > deadline:
            err.print(f"{whom} did not apply the request in time; it stays in the log and is applied later.")
            return
        time.sleep(LOOK_EVERY_SECONDS)


def _tables_with(settings: Settings, borrower: str) -> dict[str, int]:
    """Return the tables that contain the pseudonym, with the number of rows."""
    if settings.warehouse.kind == "embedded" and not (Path(settings.warehouse.path) / "tables").exists():
        return {}
    columns = run_query(settings.warehouse, erasure.texts_statement()).to_pylist()
    statement = erasure.search_statement([(row["table"], row["name"]) for row in columns], borrower)
    return {row["place"]: row["found"] for row in run_query(settings.warehouse, statement).to_pylist() if row["found"]}


def _show_progress(shown: bool, topic: str) -> None:
    if shown and err.is_terminal:
        err.print(f"searching {topic} …", style="dim", highlight=False)


def _print(
    request: str, borrower: str, in_state: bool, tables: dict[str, int], remains: list[Remains], as_json: bool
) -> None:
    if as_json:
        result = {
            "request_id": request,
            "borrower_hash": erasure.borrower_hash(borrower),
            "in_state": in_state,
            "rows_in_tables": tables,
            "records_in_topics": [
                {"topic": one.topic, "records": one.records, "until": one.until, "live": one.live} for one in remains
            ],
        }
        typer.echo(orjson.dumps(result))
        return
    table = Table("where", "found", "until", box=None, header_style="bold")
    table.add_row("workers' state", "yes" if in_state else "nothing", "")
    table.add_row("tables", ", ".join(f"{name}: {rows}" for name, rows in tables.items()) or "nothing", "")
    for one in remains:
        until = f"{one.until:%Y-%m-%d %H:%M}Z" if one.until else "the broker's next compaction"
        table.add_row(f"topic {one.topic}", f"{one.records} records", until)
    print_table(table)
