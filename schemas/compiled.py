"""The one decorator by which plain functions of the hot path run compiled.

The source stays ordinary Python: with ``NUMBA_DISABLE_JIT=1`` the same functions run interpreted, which is
how a person steps through them and how a test holds both forms equal.
"""

from collections.abc import Callable
from typing import ParamSpec, TypeVar

import numba

P = ParamSpec("P")
R = TypeVar("R")


def compiled(function: Callable[P, R]) -> Callable[P, R]:
    """Compile ``function`` at its first call and keep the machine code on disk for the next process."""
    fast: Callable[P, R] = numba.njit(cache=True, nogil=True, error_model="numpy")(function)
    return fast
