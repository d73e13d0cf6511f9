"""`loanpulse query`: the documented queries by name, or any SQL that reads."""

import io
from enum import StrEnum
from typing import Annotated

import orjson
import pyarrow as pa
import pyarrow.csv
import typer
from rich.table import Table

from loanpulse.commands.console import USAGE_ERROR, ConfigOption, configured, fail, failures, out
from loanpulse.sinks.queries import named_queries
from loanpulse.sinks.query_client import run_query
from loanpulse.sinks.warehouse import WarehouseError


class Format(StrEnum):
    """How results are printed."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"


def _complete(incomplete: str) -> list[tuple[str, str]]:
    return [(query.name, query.question) for query in named_queries().values() if query.name.startswith(incomplete)]


def query(
    what: Annotated[
        str, typer.Argument(help="Name of a documented query, or SQL that reads.", autocompletion=_complete)
    ] = "",
    form: Annotated[Format, typer.Option("--format", "-f", help="How to print the result.")] = Format.TABLE,
    config: ConfigOption = None,
) -> None:
    """Ask the warehouse: a documented query by its name, or your own SQL.

    Without an argument the documented queries are listed. While a loader runs on the embedded warehouse it is asked,
    so that this works during the demo too. Nothing can be changed from here.
    """
    settings = configured(config)
    known = named_queries()
    if not what:
        table = Table("query", "answers", box=None, header_style="bold")
        for named in known.values():
            table.add_row(named.name, named.question)
        out.print(table)
        return
    if " " not in what and what not in known:
        fail(f"there is no query {what!r}; take one of {', '.join(known)}, or SQL in quotes.", USAGE_ERROR)
    statement = known[what].statement if what in known else what
    with failures(WarehouseError):
        result = run_query(settings.warehouse, statement)
    _print(result, form)


def _print(result: pa.Table, form: Format) -> None:
    if form is Format.CSV:
        buffer = io.BytesIO()
        flat = pa.table({name: _flat(result.column(name)) for name in result.column_names})
        pyarrow.csv.write_csv(flat, buffer)
        typer.echo(buffer.getvalue().decode(), nl=False)
    elif form is Format.JSON:
        for row in result.to_pylist():
            typer.echo(orjson.dumps(row, default=str))
    else:
        table = Table(*result.column_names, box=None, header_style="bold")
        for row in result.to_pylist():
            table.add_row(*(_cell(value) for value in row.values()))
        out.print(table)
        out.print(f"{result.num_rows} rows", style="dim", highlight=False)


def _cell(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(str(item) for item in value)
    if hasattr(value, "isoformat"):
        return str(value).replace("+00:00", "Z")
    if isinstance(value, float):
        return f"{value:g}"
    return "" if value is None else str(value)


def _flat(column: pa.ChunkedArray) -> pa.ChunkedArray:
    if pa.types.is_nested(column.type):
        return pa.chunked_array([pa.array([_cell(value) for value in column.to_pylist()], pa.string())])
    return column
