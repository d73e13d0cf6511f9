"""`loanpulse demo` as a newcomer meets it, in a terminal."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pexpect
import psutil
import pyte
import pytest

from tests.support.brokers import on_kafka

pytestmark = [pytest.mark.demo, pytest.mark.timeout(240)]

ROWS, COLUMNS = 45, 150
FIRST_ALERT_SECONDS = 60
LEVELS = ("AMPLE", "STABLE", "WATCH", "TENSE", "CRISIS")


class Terminal:
    """A terminal with the demo in it."""

    def __init__(self, folder: Path) -> None:
        # The size is the terminal's; a process that shares the tests has one of its own in its environment.
        own = {key: value for key, value in os.environ.items() if not key.startswith("LOANPULSE_")}
        environment = {key: value for key, value in own.items() if key not in ("COLUMNS", "LINES")}
        self.screen = pyte.Screen(COLUMNS, ROWS)
        self._stream = pyte.ByteStream(self.screen)
        self.process = pexpect.spawn(
            sys.executable,
            ["-m", "loanpulse.commands", "demo", "--data-dir", str(folder / "demo")],
            dimensions=(ROWS, COLUMNS), cwd=str(folder), env={**environment, "TERM": "xterm-256color"}, timeout=5,
        )  # fmt: skip

    def look(self, seconds: float = 0.3) -> str:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            try:
                self._stream.feed(self.process.read_nonblocking(100_000, 0.1))
            except pexpect.TIMEOUT:
                continue
            except pexpect.EOF:
                break
        return "\n".join(self.screen.display)

    def wait_for(self, text: str, seconds: float) -> str:
        deadline = time.monotonic() + seconds
        while text not in (shown := self.look()):
            assert time.monotonic() < deadline, shown
            assert self.process.isalive(), shown
        return shown


@pytest.mark.skipif(on_kafka(), reason="the demo brings its own broker")
@pytest.mark.usefixtures("compiled")
def test_the_demo_shows_alerts_answers_queries_and_ends_clean(tmp_path: Path) -> None:
    terminal = Terminal(tmp_path)
    children: list[psutil.Process] = []
    try:
        began = time.monotonic()
        shown = terminal.wait_for(" > ", FIRST_ALERT_SECONDS)
        assert time.monotonic() - began < FIRST_ALERT_SECONDS
        shown = terminal.wait_for("Ctrl-C stops", 5)  # the rest of the same picture
        assert all(level in shown for level in LEVELS), shown
        assert "events/s" in shown
        assert "loanpulse query portfolio-now" in shown
        children = psutil.Process(terminal.process.pid).children(recursive=True)
        assert len(children) >= 4
        rows = query(tmp_path, "portfolio-now")
        deadline = time.monotonic() + 40
        while not rows and time.monotonic() < deadline:
            terminal.look(1.0)
            rows = query(tmp_path, "portfolio-now")
        assert {row["level"] for row in rows} <= set(LEVELS)
        assert rows
        terminal.process.sendintr()
        assert "All parts are stopped" in terminal.wait_for("All parts are stopped", 40)
        terminal.process.expect(pexpect.EOF, timeout=20)
        terminal.process.close()
        assert terminal.process.exitstatus == 0
    finally:
        terminal.process.close(force=True)
    assert not [child for child in children if child.is_running() and child.status() != psutil.STATUS_ZOMBIE]


@pytest.mark.skipif(on_kafka(), reason="the demo brings its own broker")
@pytest.mark.usefixtures("compiled")
def test_a_terminal_that_closes_ends_all_parts(tmp_path: Path) -> None:
    log = tmp_path / "printed"
    with log.open("wb") as printed:
        demo = subprocess.Popen(
            [sys.executable, "-m", "loanpulse.commands", "demo", "--data-dir", str(tmp_path / "demo")],
            stdout=printed, stderr=subprocess.STDOUT, cwd=tmp_path,
        )  # fmt: skip
    try:
        deadline = time.monotonic() + 60
        while " events (" not in log.read_text():
            assert time.monotonic() < deadline
            time.sleep(0.2)
        children = psutil.Process(demo.pid).children(recursive=True)
        assert len(children) >= 4
        demo.send_signal(signal.SIGHUP)
        assert demo.wait(40) == 0, log.read_text()
    finally:
        demo.kill()
        demo.wait()
    assert "All parts are stopped" in log.read_text()
    assert not [child for child in children if child.is_running() and child.status() != psutil.STATUS_ZOMBIE]


def query(folder: Path, name: str) -> list[dict[str, object]]:
    done = subprocess.run(
        [sys.executable, "-m", "loanpulse.commands", "query", name, "--format", "json"],
        capture_output=True, text=True, check=False,
        env={**os.environ, "LOANPULSE_CONFIG": str(folder / "demo" / "loanpulse.toml")},
    )  # fmt: skip
    return [json.loads(line) for line in done.stdout.splitlines()] if done.returncode == 0 else []


@pytest.mark.skipif(on_kafka(), reason="the demo brings its own broker")
def test_a_demo_whose_broker_dies_says_so_and_ends(tmp_path: Path) -> None:
    demo = subprocess.Popen(
        [sys.executable, "-m", "loanpulse.commands", "demo", "--data-dir", str(tmp_path / "demo"), "--borrowers", "5"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=tmp_path,
        env={key: value for key, value in os.environ.items() if not key.startswith("LOANPULSE_")},
    )  # fmt: skip
    try:
        deadline = time.monotonic() + 60
        while len(parts := psutil.Process(demo.pid).children()) < 4:
            assert time.monotonic() < deadline
            time.sleep(0.2)
        (broker,) = [part for part in parts if "tansu" in part.name()]
        broker.kill()
        _, said = demo.communicate(timeout=60)
    finally:
        demo.kill()
    assert demo.returncode == 1
    assert "the embedded broker ended with code -9" in said
    assert "broker.log" in said
    assert not psutil.wait_procs(parts, timeout=20)[1], "nothing of it goes on"
