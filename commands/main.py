"""The `loanpulse` command.

A command's module is imported when the command is used, so that a worker or a query doesn't load the libraries of the
trainer and the evaluation.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import Annotated, Any, ClassVar

import typer

from loanpulse import __version__
from loanpulse.commands import extras
from loanpulse.commands.old_names import GroupWithOldNames


@dataclass(frozen=True, slots=True)
class Listed:
    """A command: ``module:function``, or ``module:app`` of a group; its panel in the help; the extra that it needs."""

    location: str
    panel: str
    extra: str
    context: dict[str, Any] = field(default_factory=dict)


COMMANDS = {
    "demo": Listed("demo:demo", "Try it", "demo"),
    "replay": Listed("replay:replay", "Run over files", "worker"),
    "backtest": Listed("backtest:backtest", "Run over files", "evaluation"),
    "evaluate": Listed("evaluate:app", "Judge", "evaluation"),
    "publish": Listed("publish:publish", "Send events", "publisher"),
    "simulate": Listed("simulate:simulate", "Send events", "publisher"),
    "worker": Listed("worker:worker", "Run", "worker"),
    "trainer": Listed("trainer:trainer", "Run", "trainer"),
    "load": Listed("load:load", "Run", "loader"),
    "topics": Listed("topics:app", "Operate", "publisher"),
    "warehouse": Listed("warehouse:app", "Operate", "loader"),
    "policy": Listed("policy:app", "Operate", "worker"),
    "config": Listed("config:config", "Operate", ""),
    "forget": Listed("forget:forget", "Operate", "loader"),
    "doctor": Listed("doctor:doctor", "Operate", "loader"),
    "alerts": Listed("alerts:app", "Look", "publisher"),
    # Options of this command that it doesn't declare are parameters of the documented query.
    "query": Listed("query:query", "Look", "loader", {"allow_extra_args": True, "ignore_unknown_options": True}),
    "report": Listed("report:report", "Look", "report"),
    "export": Listed("export:export", "Look", "loader"),
    "models": Listed("models:app", "Look", "trainer"),
}


class Commands(GroupWithOldNames):
    """The commands; each is imported at its first use."""

    old_names: ClassVar[Mapping[str, tuple[str, ...]]] = {"loader": ("load",), "migrate": ("warehouse", "migrate")}
    aliases: ClassVar[Mapping[str, str]] = {"erase": "forget"}

    def list_commands(self, ctx: Any) -> list[str]:
        """Return the names in the order of the help."""
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Return a command, None if there is none of this name."""
        # For an unknown name the library suggests the nearest of all commands, so all have to be made.
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
    module, _, attribute = listed.location.partition(":")
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
        # Some libraries are imported only when a setting needs them, such as the embedded warehouse.
        extra = extras.extra_of(error.name or "")
        if not extra:
            raise
        typer.echo(extras.sentence(f"{error.name}, which this needs,", extra), err=True)
        raise SystemExit(1) from error
