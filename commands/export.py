"""`loanpulse export`: a lender's month for its supervisor."""

import hashlib
import hmac
import secrets
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from loanpulse.commands.console import ConfigOption, configured, fail, failures, out
from loanpulse.commands.report import LenderOption, MonthOption, first_day
from loanpulse.sinks.export import export_month
from loanpulse.sinks.query_client import run_query
from loanpulse.sinks.warehouse import WarehouseError

HASH_DIGITS = 20
KNOWN = "SELECT count() AS days FROM portfolio_by_day WHERE lender_id = {lender:String}"


def export(
    lender: LenderOption,
    month: MonthOption,
    out_folder: Annotated[Path, typer.Option("--out", "-o", help="Folder to write to; created if missing.")],
    keep_pseudonyms: Annotated[
        bool, typer.Option("--keep-pseudonyms", help="Keep borrowers' pseudonyms instead of one-time codes.")
    ] = False,
    config: ConfigOption = None,
) -> None:
    """Export a lender's month for a supervisor: Parquet files, with a dictionary of their columns.

    Portfolio and roll rates by day, days past due, vintages, alerts with reasons and outcomes, feedback, model health.
    Borrowers get codes that are valid within this export only, unless --keep-pseudonyms is given.
    """
    settings = configured(config)
    first = first_day(month)
    key = secrets.token_bytes(32)

    def code(borrower: str) -> str:
        return "x-" + hmac.new(key, borrower.encode(), hashlib.sha256).hexdigest()[:HASH_DIGITS]

    def report_file(name: str, rows: int) -> None:
        out.print(f"{rows:>9,} rows  {out_folder / name}", highlight=False, soft_wrap=True)

    with failures(WarehouseError, OSError):
        query = partial(run_query, settings.warehouse)
        if not query(KNOWN, {"lender": lender}).column("days")[0].as_py():
            fail(f"the warehouse has no scorings of borrowers of {lender!r}.")
        export_month(query, lender, first, out_folder, str if keep_pseudonyms else code, report_file)
