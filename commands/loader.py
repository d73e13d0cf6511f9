"""`loanpulse loader` and `loanpulse migrate`: the way into the warehouse."""

import signal
import threading
from enum import StrEnum
from typing import Annotated, Any

import typer

from loanpulse.commands import topics_admin
from loanpulse.commands.console import ConfigOption, configured, fail, failures, out
from loanpulse.schemas.registry import RegistryUnavailable
from loanpulse.settings import Settings
from loanpulse.sinks.connect import bring_up_to_date, migration_status, open_warehouse
from loanpulse.sinks.loader import run
from loanpulse.sinks.migrate import MigrationError, load_migrations, statements_of
from loanpulse.sinks.warehouse import WarehouseError


def loader(config: ConfigOption = None) -> None:
    """Run the loader: it puts what stands on the topics into ClickHouse.

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
        problems = topics_admin.check_topics(settings, topics_admin.TIMEOUT_SECONDS)
        missing = [problem.what for problem in problems if "is missing" in problem.what]
        if missing:
            fail(f"{missing[0]}: run `loanpulse topics create` first.")
        run(settings, stop)


class MigrateAction(StrEnum):
    """What `loanpulse migrate` does beside applying."""

    APPLY = "apply"
    STATUS = "status"


def migrate(
    action: Annotated[
        MigrateAction, typer.Argument(help="apply what is missing, or only list the status of each.")
    ] = MigrateAction.APPLY,
    config: ConfigOption = None,
    show_status: Annotated[
        bool, typer.Option("--status", help="Only list the migrations and whether they are applied.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only print the statements that would run.")] = False,
) -> None:
    """Bring the warehouse's tables and views up to this version, and its retention to the configuration.

    Migrations are numbered files with a checksum; one that was applied never changes.
    """
    settings = configured(config)
    with failures(WarehouseError, MigrationError):
        if show_status or action is MigrateAction.STATUS:
            for entry in migration_status(settings.warehouse):
                out.print(f"{'applied' if entry.applied else 'pending'} {entry.migration.name}", highlight=False)
            return
        if dry_run:
            _show_statements(settings)
            return
        warehouse = open_warehouse(settings.warehouse)
        try:
            applied = bring_up_to_date(warehouse, settings)
        finally:
            warehouse.close()
    for migration in applied:
        out.print(f"applied {migration.name}", highlight=False)
    out.print(f"{len(load_migrations())} migrations, {len(applied)} applied now.", highlight=False)


def _show_statements(settings: Settings) -> None:
    for entry in migration_status(settings.warehouse):
        if not entry.applied:
            said = statements_of(entry.migration, settings.warehouse.cluster, settings.warehouse.database)
            typer.echo(";\n\n".join(said) + ";\n")
