"""Run child processes, restart those that fail, and stop all of them together."""

import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from loanpulse.commands import child

RESTARTS_ALLOWED = 5
FIRST_PAUSE_SECONDS = 0.5
STEADY_SECONDS = 60.0


class ChildFailedError(RuntimeError):
    """A process failed too often; the text names it and its log."""


@dataclass(slots=True)
class Child:
    """One supervised process. ``once``: it is not restarted after exit code 0."""

    name: str
    argv: Sequence[str]
    log_file: Path
    environment: Mapping[str, str]
    once: bool = False
    process: subprocess.Popen[bytes] | None = None
    restarts: int = 0
    started_at: float = 0.0
    due_at: float = 0.0
    finished: bool = False

    @property
    def state(self) -> str:
        """The state as one word."""
        if self.finished:
            return "done"
        if self.process is None or self.process.poll() is not None:
            return "starting"
        return "running"


@dataclass(slots=True)
class Supervisor:
    """Starts children in order, restarts those that fail, and stops them in the opposite order."""

    children: list[Child] = field(default_factory=list)
    monotonic: Callable[[], float] = time.monotonic

    def start(self, new: Child) -> Child:
        """Start and supervise a child."""
        self.children.append(new)
        self._spawn(new)
        return new

    def look_after(self) -> None:
        """Restart failed children; call it regularly.

        Raises:
            ChildFailedError: a child failed too often in a short time.
        """
        for one in self.children:
            if one.finished or one.process is None:
                continue
            code = one.process.poll()
            if code is None:
                continue
            if one.once and code == 0:
                one.finished = True
            elif one.due_at == 0.0:
                self._plan_restart(one, code)
            elif self.monotonic() >= one.due_at:
                self._spawn(one)

    def stop(self) -> None:
        """Stop every child, the last started first."""
        for one in reversed(self.children):
            if one.process is not None:
                child.stop(one.process)
        self.children.clear()

    def _plan_restart(self, one: Child, code: int) -> None:
        if self.monotonic() - one.started_at > STEADY_SECONDS:
            one.restarts = 0
        one.restarts += 1
        if one.restarts > RESTARTS_ALLOWED:
            raise ChildFailedError(
                f"{one.name} ended with code {code} {one.restarts} times in a row; see {one.log_file}"
            )
        one.due_at = self.monotonic() + FIRST_PAUSE_SECONDS * 2**one.restarts

    def _spawn(self, one: Child) -> None:
        one.process = child.spawn(one.argv, one.log_file, one.environment)
        one.started_at, one.due_at = self.monotonic(), 0.0
