"""`loanpulse query`: a documented query by name, or any read-only SQL."""

import io
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import orjson
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
import typer
from rich.markup import escape
from rich.table import Table

from loanpulse.commands.console import USAGE_ERROR, ConfigOption, configured, fail, failures, out, print_table
from loanpulse.settings.model import WarehouseSection
from loanpulse.sinks.queries import NamedQuery, QueryParameterError, named_queries
from loanpulse.sinks.query_client import run_named_query, run_query
from loanpulse.sinks.warehouse import WarehouseError

WHOLE_FROM = 1_000.0
"""A number from here on is printed with all its whole digits, as an amount; a smaller one with six digits."""


class Format(StrEnum):
    """The format of the output."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"
    PARQUET = "parquet"


def _complete(incomplete: str) -> list[tuple[str, str]]:
    return [(query.name, query.question) for query in named_queries().values() if query.name.startswith(incomplete)]


def query(
    context: typer.Context,
    what: Annotated[
        str, typer.Argument(help="Name of a documented query, or read-only SQL.", autocompletion=_complete)
    ] = "",
    form: Annotated[
        Format | None,
        typer.Option("--format", "-f", help="Format of the result. Default: by the file's suffix, or a table."),
    ] = None,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Write the result to this file.")] = None,
    config: ConfigOption = None,
) -> None:
    """Query the warehouse: a documented query by name, or your own SQL. Read-only.

    Without an argument it lists the documented queries with their options, such as
    `loanpulse query roll-rates --lender lender-a --since 30d`. Relative times, such as 30d, count back from the newest
    scoring. While a loader runs on the embedded warehouse, the loader answers; so this works during the demo too.
    """
    settings = configured(config)
    known = named_queries()
    if not what.strip():
        _list(known)
        return
    if " " not in what and what not in known:
        fail(f"there is no query {what!r}; use one of {', '.join(known)}, or SQL in quotes.", USAGE_ERROR)
    given = _options(context.args)
    with failures(WarehouseError):
        try:
            result = _result(settings.warehouse, known.get(what), what, given)
        except QueryParameterError as error:
            fail(str(error), USAGE_ERROR)
    _print(result, form or _form_of(output), output)


def _form_of(output: Path | None) -> Format:
    """Return the format of a file's suffix; CSV if it names none, a table if there is no file."""
    if output is None:
        return Format.TABLE
    ending = output.suffix.removeprefix(".").lower()
    if ending in (Format.JSON, Format.PARQUET):
        return Format(ending)
    return Format.JSON if ending in ("jsonl", "ndjson") else Format.CSV


def _result(warehouse: WarehouseSection, named: NamedQuery | None, what: str, given: dict[str, str]) -> pa.Table:
    if named is not None:
        return run_named_query(warehouse, named, given)
    return run_query(warehouse, what, given)


def _list(known: dict[str, NamedQuery]) -> None:
    table = Table("query", "answers", "options", box=None, header_style="bold")
    for named in known.values():
        table.add_row(named.name, named.question, " ".join(f"--{one.name}" for one in named.parameters))
    print_table(table)


def _options(arguments: list[str]) -> dict[str, str]:
    """Return ``--name value`` and ``--name=value`` as a mapping."""
    given: dict[str, str] = {}
    rest = iter(arguments)
    for argument in rest:
        name, equals, value = argument.partition("=")
        if not name.startswith("--"):
            fail(f"{argument!r} is not an option; give --name value.", USAGE_ERROR)
        if not equals:
            following = next(rest, None)
            if following is None:
                fail(f"{name} needs a value.", USAGE_ERROR)
            value = following
        given[name.removeprefix("--")] = value
    return given


def _print(result: pa.Table, form: Format, output: Path | None) -> None:
    if form is Format.TABLE and output is None:
        table = Table(*result.column_names, box=None, header_style="bold")
        for row in result.to_pylist():
            table.add_row(*(escape(_cell(value)) for value in row.values()))
        print_table(table)
        out.print(f"{result.num_rows} rows", style="dim", highlight=False)
        return
    if form is Format.PARQUET and output is None and sys.stdout.isatty():
        fail("Parquet can't be shown on a terminal; give --output FILE or pipe the output.", USAGE_ERROR)
    body = _encoded(result, form)
    if output is None:
        sys.stdout.buffer.write(body)
        sys.stdout.buffer.flush()
        return
    try:
        output.write_bytes(body)
    except OSError as error:
        fail(f"{output} can't be written: {error.strerror}.")


def _encoded(result: pa.Table, form: Format) -> bytes:
    buffer = io.BytesIO()
    if form is Format.PARQUET:
        pyarrow.parquet.write_table(result, buffer)
    elif form is Format.JSON:
        for row in result.to_pylist():
            buffer.write(orjson.dumps(row, default=str) + b"\n")
    else:
        flat = pa.table({name: _flat(result.column(name)) for name in result.column_names})
        pyarrow.csv.write_csv(flat, buffer)
    return buffer.getvalue()


def _cell(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(str(item) for item in value)
    if hasattr(value, "isoformat"):
        return str(value).replace("+00:00", "Z")
    if isinstance(value, float):
        return f"{value:g}" if abs(value) < WHOLE_FROM else f"{value:.2f}".rstrip("0").rstrip(".")
    return "" if value is None else str(value)


def _flat(column: pa.ChunkedArray) -> pa.ChunkedArray:
    if pa.types.is_nested(column.type):
        return pa.chunked_array([pa.array([_cell(value) for value in column.to_pylist()], pa.string())])
    return column
