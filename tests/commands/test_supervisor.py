"""Supervised processes: started again when they die, and none left behind however the parent ends."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from loanpulse.commands.supervisor import Child, ChildFailedError, Supervisor
from tests.support.processes import wait_until

SLEEPER = [sys.executable, "-c", "import time; print('up', flush=True); time.sleep(60)"]


def alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_a_child_that_dies_is_started_again(tmp_path: Path) -> None:
    supervisor = Supervisor()
    one = supervisor.start(Child("sleeper", SLEEPER, tmp_path / "log", {}))
    assert one.process
    first = one.process.pid
    os.kill(first, signal.SIGKILL)

    def again() -> bool:
        supervisor.look_after()
        return one.process is not None and one.process.pid != first and one.process.poll() is None

    wait_until(again)
    assert one.process
    second = one.process.pid
    supervisor.stop()
    assert not alive(second)


def test_a_child_that_keeps_dying_is_told_by_name(tmp_path: Path) -> None:
    now = [0.0]
    supervisor = Supervisor(monotonic=lambda: now[0])
    supervisor.start(Child("broken", [sys.executable, "-c", "raise SystemExit(3)"], tmp_path / "log", {}))

    def look() -> None:
        for _ in range(200):
            now[0] += 1.0
            time.sleep(0.05)
            supervisor.look_after()

    with pytest.raises(ChildFailedError, match="broken ended with code 3"):
        look()


def test_a_child_that_may_end_is_done(tmp_path: Path) -> None:
    supervisor = Supervisor()
    one = supervisor.start(Child("once", [sys.executable, "-c", "pass"], tmp_path / "log", {}, once=True))

    def done() -> bool:
        supervisor.look_after()
        return one.state == "done"

    wait_until(done)


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's signal on a parent's death is Linux's")
def test_a_killed_parent_leaves_nothing(tmp_path: Path) -> None:
    program = (
        "import pathlib, time\n"
        "from loanpulse.commands.supervisor import Child, Supervisor\n"
        f"s = Supervisor(); c = s.start(Child('x', {SLEEPER!r}, pathlib.Path({str(tmp_path / 'log')!r}), {{}}))\n"
        "print(c.process.pid, flush=True); time.sleep(60)\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    assert parent.stdout
    pid = int(parent.stdout.readline())
    wait_until(lambda: (tmp_path / "log").read_text() == "up\n")
    parent.kill()
    parent.wait()
    wait_until(lambda: not alive(pid))
