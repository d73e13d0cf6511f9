"""The one decorator by which plain functions of the hot path run compiled.

The source stays ordinary Python: with ``NUMBA_DISABLE_JIT=1`` the same functions run interpreted, which is
how a person steps through them and how a test holds both forms equal.

Machine code is kept on disk for the next process, under ``NUMBA_CACHE_DIR`` or the user's cache folder, in a folder
of its own for each state of the sources: numba itself looks at a function's own file only, and would go on running
old code of the functions that it calls.
"""

import hashlib
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import ParamSpec, TypeVar

import numpy as np

import loanpulse

try:
    import numba
except ModuleNotFoundError:  # a lender who only publishes checks a file's events interpreted
    numba = None

P = ParamSpec("P")
R = TypeVar("R")


DECORATOR = b"@compiled\n"


def fingerprint() -> str:
    """Return a digest of every package that holds compiled functions: it changes with any of their source files."""
    digest = hashlib.sha256(numba.__version__.encode())
    for package in sorted(Path(loanpulse.__file__).parent.iterdir()):
        sources = {file.relative_to(package): file.read_bytes() for file in sorted(package.rglob("*.py"))}
        if any(DECORATOR in text for text in sources.values()):
            for name, text in sources.items():
                digest.update(f"{package.name}/{name}".encode())
                digest.update(text)
    return digest.hexdigest()[:16]


def cache_folder() -> Path:
    """Return where machine code is kept: the user's cache folder, or a temporary one where that can't be written."""
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    for base in (Path(home), Path(tempfile.gettempdir())):
        folder = base / "loanpulse" / "compiled" / fingerprint()
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError:
            continue
        if os.access(folder, os.W_OK):
            return folder
    raise OSError("no folder can be written for compiled code: set NUMBA_CACHE_DIR to one that can")


if numba is not None and not numba.config.CACHE_DIR:
    numba.config.CACHE_DIR = str(cache_folder())


def compiled(function: Callable[P, R]) -> Callable[P, R]:
    """Compile ``function`` at its first call and keep the machine code on disk for the next process."""
    if numba is None:
        return function
    fast: Callable[P, R] = numba.njit(cache=True, nogil=True, error_model="numpy")(function)
    return fast


@compiled
def int64(value: int) -> int:
    """Return ``value`` as a 64-bit integer, so that what it is handed to compiles for one type only."""
    return np.int64(value)  # type: ignore[return-value]
