"""`loanpulse config`: every setting with its value and origin."""

from typing import Annotated

import orjson
import typer
from rich.table import Table

from loanpulse.commands.console import ConfigOption, loaded, out, print_table


def config(
    config: ConfigOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
    describe: Annotated[bool, typer.Option("--describe", help="Add a description of each setting.")] = False,
) -> None:
    """Print the configuration: each value and its origin, secrets masked.

    An environment variable LOANPULSE_SECTION__KEY, such as LOANPULSE_BROKER__BOOTSTRAP_SERVERS, overrides
    loanpulse.toml, which overrides the default.
    """
    origins = loaded(config).origins
    if as_json:
        rows = [{"key": o.key, "value": o.value, "origin": o.origin, "description": o.description} for o in origins]
        out.print_json(orjson.dumps(rows).decode())
        return
    table = Table("setting", "value", "from", *(["description"] if describe else []), box=None, header_style="bold")
    for origin in origins:
        table.add_row(origin.key, origin.value, origin.origin, *([origin.description] if describe else []))
    print_table(table)
