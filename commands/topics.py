"""`loanpulse topics`: create, register, list and read the topics."""

import sys
from collections.abc import Mapping
from contextlib import nullcontext
from itertools import chain, islice
from pathlib import Path
from typing import Annotated, ClassVar

import orjson
import typer
from rich.table import Table

from loanpulse.broker.read_to_end import TopicMissingError
from loanpulse.commands import topics_admin
from loanpulse.commands.console import ConfigOption, configured, err, failures, out, print_table
from loanpulse.commands.old_names import GroupWithOldNames
from loanpulse.commands.topic_lines import lines
from loanpulse.schemas import contracts
from loanpulse.schemas.codec import Codec
from loanpulse.schemas.confluent_registry import open_registry
from loanpulse.schemas.registry import RegistryUnavailable, UnknownSchema
from loanpulse.schemas.topics import (
    EVENT_TOPICS,
    MODEL_SNAPSHOTS,
    ORDER_APPLICATIONS,
    POLICY_ACTIVATIONS,
    SUPPRESSIONS,
    TOPICS,
    UnknownTopic,
)

REPLAYED = (*EVENT_TOPICS, POLICY_ACTIVATIONS, SUPPRESSIONS, MODEL_SNAPSHOTS, ORDER_APPLICATIONS)
"""The topics that a replay needs."""
PROGRESS_EVERY = 5_000


class TopicsCommands(GroupWithOldNames):
    """The commands of `loanpulse topics`."""

    old_names: ClassVar[Mapping[str, tuple[str, ...]]] = {"read": ("dump",)}


app = typer.Typer(cls=TopicsCommands, help="Create, list and read the topics of this deployment.", no_args_is_help=True)


@app.command()
def create(config: ConfigOption = None) -> None:
    """Create the missing topics; existing ones are not changed."""
    settings = configured(config)
    with failures(topics_admin.BrokerUnreachableError):
        for name, created in topics_admin.create_topics(settings).items():
            out.print(f"{'created' if created else 'present':8} {name}", highlight=False)


@app.command()
def register(config: ConfigOption = None) -> None:
    """Register the contracts with the schema registry, under BACKWARD_TRANSITIVE compatibility."""
    settings = configured(config)
    if not settings.registry.url:
        out.print("No schema registry is configured (registry.url is empty): schema ids come from the contracts.")
        return
    with failures(RegistryUnavailable, UnknownSchema):
        registry = open_registry(settings.registry)
        for topic in TOPICS:
            if topic.contract is not None:
                subject = settings.topics.prefix + topic.subject
                schema_id = registry.register(subject, contracts.load(topic.contract))
                out.print(f"{schema_id:>8} {subject}", highlight=False)


@app.command()
def dump(
    topics: Annotated[
        list[str] | None,
        typer.Argument(
            help="Topics, without the prefix. Default: all that a replay needs, which are events, directives and the "
            "times at which each partition applied them.",
            show_default=False,
        ),
    ] = None,
    into: Annotated[
        Path | None, typer.Option("--out", "-o", help="The file to write. Default: standard output.")
    ] = None,
    config: ConfigOption = None,
) -> None:
    """Write whole topics as JSON Lines, in the form that publish and replay read.

    `loanpulse topics dump -o log.jsonl && loanpulse replay log.jsonl` reproduces the workers' snapshots and alerts.
    """
    settings = configured(config)
    count = without_value = 0
    with (
        failures(topics_admin.BrokerUnreachableError, TopicMissingError, UnknownTopic, RegistryUnavailable, OSError),
        err.status("reading …") if err.is_terminal else nullcontext() as status,
    ):
        codec = Codec(open_registry(settings.registry), settings.topics.prefix)
        found = lines(settings, codec, topics or REPLAYED)
        # Read the first record before the file is opened: an error must not overwrite an existing file.
        first = list(islice(found, 1))
        with into.open("wb") if into else nullcontext(sys.stdout.buffer) as file:
            for count, line in enumerate(chain(first, found), start=1):
                if line is None:
                    without_value += 1
                else:
                    file.write(orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE))
                if status is not None and count % PROGRESS_EVERY == 0:
                    status.update(f"reading … {count:,} records")
            file.flush()
    summary = f"{count - without_value:,} records read"
    if without_value:
        summary += f"; {without_value:,} without a value skipped: tombstones and forget requests"
    err.print(summary + ".", highlight=False, soft_wrap=True)


@app.command("list")
def list_topics(config: ConfigOption = None) -> None:
    """List the topics: key, contract, partitions, cleanup policy, content."""
    settings = configured(config)
    table = Table("topic", "key", "contract", "partitions", "kept", "carries", box=None, header_style="bold")
    with failures(topics_admin.BrokerUnreachableError):
        for topic, partitions in topics_admin.describe_topics(settings):
            table.add_row(
                topic.name,
                topic.key,
                topic.contract.value if topic.contract else "-",
                "missing" if partitions is None else str(partitions),
                topic.cleanup_policy,
                topic.carries,
            )
    print_table(table)
