"""Commands and options under their old names: this version accepts them with a warning, the next one doesn't."""

from collections.abc import Mapping
from typing import Any, ClassVar, TypeVar

from typer.core import TyperGroup

from loanpulse.commands.console import warn

Value = TypeVar("Value")


class GroupWithOldNames(TyperGroup):
    """A group of commands in which an old name still runs its new command."""

    old_names: ClassVar[Mapping[str, tuple[str, ...]]] = {}
    """The words of the new command, by the old name."""
    aliases: ClassVar[Mapping[str, str]] = {}
    """Second names that stay, without a warning."""

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        """Return the command that ``args`` name, and the arguments that are left for it."""
        name = args[0] if args else ""
        if name in self.aliases:
            args = [self.aliases[name], *args[1:]]
        elif name in self.old_names:
            words = self.old_names[name]
            if not ctx.resilient_parsing:
                path = ctx.command_path
                warn(f"`{path} {name}` is now `{path} {' '.join(words)}`; the next version rejects the old name.")
            args = [*words, *args[1:]]
        return super().resolve_command(ctx, args)


def renamed_option(old: str, old_value: Value | None, new: str, new_value: Value | None) -> Value | None:
    """Return an option's value, given under its new name or else under its old one, which is warned about."""
    if old_value is None:
        return new_value
    if new_value is not None:
        warn(f"{old} is ignored: it is the old name of {new}, which is given too.")
        return new_value
    warn(f"{old} is now {new}; the next version rejects the old name.")
    return old_value
