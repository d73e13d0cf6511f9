"""`loanpulse policy`: check, show and diff policies, compare their effect on a log, activate one."""

import hashlib
import json
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar

import orjson
import typer
from rich.progress import Progress, SpinnerColumn, TextColumn
from rich.table import Table

from loanpulse.city.truth import DefaultTruth, read
from loanpulse.commands import directives
from loanpulse.commands.console import FAILURE, ConfigOption, configured, err, failures, out
from loanpulse.commands.old_names import GroupWithOldNames
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


class PolicyCommands(GroupWithOldNames):
    """The commands of `loanpulse policy`."""

    old_names: ClassVar[Mapping[str, tuple[str, ...]]] = {"try": ("compare",)}


app = typer.Typer(cls=PolicyCommands, help="Check, show, compare and activate policies.", no_args_is_help=True)

PolicyArgument = Annotated[Path, typer.Argument(help="A policy file (TOML).", exists=True, dir_okay=False)]
FilesArgument = Annotated[
    list[Path], typer.Argument(help="JSON Lines files of events and directives.", exists=True, dir_okay=False)
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]


def values_of(file: PolicyFile) -> dict[str, Any]:
    """Return a policy's values by dotted key, in the order of the file."""
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
    """Return a value as text for people."""
    return ", ".join(map(str, value)) or "(none)" if isinstance(value, list) else str(value)


@app.command()
def check(file: PolicyArgument) -> None:
    """Check a policy file. An error is one sentence that names the key; the exit code is then 1."""
    with failures(PolicyError):
        content = policy_file.parse(policy_file.read(file), str(file))
    out.print(f"{file} is a valid policy, version {content.version}.", highlight=False)


@app.command()
def show(
    file: Annotated[Path | None, typer.Argument(help="A policy file. Default: the configured one.")] = None,
    activations: Annotated[
        bool, typer.Option("--activations", help="List the published activations instead, sorted by effective time.")
    ] = False,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Show a policy's values by key, or the published activations."""
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
        {
            "effective_at": json_form.iso(json_form.time_at(directive.effective_at)),
            "version": directive.content.version,
        }
        for directive in directives.published(settings, POLICY_ACTIVATIONS)
    ]
    if as_json:
        typer.echo(orjson.dumps(found, option=orjson.OPT_INDENT_2))
        return
    for one in found:
        out.print(f"{one['effective_at']}  {one['version']}", highlight=False)
    if not found:
        out.print("No activation has been published: the configured policy is in force.")


@app.command()
def diff(
    old_or_new: Annotated[
        Path,
        typer.Argument(
            help="The old policy. With one file: the new policy, to be compared with the configured one.",
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
    """Show the keys that differ between two policies, with their old and new values."""
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
        table.add_row(key, *("(not set)" if sides[side] is None else shown(sides[side]) for side in ("old", "new")))
    out.print(table if changed else "The policies are the same.")


@app.command()
def activate(
    file: PolicyArgument,
    by: directives.ByOption,
    at: directives.AtOption = "",
    source: directives.SourceOption = "console",
    out_file: directives.OutOption = None,
    config: ConfigOption = None,
) -> None:
    """Put a policy in force from an event time on; each scoring uses the version in force at its event time."""
    settings = configured(config)
    with failures(PolicyError):
        document = policy_file.read(file)
        content = policy_file.parse(document, str(file))
    effective_at = directives.time_of(at, "--at")
    value = {
        "policy_id": f"{content.version}@{json_form.iso(effective_at)}",
        "policy_version": content.version,
        "event_time": effective_at,
        "source": source,
        "activated_by": directives.token(by, "--by"),
        "sha256": hashlib.sha256(document.encode()).hexdigest(),
        "document": document,
    }
    directives.send(settings, POLICY_ACTIVATIONS, value, out_file)
    out.print(f"{content.version} takes effect at {json_form.iso(effective_at)}.", highlight=False)


@app.command("compare", rich_help_panel="Run over files")
def compare_policies(
    new: PolicyArgument,
    files: FilesArgument,
    base: Annotated[
        Path | None, typer.Option(help="The policy to compare with. Default: the configured one.", exists=True)
    ] = None,
    truth: Annotated[
        Path | None,
        typer.Option(help="The log's true defaults, as `loanpulse simulate --truth` writes them.", exists=True),
    ] = None,
    horizon_days: Annotated[
        int, typer.Option(help="An alert is right if the default follows within this many days.", min=1)
    ] = 60,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Replay a log under the present policy and under NEW, and show the alerts that differ.

    The present side applies the activations in the log; NEW is in force for the whole log.
    """
    settings = configured(config)
    with failures(PolicyError, OSError, ValueError):
        present = policy_at(settings, base or settings.policy.path)
        defaults = _defaults(truth) if truth else []
        report, before = _replayed(settings, files, present, apply_activations=True)
        _, after = _replayed(settings, files, policy_at(settings, new), apply_activations=False)
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
        for line in read(path)
        if isinstance(line, DefaultTruth)
    ]


def _replayed(
    settings: Settings, files: list[Path], policy: policy_file.Policy, *, apply_activations: bool
) -> tuple[ReplayReport, list[Alert]]:
    kinds = tuple(kind for kind in DIRECTIVE_KINDS if apply_activations or kind.topic != POLICY_ACTIVATIONS)
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
