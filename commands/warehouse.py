"""`loanpulse warehouse`: the warehouse's tables and views."""

from enum import StrEnum
from typing import Annotated

import typer

from loanpulse.commands.console import ConfigOption, configured, failures, out
from loanpulse.settings import Settings
from loanpulse.sinks.connect import bring_up_to_date, migration_status, open_warehouse
from loanpulse.sinks.migrate import MigrationError, load_migrations, statements_of
from loanpulse.sinks.warehouse import WarehouseError

app = typer.Typer(help="Migrate the warehouse's tables and views.", no_args_is_help=True)


@app.callback()
def warehouse() -> None:
    """Migrate the warehouse's tables and views."""


class MigrateAction(StrEnum):
    """What `loanpulse warehouse migrate` does."""

    APPLY = "apply"
    STATUS = "status"


@app.command()
def migrate(
    action: Annotated[
        MigrateAction, typer.Argument(help="apply: run the pending migrations; status: list all with their status.")
    ] = MigrateAction.APPLY,
    config: ConfigOption = None,
    show_status: Annotated[
        bool, typer.Option("--status", help="List the migrations and whether each is applied; change nothing.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print the statements that would run; change nothing.")
    ] = False,
) -> None:
    """Bring the warehouse's tables and views up to this version, and its retention to the configuration.

    Migrations are numbered files with a checksum. An applied migration never changes.
    """
    settings = configured(config)
    with failures(WarehouseError, MigrationError):
        if show_status or action is MigrateAction.STATUS:
            for entry in migration_status(settings.warehouse):
                out.print(f"{'applied' if entry.applied else 'pending'} {entry.migration.name}", highlight=False)
            return
        if dry_run:
            _print_statements(settings)
            return
        opened = open_warehouse(settings.warehouse)
        try:
            applied = bring_up_to_date(opened, settings)
        finally:
            opened.close()
    for migration in applied:
        out.print(f"applied {migration.name}", highlight=False)
    out.print(f"{len(load_migrations())} migrations, {len(applied)} applied now.", highlight=False)


def _print_statements(settings: Settings) -> None:
    for entry in migration_status(settings.warehouse):
        if not entry.applied:
            statements = statements_of(entry.migration, settings.warehouse.cluster, settings.warehouse.database)
            typer.echo(";\n\n".join(statements) + ";\n")
