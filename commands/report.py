"""`loanpulse report`: a lender's month as one page."""

import re
from datetime import date
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from loanpulse.commands.console import USAGE_ERROR, ConfigOption, configured, fail, failures, out
from loanpulse.sinks.query_client import run_query
from loanpulse.sinks.report.figures import month_figures
from loanpulse.sinks.report.language import Language
from loanpulse.sinks.warehouse import WarehouseError

MONTH = re.compile(r"(\d{4})-(0[1-9]|1[0-2])")

LenderOption = Annotated[str, typer.Option("--lender", "-l", help="The lender's id.")]
MonthOption = Annotated[str, typer.Option("--month", "-m", help="The month, such as 2026-05.")]


def report(
    lender: LenderOption,
    month: MonthOption,
    language: Annotated[Language, typer.Option(help="Language of the page.")] = Language.EN,
    out_file: Annotated[
        Path | None, typer.Option("--out", "-o", help="The file to write. Default: <lender>-<month>.html.")
    ] = None,
    config: ConfigOption = None,
) -> None:
    """Write a lender's month as one self-contained HTML page, for screen, phone and paper.

    Levels over time, roll rates, vintages, precision of the alerts against their lead time, days to shortfall.
    No borrower can be identified. While a loader runs on the embedded warehouse, the loader answers the queries.
    """
    settings = configured(config)
    first = first_day(month)
    with failures(WarehouseError):
        figures = month_figures(partial(run_query, settings.warehouse), lender, first)
    if not figures.levels:
        fail(f"the warehouse has no scorings of borrowers of {lender!r} up to the end of {month}.")
    from loanpulse.sinks.report.page import render  # the chart library is slow to import; only this command needs it

    file = out_file or Path(f"{lender}-{month}.html")
    with failures(OSError):
        file.write_text(render(figures, language), encoding="utf-8")
    out.print(f"wrote {file}", highlight=False, soft_wrap=True)


def first_day(month: str) -> date:
    """Return the first day of a month such as 2026-05; end the command if the text is not a month."""
    found = MONTH.fullmatch(month)
    if found is None:
        fail(f"--month {month!r} is not a month, such as 2026-05.", USAGE_ERROR)
    return date(int(found[1]), int(found[2]), 1)
