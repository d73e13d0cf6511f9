"""`loanpulse alerts`: alerts on a console."""

import signal
import threading
from typing import Annotated, Any

import orjson
import typer
from rich.text import Text

from loanpulse.commands import topics_admin
from loanpulse.commands.console import ConfigOption, configured, fail, failures, out
from loanpulse.schemas import events as json_form
from loanpulse.schemas.registry import RegistryUnavailable, open_registry
from loanpulse.schemas.topics import LIQUIDITY_ALERTS
from loanpulse.sinks.alerts_tail import follow_alerts

app = typer.Typer(help="Look at alerts.", no_args_is_help=True)

LEVEL_STYLE = {"AMPLE": "green", "STABLE": "cyan", "WATCH": "yellow", "TENSE": "dark_orange", "CRISIS": "bold red"}


@app.callback()
def alerts() -> None:
    """Look at alerts."""


@app.command()
def tail(
    config: ConfigOption = None,
    lender: Annotated[str, typer.Option(help="Only this lender's alerts.")] = "",
    borrower: Annotated[str, typer.Option(help="Only this borrower's alerts.")] = "",
    from_beginning: Annotated[bool, typer.Option("--from-beginning", help="Begin with the oldest kept.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print each alert as a line of JSON.")] = False,
    limit: Annotated[int, typer.Option(help="End after so many alerts; 0 goes on.", min=0)] = 0,
) -> None:
    """Follow the alerts as they come; Ctrl-C ends.

    Each line tells the time, the lender, the borrower's pseudonym, the change of level, the reasons and the advice.
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
            if alert is None:
                continue
            if as_json:
                typer.echo(orjson.dumps(json_form.to_json(LIQUIDITY_ALERTS, alert)))
            else:
                out.print(line_of(alert), soft_wrap=True)
            shown += 1
            if shown == limit:
                return


def line_of(alert: dict[str, Any]) -> Text:
    """Return an alert as a line for a person."""
    text = Text()
    text.append(f"{alert['event_time']:%Y-%m-%d %H:%M} ", style="dim")
    text.append(f"{alert['lender_id']:<10} {alert['borrower_id']:<16} ")
    text.append(alert["level_from"], style=LEVEL_STYLE.get(alert["level_from"], ""))
    text.append(" > ")
    text.append(f"{alert['level_to']:<7}", style=LEVEL_STYLE.get(alert["level_to"], ""))
    text.append(f" index {alert['lhi']:5.1f}  ")
    text.append("; ".join(reason["text_en"] for reason in alert["reasons"][:3]) or "improved")
    if alert["hard_event"]:
        text.append(f" [{alert['hard_event']}]", style="bold")
    return text
