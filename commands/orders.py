"""Giving an order: to its topic, or to a file that a replay takes."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer

from loanpulse.commands import topics_admin
from loanpulse.commands.console import USAGE_ERROR, err, fail, failures
from loanpulse.schemas import json_form
from loanpulse.schemas.codec import Codec
from loanpulse.schemas.publisher import Publisher, RefusedEventError
from loanpulse.schemas.registry import RegistryUnavailable, open_registry
from loanpulse.settings import Settings
from loanpulse.settings.broker import producer_properties
from loanpulse.streams.directives.directives import Directive, Directives
from loanpulse.streams.directives.kinds import DIRECTIVE_KINDS
from loanpulse.streams.worker.directive_reader import DirectiveReader, DirectiveTopicsError

AHEAD_SECONDS = 10
"""An order takes effect so long after it is given, unless told otherwise: it reaches every worker before its time."""
EFFECTIVE = {kind.topic: kind.effective for kind in DIRECTIVE_KINDS}
TOKEN = re.compile(r"[!-~]{1,64}")

ByOption = Annotated[
    str, typer.Option("--by", help="Pseudonymous token of the person who gives the order; never a name.")
]
SourceOption = Annotated[str, typer.Option(help="The system or desk that gives the order.")]
AtOption = Annotated[
    str,
    typer.Option(
        "--at", help=f"When it takes effect, in event time: ISO 8601 with its zone; otherwise in {AHEAD_SECONDS} s."
    ),
]
OutOption = Annotated[
    Path | None,
    typer.Option(
        "--out", help="Append it to this JSON Lines file (for `loanpulse replay --controls`) and send nothing."
    ),
]


def token(text: str, option: str) -> str:
    """Return a pseudonymous token, or end the command if it is not one."""
    if not TOKEN.fullmatch(text):
        fail(f"{option} must be 1 to 64 printable ASCII characters without spaces.", USAGE_ERROR)
    return text


def now() -> datetime:
    """Return the present, to the millisecond."""
    return json_form.moment_of(datetime.now(UTC).isoformat())


def moment(text: str, option: str) -> datetime:
    """Return the moment that an option names, soon if it is empty, or end the command if it is none."""
    if not text:
        return now() + timedelta(seconds=AHEAD_SECONDS)
    try:
        return json_form.moment_of(text)
    except ValueError:
        fail(f'{option} {text!r} is not a time with its zone, such as "2026-01-31T08:00:00Z".', USAGE_ERROR)


def given(settings: Settings, topic: str) -> list[Directive]:
    """Return the orders on a control topic (bare name), by their time of effect; ends the command where it can't."""
    controls = Directives(kind for kind in DIRECTIVE_KINDS if kind.topic == topic)
    with failures(topics_admin.BrokerUnreachableError, RegistryUnavailable, DirectiveTopicsError):
        topics_admin.check_topics(settings)
        codec = Codec(open_registry(settings.registry), settings.topics.prefix)
        reader = DirectiveReader(settings, controls, codec, lambda letter: None)
        reader.read_all()
        reader.stop()
    return controls.orders()


def give(settings: Settings, topic: str, value: dict[str, Any], out: Path | None) -> None:
    """Publish one record (native values; bare topic name), or append it to a file; ends the command where it can't."""
    with failures(topics_admin.BrokerUnreachableError, RegistryUnavailable, RefusedEventError, OSError):
        if out is not None:
            with out.open("ab") as file:
                line = {"topic": topic, "value": json_form.to_json(topic, value)}
                file.write(orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE))
            return
        missing = [one.what for one in topics_admin.check_topics(settings) if f"{topic} is missing" in one.what]
        if missing:
            fail(f"{missing[0]}: run `loanpulse topics create` first.")
        with Publisher(
            producer_properties(settings), open_registry(settings.registry), settings.topics.prefix,
            settings.streams.currency,
        ) as publisher:  # fmt: skip
            publisher.publish(topic, value)
        if publisher.failed:
            fail(f"the broker did not take the record: {publisher.last_error}")
    if topic in EFFECTIVE and EFFECTIVE[topic](value) < now():
        err.print(
            "Its time has passed: a partition that has gone beyond it obeys from where it stands, and says so on "
            "order-applications; a replay without these records takes the time stated.",
            soft_wrap=True,
        )
