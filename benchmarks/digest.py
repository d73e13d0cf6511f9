"""Holds that a change of the code leaves results as they are: digests of a replayed city and of the stories.

A city of 100 borrowers over 200 days is simulated and replayed, then each story of ``tests/stories``; the SHA-256 of
the log, of the alerts, of the snapshots, and of the stories' alerts are compared with ``results/digest.json``. Exits
with 1 if one differs; ``--record`` writes them anew, for a change that is meant to change results.

Not part of CI: the last bits of floating-point results may differ between kinds of processors and versions of numpy
and LLVM. Compare on the machine that recorded, or record before the change and compare after it.
"""

import argparse
import hashlib
import json
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import orjson
from tests.stories import story

from benchmarks.run import machine
from loanpulse.city.plan import CityPlan
from loanpulse.city.simulation import City
from loanpulse.city.writers import write_lines
from loanpulse.schemas.codec import Codec
from loanpulse.schemas.registry import LocalRegistry
from loanpulse.settings import load
from loanpulse.streams.from_settings import engine_options, load_policy
from loanpulse.streams.replay.replay import replay_files

RESULTS = Path(__file__).with_name("results") / "digest.json"
BORROWERS, SEED, DAYS, SHARE_LATE = 100, 5, 200, 0.02
START = datetime(2026, 1, 1, tzinfo=UTC)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--record", action="store_true", help="write the digests anew instead of comparing them")
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = {**of_city(Path(folder)), "stories' alerts": of_stories(Path(folder))}
    recorded = json.loads(RESULTS.read_text()) if RESULTS.exists() else {"digests": {}}
    if chosen.record:
        note = f"Recorded {datetime.now(UTC):%Y-%m-%d} by `python -m benchmarks.digest --record`."
        RESULTS.write_text(json.dumps({"note": note, "machine": machine(), "digests": found}, indent=2) + "\n")
    different = [name for name, digest in found.items() if recorded["digests"].get(name) != digest]
    for name, digest in found.items():
        print(f"{name:<16} {digest}  {'differs' if name in different else 'as recorded'}")
    if different and not chosen.record:
        sys.exit(1)


def of_city(folder: Path) -> dict[str, str]:
    """Return the digests of a city's log and of what its replay writes."""
    log = folder / "log.jsonl"
    write_lines(
        City(CityPlan(BORROWERS, SEED, START, DAYS, late_share=SHARE_LATE)).events(), log, Codec(LocalRegistry())
    )
    alerts, snapshots = replay(log, folder, None)
    return {"log": sha256(log), "alerts": sha256(alerts), "snapshots": sha256(snapshots)}


def of_stories(folder: Path) -> str:
    """Return one digest of each story's name and alerts, in the order of names; every story is a log of its own."""
    digest = hashlib.sha256()
    for name in story.names():
        told = story.read(name)
        log = folder / f"{name}.jsonl"
        log.write_bytes(b"".join(orjson.dumps(line) + b"\n" for _, line in told.lines))
        alerts, _ = replay(log, folder, told.end_ms)
        digest.update(name.encode() + b"\n" + alerts.read_bytes())
    return digest.hexdigest()


def replay(log: Path, folder: Path, at_ms: int | None) -> tuple[Path, Path]:
    """Replay a log with the default settings, and return the files of its alerts and snapshots."""
    settings = load(environment={})
    alerts, snapshots = folder / "alerts.jsonl", folder / "snapshots.jsonl"
    replay_files(
        [log],
        options=engine_options(settings),
        policy=load_policy(settings),
        registry=LocalRegistry(),
        alerts=alerts,
        snapshots=snapshots,
        at_ms=at_ms,
    )
    return alerts, snapshots


def sha256(file: Path) -> str:
    """Return a file's digest."""
    return hashlib.sha256(file.read_bytes()).hexdigest()


if __name__ == "__main__":
    main()
