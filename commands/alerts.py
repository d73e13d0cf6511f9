"""`loanpulse alerts`: follow alerts, suppress them, report their outcomes."""

import signal
import threading
import time
import uuid
from datetime import timedelta
from enum import Enum
from typing import Annotated, Any

import orjson
import typer
from rich.text import Text

from loanpulse.commands import directives, topics_admin
from loanpulse.commands.console import USAGE_ERROR, ConfigOption, configured, fail, failures, out
from loanpulse.schemas import json_form
from loanpulse.schemas.confluent_registry import open_registry
from loanpulse.schemas.contracts import AlertDisposition, AlertKind, FeedbackOutcome, SuppressionReason
from loanpulse.schemas.registry import RegistryUnavailable
from loanpulse.schemas.topics import ALERT_FEEDBACK, LIQUIDITY_ALERTS, SUPPRESSIONS
from loanpulse.settings import Settings
from loanpulse.sinks.alerts_tail import follow_alerts

app = typer.Typer(help="Follow alerts, suppress them, report their outcomes.", no_args_is_help=True)

QUIET_SECONDS = 2.0

Kind = Enum("Kind", {kind.name: kind.name for kind in AlertKind if kind is not AlertKind.UNKNOWN})  # type: ignore[misc]
Reason = Enum(  # type: ignore[misc]
    "Reason", {one.name: one.name for one in SuppressionReason if one is not SuppressionReason.UNKNOWN}
)
Outcome = Enum(  # type: ignore[misc]
    "Outcome", {one.name: one.name for one in FeedbackOutcome if one is not FeedbackOutcome.UNKNOWN}
)

LEVEL_STYLE = {"AMPLE": "green", "STABLE": "cyan", "WATCH": "yellow", "TENSE": "dark_orange", "CRISIS": "bold red"}


@app.callback()
def alerts() -> None:
    """Follow alerts, suppress them, report their outcomes."""


@app.command()
def tail(
    config: ConfigOption = None,
    lender: Annotated[str, typer.Option(help="Only this lender's alerts.")] = "",
    borrower: Annotated[str, typer.Option(help="Only this borrower's alerts.")] = "",
    everything: Annotated[
        bool, typer.Option("--all", help="Include deferred, suppressed and held-out alerts.")
    ] = False,
    from_beginning: Annotated[
        bool, typer.Option("--from-beginning", help="Start with the oldest retained alert.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print each alert as a line of JSON.")] = False,
    limit: Annotated[int, typer.Option(help="Stop after this many alerts; 0 never stops.", min=0)] = 0,
) -> None:
    """Print alerts as they are published, until Ctrl-C.

    Each line has the time, the lender, the borrower's pseudonym, the change of level, the reasons and the advice.
    """
    settings = configured(config)
    stop = threading.Event()
    signal.signal(signal.SIGINT, lambda _number, _frame: stop.set())
    with failures(topics_admin.BrokerUnreachableError, RegistryUnavailable):
        if any(LIQUIDITY_ALERTS in p.what and "missing" in p.what for p in topics_admin.check_topics(settings)):
            fail("topic liquidity-alerts is missing: run `loanpulse topics create` first.")
        shown = 0
        for alert in follow_alerts(
            settings,
            open_registry(settings.registry),
            stop=stop,
            from_beginning=from_beginning,
            lender_id=lender,
            borrower_id=borrower,
        ):
            if alert is None or not (everything or alert["disposition"] == AlertDisposition.SENT.name):
                continue
            if as_json:
                typer.echo(orjson.dumps(json_form.to_json(LIQUIDITY_ALERTS, alert)))
            else:
                out.print(line_of(alert), soft_wrap=True)
            shown += 1
            if shown == limit:
                return


LEVEL_KINDS = (AlertKind.LEVEL_WORSENED.name, AlertKind.LEVEL_IMPROVED.name)


def line_of(alert: dict[str, Any]) -> Text:
    """Return an alert as a line of text."""
    text = Text()
    text.append(f"{alert['event_time']:%Y-%m-%d %H:%M} ", style="dim")
    text.append(f"{alert['lender_id']:<10} {alert['borrower_id']:<16} ")
    if alert["kind"] in LEVEL_KINDS:
        text.append(alert["level_from"], style=LEVEL_STYLE.get(alert["level_from"], ""))
        text.append(" > ")
        text.append(f"{alert['level_to']:<7}", style=LEVEL_STYLE.get(alert["level_to"], ""))
    else:
        text.append(f"{alert['kind']:<16}", style=LEVEL_STYLE.get(alert["level_to"], ""))
    text.append(f" index {alert['lhi']:5.1f}  ")
    text.append("; ".join(reason["text_en"] for reason in alert["reasons"][:3]) or "improved")
    if alert["help"]:
        text.append(f" ({alert['help']['text_en']})")
    if alert["disposition"] != AlertDisposition.SENT.name:
        text.append(f" {alert['disposition']}", style="dim")
    if alert["hard_event"]:
        text.append(f" [{alert['hard_event']}]", style="bold")
    return text


