"""The `loanpulse` command.

The module of a command is imported when that command is asked for: a worker or a query need not wait for what only
the trainer and the evaluation load.
"""

from dataclasses import dataclass, field
from importlib import import_module
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from loanpulse import __version__
from loanpulse.commands import extras


@dataclass(frozen=True, slots=True)
class Listed:
    """A command: ``module:function``, or ``module:app`` of a group; its panel in the help; the extra that it needs."""

    place: str
    panel: str
    extra: str
    context: dict[str, Any] = field(default_factory=dict)


COMMANDS = {
    "demo": Listed("demo:demo", "Try it", "demo"),
    "replay": Listed("replay:replay", "Try it", "worker"),
    "backtest": Listed("backtest:backtest", "Try it", "evaluation"),
    "evaluate": Listed("evaluate:app", "Try it", "evaluation"),
    "publish": Listed("publish:publish", "Send events", "publisher"),
    "simulate": Listed("simulate:simulate", "Send events", "publisher"),
    "worker": Listed("worker:worker", "Run", "worker"),
    "trainer": Listed("trainer:trainer", "Run", "trainer"),
    "loader": Listed("loader:loader", "Run", "loader"),
    "topics": Listed("topics:app", "Run", "publisher"),
    "migrate": Listed("loader:migrate", "Run", "loader"),
    "policy": Listed("policy:app", "Operate", "worker"),
    "alerts": Listed("alerts:app", "Look", "publisher"),
    # The parameters of a documented query are options of its own.
    "query": Listed("query:query", "Look", "loader", {"allow_extra_args": True, "ignore_unknown_options": True}),
    "report": Listed("report:report", "Look", "report"),
    "export": Listed("export:export", "Look", "loader"),
    "models": Listed("models:app", "Look", "trainer"),
    "config": Listed("config:config", "Operate", ""),
    "forget": Listed("forget:forget", "Operate", "loader"),
    "doctor": Listed("doctor:doctor", "Operate", "loader"),
}


class Commands(TyperGroup):
    """The commands, each made at its first use."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Return the names in the order of the help."""
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Return a command, None where there is none of the name."""
        # Of a name that is wrong the library proposes the nearest among all.
        for name in (cmd_name,) if cmd_name in COMMANDS else COMMANDS:
            if name not in self.commands:
                self.commands[name] = _made(name, COMMANDS[name])
        return self.commands.get(cmd_name)


def _made(name: str, listed: Listed) -> Any:
    holder = typer.Typer()
    if not extras.is_installed(listed.extra):
        anything = {"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}
        command = extras.placeholder(name, listed.extra)
        holder.command(name, rich_help_panel=listed.panel, context_settings=anything)(command)
        return typer.main.get_group(holder).commands[name]
    module, _, attribute = listed.place.partition(":")
    found = getattr(import_module(f"loanpulse.commands.{module}"), attribute)
    if isinstance(found, typer.Typer):
        holder.add_typer(found, name=name, rich_help_panel=listed.panel)
    else:
        holder.command(name, rich_help_panel=listed.panel, context_settings=listed.context)(found)
    return typer.main.get_group(holder).commands[name]


app = typer.Typer(
    name="loanpulse",
    cls=Commands,
    no_args_is_help=True,
    pretty_exceptions_show_locals=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"loanpulse {__version__}")
        raise typer.Exit


@app.callback()
def loanpulse(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version and exit.", callback=_print_version, is_eager=True)
    ] = False,
) -> None:
    """A streaming monitor of borrowers' liquidity: events in, a Liquidity Health Index and alerts out."""


def main() -> None:
    """Run the command line."""
    try:
        app()
    except ModuleNotFoundError as error:
        # What only some settings need, such as the embedded warehouse, is imported when it is opened.
        extra = extras.extra_of(error.name or "")
        if not extra:
            raise
        typer.echo(extras.sentence(f"{error.name}, which this needs,", extra), err=True)
        raise SystemExit(1) from error
