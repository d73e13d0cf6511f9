"""`loanpulse loader` and `loanpulse migrate`: the way into the warehouse."""

import signal
import threading
from typing import Annotated, Any

import typer

from loanpulse.commands import topics_admin
from loanpulse.commands.console import ConfigOption, configured, fail, failures, out
from loanpulse.schemas.registry import RegistryUnavailable
from loanpulse.sinks.connect import open_warehouse
from loanpulse.sinks.loader import run
from loanpulse.sinks.migrate import MigrationError, load_migrations, status
from loanpulse.sinks.migrate import migrate as apply_migrations
from loanpulse.sinks.warehouse import WarehouseError


def loader(config: ConfigOption = None) -> None:
    """Run the loader: it puts snapshots, alerts and dead letters into ClickHouse.

    It migrates the warehouse first. With the embedded warehouse it also answers `loanpulse query` while it runs.
    It can be stopped or killed at any moment: loading a range twice leaves the tables as if once.
    """
    settings = configured(config)
    stop = threading.Event()

    def asked_to_stop(_number: int, _frame: Any) -> None:
        stop.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, asked_to_stop)
    with failures(topics_admin.BrokerUnreachableError, WarehouseError, MigrationError, RegistryUnavailable):
        missing = [p.what for p in topics_admin.check_topics(settings) if "is missing" in p.what]
        if missing:
            fail(f"{missing[0]}: run `loanpulse topics create` first.")
        run(settings, stop)


def migrate(
    config: ConfigOption = None,
    show_status: Annotated[
        bool, typer.Option("--status", help="Only list the migrations and whether they are applied.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only print the statements that would run.")] = False,
) -> None:
    """Bring the warehouse's tables and views up to this version.

    Migrations are numbered files with a checksum; one that was applied never changes.
    """
    settings = configured(config)
    with failures(WarehouseError, MigrationError):
        warehouse = open_warehouse(settings.warehouse)
        try:
            if show_status or dry_run:
                for entry in status(warehouse):
                    if show_status:
                        out.print(
                            f"{'applied' if entry.applied else 'pending'} {entry.migration.name}", highlight=False
                        )
                    elif not entry.applied:
                        out.print(";\n\n".join(entry.migration.statements) + ";\n", markup=False, highlight=False)
                return
            applied = apply_migrations(warehouse)
        finally:
            warehouse.close()
    for migration in applied:
        out.print(f"applied {migration.name}", highlight=False)
    out.print(f"{len(load_migrations())} migrations, {len(applied)} applied now.", highlight=False)