@app.command()
def suppress(
    borrower: Annotated[str, typer.Argument(help="The borrower's pseudonym.")],
    reason: Annotated[Reason, typer.Option(help="The reason.", case_sensitive=False)],
    by: directives.ByOption,
    until: Annotated[str, typer.Option(help="When it ends (ISO 8601 with offset). Default: when lifted.")] = "",
    days: Annotated[
        float, typer.Option(help="How many days it lasts, instead of --until; 0: until lifted.", min=0)
    ] = 0.0,
    kind: Annotated[Kind | None, typer.Option(help="Only this kind of alert.", case_sensitive=False)] = None,
    lender: Annotated[str, typer.Option(help="Only alerts to this lender.")] = "",
    at: directives.AtOption = "",
    source: directives.SourceOption = "console",
    out_file: directives.OutOption = None,
    config: ConfigOption = None,
) -> None:
    """Suppress alerts about a borrower. They are still published, with disposition SUPPRESSED; scoring continues.

    Prints the suppression's id; `loanpulse alerts lift` needs it.
    """
    settings = configured(config)
    begins = directives.time_of(at, "--at")
    ends = directives.time_of(until, "--until") if until else begins + timedelta(days=days) if days else None
    if until and days:
        fail("give --until or --days, not both.", USAGE_ERROR)
    if ends is not None and ends <= begins:
        fail("--until must be later than --at.", USAGE_ERROR)
    value = {
        "suppression_id": str(uuid.uuid4()),
        "borrower_id": directives.token(borrower, "BORROWER"),
        "event_time": begins,
        "source": source,
        "lender_id": lender or None,
        "kind": kind.value if kind else None,
        "until": ends,
        "reason": reason.value,
        "ordered_by": directives.token(by, "--by"),
        "lifted": False,
    }
    directives.send(settings, SUPPRESSIONS, value, out_file)
    typer.echo(value["suppression_id"])


@app.command()
def lift(
    suppression_id: Annotated[str, typer.Argument(help="The suppression's id.")],
    borrower: Annotated[str, typer.Argument(help="The borrower's pseudonym.")],
    by: directives.ByOption,
    at: directives.AtOption = "",
    source: directives.SourceOption = "console",
    out_file: directives.OutOption = None,
    config: ConfigOption = None,
) -> None:
    """Lift a suppression."""
    settings = configured(config)
    effective_at = directives.time_of(at, "--at")
    if out_file is None:
        known = {
            (directive.content["suppression_id"], directive.content["borrower_id"])
            for directive in directives.published(settings, SUPPRESSIONS)
        }
        if (suppression_id, borrower) not in known:
            fail(
                f"topic suppressions has no suppression {suppression_id} of this borrower: give the id as "
                "`loanpulse alerts suppress` printed it."
            )
    value = {
        "suppression_id": suppression_id,
        "borrower_id": directives.token(borrower, "BORROWER"),
        "event_time": effective_at,
        "source": source,
        "lender_id": None,
        "kind": None,
        "until": None,
        "reason": SuppressionReason.OTHER.name,
        "ordered_by": directives.token(by, "--by"),
        "lifted": True,
    }
    directives.send(settings, SUPPRESSIONS, value, out_file)
    out.print(f"{suppression_id} is lifted from {json_form.iso(effective_at)} on.", highlight=False)


@app.command()
def feedback(
    alert_id: Annotated[str, typer.Argument(help="The alert's id.")],
    outcome: Annotated[Outcome, typer.Argument(help="The outcome.", case_sensitive=False)],
    by: Annotated[str, typer.Option("--by", help="Pseudonymous token of the person who reports; never a name.")] = "",
    at: Annotated[str, typer.Option(help="When it became known (ISO 8601 with offset). Default: now.")] = "",
    source: Annotated[str, typer.Option(help="The system or desk that reports.")] = "console",
    out_file: directives.OutOption = None,
    config: ConfigOption = None,
) -> None:
    """Report the outcome of an alert. The alert must still be on topic liquidity-alerts."""
    settings = configured(config)
    with failures(topics_admin.BrokerUnreachableError, RegistryUnavailable):
        topics_admin.check_topics(settings)
        alert = _find(settings, alert_id)
    if alert is None:
        fail(f"topic liquidity-alerts has no alert {alert_id} (kept for {settings.topics.retention_days:g} days).")
    value = {
        "feedback_id": str(uuid.uuid4()),
        "borrower_id": alert["borrower_id"],
        "event_time": directives.time_of(at, "--at") if at else directives.now(),
        "source": source,
        "lender_id": alert["lender_id"],
        "alert_id": alert_id,
        "episode_id": alert["episode_id"],
        "outcome": outcome.value,
        "reported_by": directives.token(by, "--by") if by else None,
    }
    directives.send(settings, ALERT_FEEDBACK, value, out_file)
    typer.echo(value["feedback_id"])


def _find(settings: Settings, alert_id: str) -> dict[str, Any] | None:
    """Return the alert with an id; read the topic from its beginning until nothing arrives for ``QUIET_SECONDS``."""
    stop = threading.Event()
    last = time.monotonic()
    for alert in follow_alerts(settings, open_registry(settings.registry), stop=stop, from_beginning=True):
        if alert is not None:
            last = time.monotonic()
            if alert["alert_id"] == alert_id:
                return alert
        elif time.monotonic() - last > QUIET_SECONDS:
            return None
    return None
