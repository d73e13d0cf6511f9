"""`loanpulse policy`: check a policy, look at it, compare two, try one on a log, put one in force."""

import hashlib
import json
import tempfile
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer
from rich.progress import Progress, SpinnerColumn, TextColumn
from rich.table import Table

from loanpulse.city import truth as truths
from loanpulse.commands import orders
from loanpulse.commands.console import FAILURE, ConfigOption, configured, err, failures, out
from loanpulse.evaluation.policy_trial import Alert, Comparison, Default, Quality, compare, quality
from loanpulse.schemas import json_form
from loanpulse.schemas.registry import LocalRegistry
from loanpulse.schemas.topics import POLICY_ACTIVATIONS
from loanpulse.settings import Settings
from loanpulse.streams.directives.kinds import DIRECTIVE_KINDS
from loanpulse.streams.from_settings import engine_options, policy_at
from loanpulse.streams.policy import policy_file
from loanpulse.streams.policy.policy_file import PolicyError, PolicyFile
from loanpulse.streams.replay.replay import ReplayReport, replay_files

SHOWN_AT_MOST = 20

app = typer.Typer(help="Check, compare, try and activate policies.", no_args_is_help=True)

PolicyArgument = Annotated[Path, typer.Argument(help="A policy file (TOML).", exists=True, dir_okay=False)]
FilesArgument = Annotated[
    list[Path], typer.Argument(help="JSON Lines files of events (and orders).", exists=True, dir_okay=False)
]
JsonOption = Annotated[bool, typer.Option("--json", help="For programs.")]


def values_of(file: PolicyFile) -> dict[str, Any]:
    """Return a policy's values by their dotted keys, in the order of the file."""
    found: dict[str, Any] = {}

    def walk(prefix: str, content: Any) -> None:
        if isinstance(content, dict) and content:
            for name, part in content.items():
                walk(f"{prefix}.{name}" if prefix else str(name), part)
        else:
            found[prefix] = content

    walk("", json.loads(file.model_dump_json()))
    return found


def shown(value: Any) -> str:
    """Return a value as a person reads it."""
    return ", ".join(map(str, value)) or "(none)" if isinstance(value, list) else str(value)


@app.command()
def check(file: PolicyArgument) -> None:
    """Check a policy file; what is wrong is one sentence that names the key, and the exit code is 1."""
    with failures(PolicyError):
        content = policy_file.parse(policy_file.read(file), str(file))
    out.print(f"{file} is a valid policy, version {content.version}.", highlight=False)


