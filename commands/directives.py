"""Send a directive to its topic, or append it to a file for a replay."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer

from loanpulse.commands import topics_admin
from loanpulse.commands.console import USAGE_ERROR, fail, failures, warn
from loanpulse.schemas import json_form
from loanpulse.schemas.codec import Codec
from loanpulse.schemas.confluent_registry import open_registry
from loanpulse.schemas.publisher import Publisher, RefusedEventError
from loanpulse.schemas.registry import RegistryUnavailable
from loanpulse.settings import Settings
from loanpulse.settings.broker import producer_properties
from loanpulse.streams.directives.directives import Directive, Directives
from loanpulse.streams.directives.kinds import DIRECTIVE_KINDS
from loanpulse.streams.worker.directive_reader import DirectiveReader, DirectiveTopicsError

AHEAD_SECONDS = 10
"""Default delay until a directive takes effect, so that it reaches every worker before its effective time."""
EFFECTIVE_TIME = {kind.topic: kind.effective for kind in DIRECTIVE_KINDS}
TOKEN = re.compile(r"[!-~]{1,64}")

ByOption = Annotated[str, typer.Option("--by", help="Pseudonymous token of the person who decides; never a name.")]
SourceOption = Annotated[str, typer.Option(help="The system or desk that sends the directive.")]
AtOption = Annotated[
    str,
    typer.Option(
        "--at", help=f"Event time at which it takes effect (ISO 8601 with offset). Default: {AHEAD_SECONDS} s from now."
    ),
]
OutOption = Annotated[
    Path | None,
    typer.Option(
        "--out", help="Append it to this JSON Lines file (for `loanpulse replay --directives`) instead of sending it."
    ),
]


def token(text: str, option: str) -> str:
    """Return a pseudonymous token; end the command if the text is not one."""
    if not TOKEN.fullmatch(text):
        fail(f"{option} must be 1 to 64 printable ASCII characters without spaces.", USAGE_ERROR)
    return text


def now() -> datetime:
    """Return the present time, to the millisecond."""
    return json_form.parse_time(datetime.now(UTC).isoformat())


def time_of(text: str, option: str) -> datetime:
    """Return the time given by an option, ``AHEAD_SECONDS`` from now if empty; end the command if it is invalid."""
    if not text:
        return now() + timedelta(seconds=AHEAD_SECONDS)
    try:
        return json_form.parse_time(text)
    except ValueError:
        fail(f'{option} {text!r} is not a time with an offset, such as "2026-01-31T08:00:00Z".', USAGE_ERROR)


def published(settings: Settings, topic: str) -> list[Directive]:
    """Return the directives on a topic (bare name), sorted by effective time; end the command if it can't be read."""
    found = Directives(kind for kind in DIRECTIVE_KINDS if kind.topic == topic)
    with failures(topics_admin.BrokerUnreachableError, RegistryUnavailable, DirectiveTopicsError):
        topics_admin.check_topics(settings)
        codec = Codec(open_registry(settings.registry), settings.topics.prefix)
        reader = DirectiveReader(settings, found, codec, lambda letter: None)
        reader.read_all()
        reader.stop()
    return found.known()


def send(settings: Settings, topic: str, value: dict[str, Any], out: Path | None) -> None:
    """Publish one record (native values; bare topic name) or append it to a file; end the command if that fails."""
    with failures(topics_admin.BrokerUnreachableError, RegistryUnavailable, RefusedEventError, OSError):
        if out is not None:
            with out.open("ab") as file:
                line = {"topic": topic, "value": json_form.to_json(topic, value)}
                file.write(orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE))
            return
        for problem in topics_admin.check_topics(settings):
            if f"{topic} is missing" in problem.what:
                fail(f"{problem.what}: run `loanpulse topics create` first.")
        with Publisher(
            producer_properties(settings), open_registry(settings.registry), settings.topics.prefix,
            settings.streams.currency,
        ) as publisher:  # fmt: skip
            publisher.publish(topic, value)
        if publisher.failed:
            fail(f"the broker did not accept the record: {publisher.last_error}")
    if topic in EFFECTIVE_TIME and EFFECTIVE_TIME[topic](value) < now():
        warn(
            "the effective time is in the past. Each partition applies the directive from its current event time and "
            "records that time on order-applications. A replay needs those records to give the same results."
        )
