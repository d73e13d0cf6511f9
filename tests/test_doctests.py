"""The examples in docstrings hold, and there are some in every package that promises them."""

import os
import subprocess
import sys

import pytest

PACKAGES = (
    "loanpulse.schemas",
    "loanpulse.streams.record",
    "loanpulse.streams.indicators",
    "loanpulse.streams.behaviours",
)
RUN = """
import doctest, importlib, pkgutil, sys
top = importlib.import_module(sys.argv[1])
names = [top.__name__, *(module.name for module in pkgutil.walk_packages(top.__path__, top.__name__ + "."))]
results = [doctest.testmod(importlib.import_module(name)) for name in names]
print("examples:", sum(result.attempted for result in results))
sys.exit(any(result.failed for result in results))
"""


@pytest.mark.parametrize("package", PACKAGES)
def test_examples_in_docstrings(package: str) -> None:
    """Run interpreted: an example calls single functions, each of which would take seconds to compile."""
    done = subprocess.run(
        [sys.executable, "-c", RUN, package], capture_output=True, text=True, check=False,
        env={**os.environ, "NUMBA_DISABLE_JIT": "1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert int(done.stdout.rpartition("examples:")[2]) > 0, f"{package} has no example"
