"""`loanpulse demo`: all parts on this machine, embedded, with a live view."""

import contextlib
import shutil
import signal
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer
from rich.live import Live

from loanpulse.commands import topics_admin
from loanpulse.commands.console import ConfigOption, fail, loaded, out
from loanpulse.commands.embedded_broker import BrokerError, EmbeddedBroker
from loanpulse.commands.live_view import LiveView, plain_summary
from loanpulse.commands.supervisor import Child, ChildFailedError, Supervisor
from loanpulse.settings import Settings, SettingsError, load

REFRESH_SECONDS = 0.25
PLAIN_SECONDS = 5.0
LENDERS = "lender-a,lender-b,lender-c,lender-d"
MARKER = "demo-folder"


def demo(
    data_dir: Annotated[
        Path, typer.Option(help="Folder for logs and the warehouse; files of an earlier demo in it are removed.")
    ] = Path(".loanpulse/demo"),
    borrowers: Annotated[int, typer.Option(help="Households in the simulated city.", min=1)] = 300,
    speed: Annotated[float, typer.Option(help="Multiple of real time after the history.", min=0.01)] = 7200.0,
    seed: Annotated[int, typer.Option(help="The same seed gives the same city.", min=0)] = 7,
    duration: Annotated[float, typer.Option(help="Stop after this many seconds; 0: at Ctrl-C.")] = 0,
    config: ConfigOption = None,
) -> None:
    """Run Loanpulse on this machine: no Docker, no JVM, no configuration.

    Starts a broker in memory, a warehouse in a folder, a worker, the loader and a simulated city, and shows levels
    and alerts as they change. Ctrl-C stops everything. While it runs, `loanpulse query` reads its warehouse.
    """
    loaded(config)
    folder = _fresh(data_dir)
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda _number, _frame: stop.set())
    supervisor = Supervisor()
    broker = EmbeddedBroker(folder / "logs")
    try:
        out.print("Starting a broker, a warehouse, a worker and a city of "
                  f"{borrowers} households in {folder} …", highlight=False)  # fmt: skip
        broker.start()
        file = _write_settings(folder, broker)
        settings = load(file, environment={})
        topics_admin.create_topics(settings)
        _start_parts(supervisor, folder, file, borrowers, seed, speed)
        _watch(supervisor, broker, settings, file, stop, duration)
    except (BrokerError, ChildFailedError, topics_admin.BrokerUnreachableError, SettingsError) as error:
        supervisor.stop()
        broker.stop()
        fail(f"The demo stopped: {error}.")
    finally:
        with _ignored_interrupts():
            supervisor.stop()
            broker.stop()
    out.print(
        f"All parts are stopped. Logs and the warehouse are in {folder}; you can still query it:",
        highlight=False,
        soft_wrap=True,
    )
    out.print(f"  loanpulse query -c {file} portfolio-now", highlight=False, soft_wrap=True)


def _fresh(data_dir: Path) -> Path:
    """Return the folder, emptied of an earlier demo's files; refuse a folder with other files."""
    folder = data_dir.resolve()
    if folder.exists() and any(folder.iterdir()) and not (folder / MARKER).exists():
        fail(f"{folder} has other files in it; give an empty folder with --data-dir.")
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "logs").mkdir(parents=True)
    (folder / MARKER).touch()
    return folder


def _write_settings(folder: Path, broker: EmbeddedBroker) -> Path:
    file = folder / "loanpulse.toml"
    file.write_text(
        f"""# The configuration of the running demo.
[broker]
bootstrap_servers = "{broker.bootstrap_servers}"
profile = "embedded"

[topics]
partitions = 4
lenders = ["lender-a"]

[streams]
# The city's clock runs ahead of this machine's, so events up to ten years ahead are accepted.
max_clock_skew_seconds = 315360000
data_dir = "{folder / "streams"}"

[learning]
data_dir = "{folder / "learning"}"

[warehouse]
kind = "embedded"
path = "{folder / "warehouse"}"
""",
        encoding="utf-8",
    )
    return file


def _start_parts(supervisor: Supervisor, folder: Path, file: Path, borrowers: int, seed: int, speed: float) -> None:
    def part(name: str, *arguments: str, once: bool = False) -> None:
        argv = [sys.executable, "-m", "loanpulse.commands", *arguments]
        environment = {"LOANPULSE_CONFIG": str(file)}
        supervisor.start(Child(name, argv, folder / "logs" / f"{name}.log", environment, once))

    part("worker", "worker")
    part("loader", "load")
    part(
        "city", "simulate", "--borrowers", str(borrowers), "--seed", str(seed), "--speed", str(speed),
        "--lenders", LENDERS, "--truth", str(folder / "truth.jsonl"), "--life-events", "2",
        "--malformed", "0.001", "--duplicates", "0.01", "--out-of-order", "0.02",
        once=True,
    )  # fmt: skip


def _watch(
    supervisor: Supervisor,
    broker: EmbeddedBroker,
    settings: Settings,
    file: Path,
    stop: threading.Event,
    duration: float,
) -> None:
    view = LiveView(settings, file)
    ends = time.monotonic() + duration if duration else float("inf")
    view.start()
    try:
        if out.is_terminal:
            with Live(view.render(supervisor.children), console=out, screen=False, refresh_per_second=8) as live:
                while not stop.is_set() and time.monotonic() < ends:
                    broker.check()
                    supervisor.look_after()
                    live.update(view.render(supervisor.children))
                    stop.wait(REFRESH_SECONDS)
        else:
            printed_at = 0.0
            while not stop.is_set() and time.monotonic() < ends:
                broker.check()
                supervisor.look_after()
                if time.monotonic() - printed_at > PLAIN_SECONDS:
                    printed_at = time.monotonic()
                    out.print(plain_summary(view), highlight=False, soft_wrap=True)
                stop.wait(REFRESH_SECONDS)
    finally:
        view.stop()
    if stop.is_set():
        out.print("Stopping …")


@contextlib.contextmanager
def _ignored_interrupts() -> Iterator[None]:
    """Ignore a second Ctrl-C, or a closing terminal, during the shutdown."""
    before = {number: signal.signal(number, signal.SIG_IGN) for number in (signal.SIGINT, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