@app.command()
def show(
    file: Annotated[Path | None, typer.Argument(help="A policy file; otherwise the configured one.")] = None,
    activations: Annotated[
        bool, typer.Option("--activations", help="List the activations on the topic instead, by the time of effect.")
    ] = False,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Show a policy's values by key, or what has been activated."""
    settings = configured(config)
    if activations:
        _show_activations(settings, as_json)
        return
    with failures(PolicyError):
        path = str(file or settings.policy.path)
        values = values_of(policy_file.parse(policy_file.read(path), path or "the packaged policy"))
    if as_json:
        typer.echo(orjson.dumps(values, option=orjson.OPT_INDENT_2))
        return
    table = Table("key", "value", box=None, header_style="bold")
    for key, value in values.items():
        table.add_row(key, shown(value))
    out.print(table)


def _show_activations(settings: Settings, as_json: bool) -> None:
    found = [
        {"effective_at": json_form.iso(json_form.moment_at(order.effective_at)), "version": order.content.version}
        for order in orders.given(settings, POLICY_ACTIVATIONS)
    ]
    if as_json:
        typer.echo(orjson.dumps(found, option=orjson.OPT_INDENT_2))
        return
    for one in found:
        out.print(f"{one['effective_at']}  {one['version']}", highlight=False)
    if not found:
        out.print("Nothing has been activated: the configured policy stands.")


@app.command()
def diff(
    old_or_new: Annotated[
        Path,
        typer.Argument(
            help="The old policy; with no second file, the new one, against the configured policy.",
            exists=True,
            dir_okay=False,
        ),
    ],
    second: Annotated[
        Path | None, typer.Argument(metavar="[NEW]", help="The new policy.", exists=True, dir_okay=False)
    ] = None,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Show what changes from one policy to another: each key with its old and its new value."""
    settings = configured(config)
    with failures(PolicyError):
        new = second or old_or_new
        path = str(old_or_new) if second else settings.policy.path
        before = values_of(policy_file.parse(policy_file.read(path), path or "the packaged policy"))
        after = values_of(policy_file.parse(policy_file.read(new), str(new)))
    changed = {
        key: {"old": before.get(key), "new": after.get(key)}
        for key in [*before, *(key for key in after if key not in before)]
        if before.get(key) != after.get(key)
    }
    if as_json:
        typer.echo(orjson.dumps(changed, option=orjson.OPT_INDENT_2))
        return
    table = Table("key", "old", "new", box=None, header_style="bold")
    for key, sides in changed.items():
        table.add_row(key, *("(not there)" if sides[side] is None else shown(sides[side]) for side in ("old", "new")))
    out.print(table if changed else "The policies are the same.")


@app.command()
def activate(
    file: PolicyArgument,
    by: orders.ByOption,
    at: orders.AtOption = "",
    source: orders.SourceOption = "console",
    out_file: orders.OutOption = None,
    config: ConfigOption = None,
) -> None:
    """Put a policy in force from a moment in event time on; workers and replays use the version of its time."""
    settings = configured(config)
    with failures(PolicyError):
        document = policy_file.read(file)
        content = policy_file.parse(document, str(file))
    moment = orders.moment(at, "--at")
    value = {
        "policy_id": f"{content.version}@{json_form.iso(moment)}",
        "policy_version": content.version,
        "event_time": moment,
        "source": source,
        "activated_by": orders.token(by, "--by"),
        "sha256": hashlib.sha256(document.encode()).hexdigest(),
        "document": document,
    }
    orders.give(settings, POLICY_ACTIVATIONS, value, out_file)
    out.print(f"{content.version} takes effect at {json_form.iso(moment)}.", highlight=False)


@app.command("try")
def try_policy(
    new: PolicyArgument,
    files: FilesArgument,
    base: Annotated[
        Path | None, typer.Option(help="What to compare with; otherwise the configured policy.", exists=True)
    ] = None,
    truth: Annotated[
        Path | None,
        typer.Option(help="The truth about the log, from `loanpulse simulate --truth`.", exists=True),
    ] = None,
    horizon_days: Annotated[int, typer.Option(help="How far ahead an alert may look to be right.", min=1)] = 60,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Replay a log under the present policy and under NEW, and show what would change.

    The present side obeys the activations in the log; NEW stands from the log's first event to its last.
    """
    settings = configured(config)
    with failures(PolicyError, OSError, ValueError):
        present = policy_at(settings, base or settings.policy.path)
        defaults = _defaults(truth) if truth else []
        report, before = _replayed(settings, files, present, obey_activations=True)
        _, after = _replayed(settings, files, policy_at(settings, new), obey_activations=False)
    comparison = compare(before, after)
    judged = {
        name: quality(alerts, defaults, horizon_days) for name, alerts in (("present", before), ("new", after))
    } if truth else {}  # fmt: skip
    if as_json:
        typer.echo(orjson.dumps(_as_json(comparison, judged), option=orjson.OPT_INDENT_2))
    else:
        _print(comparison, judged, report)
    if report.refused:
        raise typer.Exit(FAILURE)


def _defaults(path: Path) -> list[Default]:
    return [
        Default(line.borrower_id, line.first_missed_due_date, line.default_date)
        for line in truths.read(path)
        if isinstance(line, truths.DefaultTruth)
    ]


def _replayed(
    settings: Settings, files: list[Path], policy: policy_file.Policy, *, obey_activations: bool
) -> tuple[ReplayReport, list[Alert]]:
    kinds = tuple(kind for kind in DIRECTIVE_KINDS if obey_activations or kind.topic != POLICY_ACTIVATIONS)
    with (
        tempfile.TemporaryDirectory() as folder,
        Progress(SpinnerColumn(), TextColumn("{task.description}"), console=err, transient=True) as progress,
    ):
        alerts = Path(folder) / "alerts.jsonl"
        task = progress.add_task(f"replaying under {policy.version}")
        report = replay_files(
            files,
            options=engine_options(settings),
            policy=policy,
            registry=LocalRegistry(),
            kinds=kinds,
            alerts=alerts,
            progress=lambda events: progress.update(
                task, description=f"replaying under {policy.version}: {events:,} events"
            ),
        )
        return report, [orjson.loads(line)["value"] for line in alerts.read_bytes().splitlines()]


def _as_json(comparison: Comparison, judged: dict[str, Quality]) -> dict[str, Any]:
    return {
        "added": comparison.added,
        "removed": comparison.removed,
        "kept": comparison.kept,
        "changed": comparison.changed,
        "quality": {
            name: {
                "calls": one.calls, "precision": one.precision, "defaults": one.defaults, "seen": one.seen,
                "lead_days": one.lead_days,
            }
            for name, one in judged.items()
        },
    }  # fmt: skip


def _print(comparison: Comparison, judged: dict[str, Quality], report: ReplayReport) -> None:
    for refused in report.refused[:SHOWN_AT_MOST]:
        err.print(f"{refused.file}:{refused.line}: {refused.code}: {refused.reason}", markup=False, highlight=False)
    for sign, alerts in (("+", comparison.added), ("-", comparison.removed)):
        for alert in alerts[:SHOWN_AT_MOST]:
            out.print(
                f"{sign} {alert['event_time']} {alert['lender_id']} {alert['borrower_id']} {alert['kind']} "
                f"{alert['level_from']} > {alert['level_to']} {alert['disposition']}",
                highlight=False, markup=False, soft_wrap=True,
            )  # fmt: skip
        if len(alerts) > SHOWN_AT_MOST:
            out.print(f"{sign} … and {len(alerts) - SHOWN_AT_MOST:,} more", highlight=False)
    out.print(
        f"{report.events:,} events: {len(comparison.added):,} alerts added, {len(comparison.removed):,} removed, "
        f"{comparison.kept:,} kept, of which {comparison.changed:,} with other advice or disposition",
        highlight=False,
    )
    if not judged:
        return
    table = Table("policy", "calls", "precision", "defaults seen", "lead days (quartiles)", box=None)
    for name, one in judged.items():
        precision = "-" if one.precision is None else f"{one.precision:.2f}"
        lead = "-" if one.lead_days is None else " / ".join(f"{days:.0f}" for days in one.lead_days)
        table.add_row(name, f"{one.calls:,}", precision, f"{one.seen} of {one.defaults}", lead)
    out.print(table)
