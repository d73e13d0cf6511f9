"""`loanpulse backtest`: a lender's history replayed with learning on, and a report."""

from pathlib import Path
from typing import Annotated

import orjson
import typer
from rich.progress import Progress, SpinnerColumn, TextColumn

from loanpulse.commands.console import ConfigOption, configured, err, failures, out, spare_inputs
from loanpulse.evaluation.backtest.page import page
from loanpulse.evaluation.backtest.run import BacktestRun
from loanpulse.schemas.registry import LocalRegistry
from loanpulse.streams.from_settings import engine_options, load_policy
from loanpulse.streams.policy.policy_file import PolicyError
from loanpulse.streams.trainer.app import label_options, trainer_options


def backtest(
    files: Annotated[
        list[Path], typer.Argument(help="JSON Lines files of events, the earliest first.", exists=True, dir_okay=False)
    ],
    html: Annotated[Path, typer.Option(help="Write the report to this HTML file.")] = Path("backtest.html"),
    json: Annotated[Path, typer.Option(help="Write its figures to this JSON file.")] = Path("backtest.json"),
    config: ConfigOption = None,
) -> None:
    """Replay a lender's history with learning on, and report which defaults the levels would have found, and how early.

    Outcomes come from the log's repayment events. If the log has alert-feedback lines, the lender's contacts are
    compared with the first alerts.
    """
    settings = configured(config)
    spare_inputs(files, html, json)
    with failures(PolicyError, OSError):
        run = BacktestRun(
            engine_options(settings), load_policy(settings), LocalRegistry(), label_options(settings),
            trainer_options(settings),
        )  # fmt: skip
        with Progress(SpinnerColumn(), TextColumn("{task.description}"), console=err, transient=True) as progress:
            task = progress.add_task("replaying (the first run on a machine compiles for some seconds)")
            done = run.run(files, lambda count: progress.update(task, description=f"replaying: {count:,} events"))
        report = run.backtest.report()
        json.write_bytes(orjson.dumps(report, option=orjson.OPT_INDENT_2))
        html.write_text(page(report), encoding="utf-8")
    out.print(
        f"{done.events:,} events, {done.snapshots:,} snapshots, {len(done.refused):,} refused; "
        f"{report['predictions']:,} predictions, {report['defaults']:,} defaults: {html}, {json}",
        highlight=False,
    )
