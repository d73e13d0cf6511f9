"""`loanpulse replay`: the stream's alerts and snapshots from files, without a broker."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import Progress, SpinnerColumn, TextColumn

from loanpulse.commands.console import (
    FAILURE,
    USAGE_ERROR,
    ConfigOption,
    configured,
    err,
    fail,
    failures,
    out,
    spare_inputs,
)
from loanpulse.commands.old_names import renamed_option
from loanpulse.schemas import json_form
from loanpulse.schemas.registry import LocalRegistry
from loanpulse.streams.from_settings import engine_options, load_policy
from loanpulse.streams.policy.policy_file import PolicyError
from loanpulse.streams.replay.replay import ReplayReport, replay_files

SHOWN_AT_MOST = 100


def replay(
    files: Annotated[
        list[Path], typer.Argument(help="JSON Lines files of events, the earliest first.", exists=True, dir_okay=False)
    ],
    alerts: Annotated[Path | None, typer.Option(help="Write the alerts to this JSON Lines file.")] = None,
    snapshots: Annotated[Path | None, typer.Option(help="Write the snapshots to this JSON Lines file.")] = None,
    directives: Annotated[
        Path | None,
        typer.Option(
            help="Directives (JSON Lines of policy-activations, suppressions, model-snapshots). Each takes effect at "
            "its own event time, or at the one that order-applications records. FILES may contain them too.",
            exists=True,
            dir_okay=False,
        ),
    ] = None,
    until: Annotated[
        str,
        typer.Option(
            help="Advance event time to this instant after the last record (ISO 8601 with offset). "
            "Default: stop after the last scoring."
        ),
    ] = "",
    controls: Annotated[Path | None, typer.Option(hidden=True, exists=True, dir_okay=False)] = None,
    at: Annotated[str | None, typer.Option(hidden=True)] = None,
    config: ConfigOption = None,
) -> None:
    """Replay a log of events through the stream's own code, and write the snapshots and alerts it would publish.

    No broker is needed. The same files give the same output to the byte, and the same alert ids as the stream. Lines
    that the stream would send to dead-letters are printed, and the exit code is then 1.
    """
    settings = configured(config)
    directives = renamed_option("--controls", controls, "--directives", directives)
    until = renamed_option("--at", at, "--until", until or None) or ""
    spare_inputs([*files, directives], alerts, snapshots)
    until_ms = _milliseconds(until) if until else None
    with Progress(SpinnerColumn(), TextColumn("{task.description}"), console=err, transient=True) as progress:
        task = progress.add_task("replaying (the first run on a machine compiles for some seconds)")
        with failures(PolicyError, OSError):
            report = replay_files(
                files,
                options=engine_options(settings),
                policy=load_policy(settings),
                registry=LocalRegistry(),
                directives=directives,
                alerts=alerts,
                snapshots=snapshots,
                at_ms=until_ms,
                progress=lambda events: progress.update(task, description=f"replaying: {events:,} events"),
            )
    _print(report)
    if report.refused:
        raise typer.Exit(FAILURE)


def _milliseconds(text: str) -> int:
    try:
        return json_form.milliseconds(json_form.parse_time(text))
    except ValueError:
        fail(f'--until {text!r} is not a time with an offset, such as "{datetime(2026, 1, 31, 8, tzinfo=UTC):%FT%TZ}".',
             USAGE_ERROR)  # fmt: skip


def _print(report: ReplayReport) -> None:
    for refused in report.refused[:SHOWN_AT_MOST]:
        err.print(
            f"{refused.file}:{refused.line}: {refused.code}: {refused.reason}",
            markup=False,
            highlight=False,
            soft_wrap=True,
        )
    if len(report.refused) > SHOWN_AT_MOST:
        err.print(f"… and {len(report.refused) - SHOWN_AT_MOST:,} more")
    out.print(
        f"{report.events:,} events, {report.snapshots:,} snapshots, {report.alerts:,} alerts, "
        f"{len(report.refused):,} refused",
        highlight=False,
    )
