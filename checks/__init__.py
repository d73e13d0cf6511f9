"""What every indicator, behaviour, table, contract and alert kind owes, as plain functions.

Whoever adds one crosses it with the functions here and is told all that is missing. A check takes the thing itself (and
sample records where it reads them), raises AssertionError with a sentence that says what to do, and changes nothing.
"""

from collections.abc import Callable
from types import ModuleType
from typing import Any

Check = Callable[..., None]


def checks_of(module: ModuleType) -> tuple[Check, ...]:
    """Return the checks that a module of this package defines, in the order in which they are written."""
    found: dict[str, Any] = vars(module)
    return tuple(
        value for name, value in found.items() if name.startswith("check_") and value.__module__ == module.__name__
    )
