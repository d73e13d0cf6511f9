"""Shared by all commands: console, configuration, logs, and how an error ends a command."""

import logging
import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, NoReturn

import structlog
import typer
from rich.console import Console
from rich.table import Table

from loanpulse.settings import Loaded, Settings, SettingsError, load_with_origins

# Without emoji=False rich would render a file name with a line number, such as events:100:, as an emoji.
out = Console(emoji=False)
err = Console(stderr=True, emoji=False)

USAGE_ERROR, FAILURE = 2, 1
PIPED_WIDTH = 100_000
"""Maximum width (columns) of a table that is written to a file or a pipe."""

ConfigOption = Annotated[
    Path | None,
    typer.Option("--config", "-c", help="The configuration file. Default: LOANPULSE_CONFIG or ./loanpulse.toml."),
]


def print_table(table: Table) -> None:
    """Print a table: fitted to the terminal, or at full width if the output is piped."""
    if out.is_terminal:
        out.print(table)
        return
    wide = Console(width=PIPED_WIDTH, emoji=False)
    Console(width=max(wide.measure(table).maximum, 1), emoji=False).print(table)


def loaded(path: Path | None) -> Loaded:
    """Return the configuration; print a warning for each old key; end the command if the configuration is invalid."""
    try:
        found = load_with_origins(path)
    except SettingsError as error:
        fail(str(error), USAGE_ERROR)
    for warning in found.warnings:
        warn(warning)
    return found


def configured(path: Path | None) -> Settings:
    """Return the configuration, after setting up logs by it."""
    settings = loaded(path).settings
    set_up_logs(settings)
    return settings


def fail(message: str, code: int = FAILURE) -> NoReturn:
    """End the command with a message on standard error."""
    err.print(message, style="red" if err.is_terminal else None, markup=False, highlight=False, soft_wrap=True)
    raise typer.Exit(code)


def warn(message: str) -> None:
    """Print a warning on standard error and go on."""
    text = f"Warning: {message}"
    err.print(text, style="yellow" if err.is_terminal else None, markup=False, highlight=False, soft_wrap=True)


def set_up_logs(settings: Settings) -> None:
    """Send logs to standard error, at the configured level and in the configured format."""
    level = getattr(logging, settings.logging.level.upper())
    as_json = settings.logging.format == "json"
    renderer = (
        structlog.processors.JSONRenderer()
        if as_json
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty() and "NO_COLOR" not in os.environ)
    )
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(level),
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            renderer,
        ],
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )


@contextmanager
def failures(*kinds: type[Exception]) -> Iterator[None]:
    """End the command with the error's text if one of ``kinds`` is raised."""
    try:
        yield
    except kinds as error:
        fail(_sentence(error))


def _sentence(error: Exception) -> str:
    if isinstance(error, OSError) and error.filename is not None and error.strerror:
        return f"{error.filename} can't be opened: {error.strerror}."
    return str(error)


def spare_inputs(inputs: Iterable[Path | None], *outputs: Path | None) -> None:
    """End the command if an output would overwrite an input or another output."""
    used = {file.resolve() for file in inputs if file is not None}
    for file in outputs:
        if file is None or (file.exists() and not file.is_file()):
            continue  # such as /dev/null, which may be given twice
        if file.resolve() in used:
            fail(f"{file} is another file of this command and would be overwritten; choose another file.", USAGE_ERROR)
        used.add(file.resolve())
