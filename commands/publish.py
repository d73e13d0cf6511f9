"""`loanpulse publish`: publish a lender's events from files."""

from pathlib import Path
from typing import Annotated

import typer
from rich.progress import Progress, SpinnerColumn, TextColumn

from loanpulse.commands import topics_admin
from loanpulse.commands.console import FAILURE, ConfigOption, configured, err, fail, failures, out
from loanpulse.schemas.confluent_registry import open_registry
from loanpulse.schemas.publisher import Publisher, PublishReport
from loanpulse.schemas.registry import RegistryUnavailable
from loanpulse.settings.broker import producer_properties

MAX_SHOWN = 100


def publish(
    files: Annotated[
        list[Path], typer.Argument(help="JSON Lines files; a line is an event.", exists=True, dir_okay=False)
    ],
    config: ConfigOption = None,
) -> None:
    """Publish events from JSON Lines files.

    A line is {"topic": "repayment-events", "value": {…}} with the contract's fields: decimals as strings ("12.34"),
    times in ISO 8601 with offset. Each line is checked. Refused lines are printed with file, line and field; the others
    are published. Exits with 1 if any line was refused.
    """
    settings = configured(config)
    with failures(topics_admin.BrokerUnreachableError, RegistryUnavailable):
        missing = [problem.what for problem in topics_admin.check_topics(settings) if "-events" in problem.what]
        if missing:
            fail(f"{missing[0]}: run `loanpulse topics create` first.")
        publisher = Publisher(
            producer_properties(settings),
            open_registry(settings.registry),
            settings.topics.prefix,
            settings.streams.currency,
        )
        complete = True
        for file in files:
            report = _publish_file(publisher, file)
            complete = complete and report.complete
            _print(file, report, publisher.last_error)
    if not complete:
        raise typer.Exit(FAILURE)


def _publish_file(publisher: Publisher, file: Path) -> PublishReport:
    with Progress(SpinnerColumn(), TextColumn("{task.description}"), console=err, transient=True) as progress:
        task = progress.add_task(f"publishing {file}")
        return publisher.publish_file(
            file,
            lambda published, refused: progress.update(
                task, description=f"publishing {file}: {published:,} published, {refused:,} refused"
            ),
        )


def _print(file: Path, report: PublishReport, last_error: str) -> None:
    for refusal in report.refused[:MAX_SHOWN]:
        err.print(
            f"{file}:{refusal.line}: {refusal.field}: {refusal.message}", markup=False, highlight=False, soft_wrap=True
        )
    if len(report.refused) > MAX_SHOWN:
        err.print(f"… and {len(report.refused) - MAX_SHOWN:,} more")
    if report.failed:
        err.print(f"{file}: the broker did not accept {report.failed:,} records: {last_error}", markup=False)
    out.print(f"{file}: {report.published:,} published, {len(report.refused):,} refused", highlight=False)
