"""The command line as a user runs it."""

import os
import subprocess
import sys
from pathlib import Path

from loanpulse.settings import Settings
from tests.support.brokers import environment


def loanpulse(
    *arguments: str, settings: Settings | None = None, folder: Path | None = None, **more: str
) -> subprocess.CompletedProcess[str]:
    inherited = {key: value for key, value in os.environ.items() if not key.startswith("LOANPULSE_")}
    own = environment(settings) if settings else {}
    return subprocess.run(
        [sys.executable, "-m", "loanpulse.commands", *arguments],
        capture_output=True, text=True, check=False, timeout=120, cwd=folder,
        env={**inherited, "COLUMNS": "200", "NO_COLOR": "1", **own, **more},
    )  # fmt: skip
