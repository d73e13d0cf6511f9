"""The `loanpulse` command.

The module of a command is imported when that command is asked for: a worker or a query need not wait for what only
the trainer and the evaluation load.
"""

from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperGroup


@dataclass(frozen=True, slots=True)
class Listed:
    """Where a command is (``module:function``, or ``module:app`` of a group of commands) and its place in the help."""

    place: str
    panel: str
    context: dict[str, Any] = field(default_factory=dict)


COMMANDS = {
    "demo": Listed("demo:demo", "Try it"),
    "replay": Listed("replay:replay", "Try it"),
    "backtest": Listed("backtest:backtest", "Try it"),
    "evaluate": Listed("evaluate:app", "Try it"),
    "publish": Listed("publish:publish", "Send events"),
    "simulate": Listed("simulate:simulate", "Send events"),
    "worker": Listed("worker:worker", "Run"),
    "trainer": Listed("trainer:trainer", "Run"),
    "loader": Listed("loader:loader", "Run"),
    "topics": Listed("topics:app", "Run"),
    "migrate": Listed("loader:migrate", "Run"),
    "policy": Listed("policy:app", "Operate"),
    "alerts": Listed("alerts:app", "Look"),
    # The parameters of a documented query are options of its own.
    "query": Listed("query:query", "Look", {"allow_extra_args": True, "ignore_unknown_options": True}),
    "report": Listed("report:report", "Look"),
    "export": Listed("export:export", "Look"),
    "models": Listed("models:app", "Look"),
    "config": Listed("config:config", "Operate"),
    "forget": Listed("forget:forget", "Operate"),
    "doctor": Listed("doctor:doctor", "Operate"),
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
    module, _, attribute = listed.place.partition(":")
    found = getattr(import_module(f"loanpulse.commands.{module}"), attribute)
    holder = typer.Typer()
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


@app.callback()
def loanpulse() -> None:
    """A streaming monitor of borrowers' liquidity: events in, a Liquidity Health Index and alerts out."""


def main() -> None:
    """Run the command line."""
    app()
