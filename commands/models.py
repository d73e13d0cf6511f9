"""`loanpulse models`: list and show model versions, promote one, roll back."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import typer
from confluent_kafka import Producer
from rich.table import Table

from loanpulse.commands import models_explain
from loanpulse.commands.console import USAGE_ERROR, ConfigOption, configured, fail, failures, out, print_table
from loanpulse.commands.model_versions import (
    UnknownVersion,
    Versions,
    find_version,
    opened,
    version_in_force,
)
from loanpulse.schemas import json_form
from loanpulse.schemas.codec import Codec
from loanpulse.schemas.registry import RegistryUnavailable
from loanpulse.schemas.topics import MODEL_SNAPSHOTS, full_name
from loanpulse.settings import Settings
from loanpulse.settings.broker import producer_properties
from loanpulse.streams.indicators.catalogue import INDICATORS
from loanpulse.streams.learning.contract_values import TRAINER
from loanpulse.streams.models.scorecard import Scorecard, WeightsError
from loanpulse.streams.models.served import check_servable, served_from_bytes
from loanpulse.streams.models.versions import IN_FORCE_KEY
from loanpulse.streams.policy.policy_file import PolicyError

app = typer.Typer(no_args_is_help=True, help="List, show and explain model versions; promote one or roll back.")

Version = Annotated[str, typer.Argument(help="The version, as `loanpulse models list` shows it.")]
By = Annotated[str, typer.Option("--by", help="Who decides.")]
Why = Annotated[str, typer.Option("--why", help="The reason; it is published with the version.")]


PROMOTED = "promoted"
PUBLISH_SECONDS = 15.0


app.command("explain")(models_explain.explain)


def _opened(config: Path | None) -> tuple[Settings, Codec, Versions]:
    settings = configured(config)
    with failures(PolicyError, RegistryUnavailable, TimeoutError, OSError):
        return settings, *opened(settings)


@app.command("list")
def list_versions(config: ConfigOption = None) -> None:
    """List the versions, newest last; an asterisk marks the one in force."""
    _, _, versions = _opened(config)
    in_force = version_in_force(versions)
    table = Table()
    for name in ("", "version", "role", "status", "learned up to", "examples", "bytes", "decided by", "reason"):
        table.add_column(name, overflow="fold")
    own = sorted((value for key, value in versions.items() if key != IN_FORCE_KEY), key=lambda one: one["event_time"])
    for value in own:
        table.add_row(
            "*" if value["model_version"] == in_force else "", value["model_version"], value["role"], value["status"],
            json_form.iso(value["event_time"]) if value["examples"] else "-", f"{value['examples']:,}",
            f"{len(value['weights']):,}", value["decided_by"], value["reason"],
        )  # fmt: skip
    print_table(table)
    out.print(f"in force: {in_force}", highlight=False)


@app.command("show")
def show(version: Version, config: ConfigOption = None) -> None:
    """Show one version: its origin, and a champion's weights beside the experts' weights."""
    _, _, versions = _opened(config)
    with failures(UnknownVersion):
        value = find_version(versions, version)
    for name in ("model_version", "parent_version", "role", "status", "decided_by", "reason", "algorithm", "examples",
                 "horizon_days", "sha256"):  # fmt: skip
        out.print(f"{name:16} {value[name]}", markup=False, highlight=False, soft_wrap=True)
    with failures(WeightsError):
        scorecard = served_from_bytes(value["weights"], value["sha256"])
    if not isinstance(scorecard, Scorecard):
        model = scorecard.model
        leaves = sum(int((one.feature < 0).sum()) for one in model.trees)
        out.print(f"{len(model.trees)} trees, {leaves:,} leaves, {model.segments.width} segments", highlight=False)
        return
    out.print(f"{'neutral_log_odds':24} {scorecard.neutral_log_odds:+.4f}", highlight=False)
    experts = {indicator.name: indicator.weight for indicator in INDICATORS}
    for name, weight in zip(scorecard.names, scorecard.weights.tolist(), strict=True):
        out.print(f"{name:24} {weight:7.4f}   experts {experts.get(name, 0.0):.2f}", highlight=False)


@app.command("promote")
def promote(version: Version, by: By, why: Why, config: ConfigOption = None) -> None:
    """Put a version in force regardless of the trainer's guards. --by and --why are recorded.

    A forest stays in force until a person decides again; the trainer continues to publish candidates.
    """
    _decide(version, by, why, config, PROMOTED)


@app.command("rollback")
def rollback(
    by: By,
    why: Why,
    to: Annotated[
        str, typer.Option("--to", help="The version to go back to. Default: the parent of the one in force.")
    ] = "",
    config: ConfigOption = None,
) -> None:
    """Go back to an earlier version. --by and --why are recorded."""
    if not to:
        _, _, versions = _opened(config)
        in_force = versions.get(IN_FORCE_KEY)
        if in_force is None or not in_force["parent_version"]:
            fail("The version in force has no parent; name a version with --to.", USAGE_ERROR)
        to = in_force["parent_version"]
    _decide(to, by, why, config, "rolled back to")


def _after(before: dict[str, Any] | None) -> datetime:
    """Return a decision's effective time: now, or just after the decision it replaces if that one is later."""
    now = datetime.now(UTC)
    if before is None:
        return now
    since: datetime = before["effective_time"] or before["event_time"]
    return max(now, since + timedelta(milliseconds=1))


def _decide(version: str, by: str, why: str, config: Path | None, word: str) -> None:
    if not by.strip() or not why.strip() or by.strip() == TRAINER:
        fail("--by and --why must name a person and a reason; 'trainer' is not a person.", USAGE_ERROR)
    settings, codec, versions = _opened(config)
    with failures(UnknownVersion, WeightsError):
        value = find_version(versions, version)
        check_servable(served_from_bytes(value["weights"], value["sha256"]))
    before = versions.get(IN_FORCE_KEY)
    now = _after(before)
    decided = {
        **value, "status": "IN_FORCE", "role": "CHAMPION", "decided_by": by, "reason": f"{word}: {why}",
        "effective_time": now,
    }  # fmt: skip
    if word == PROMOTED:
        # `rollback` goes back to this version: the parent of a forest is a candidate that may never have been in force.
        decided["parent_version"] = version_in_force({} if before is None else {IN_FORCE_KEY: before})
    records = [(IN_FORCE_KEY, decided), (f"{value['model_id']}/{version}", decided)]
    if before is not None and before["model_version"] != version:
        retired = {**before, "status": "RETIRED", "reason": f"{version} {word} by {by}"}
        records.append((f"{before['model_id']}/{before['model_version']}", retired))
    topic = full_name(MODEL_SNAPSHOTS, settings.topics.prefix)
    producer = Producer(producer_properties(settings))
    for key, record in records:
        producer.produce(topic, key=key.encode(), value=codec.encode(topic, record))
    if producer.flush(PUBLISH_SECONDS):
        fail("The broker did not confirm the decision in time, but may have stored it: run `loanpulse models list`.")
    out.print(f"{version} {word} by {by}", markup=False, highlight=False)
