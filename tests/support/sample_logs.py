"""A small simulated city as records, lines and files, for tests of the stream and of replay."""

from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from loanpulse.city import writers
from loanpulse.city.plan import CityPlan
from loanpulse.city.published import Published
from loanpulse.city.simulation import City
from loanpulse.schemas.codec import Codec
from loanpulse.schemas.registry import LocalRegistry
from loanpulse.settings import Settings
from loanpulse.streams.from_settings import engine_options, load_policy
from loanpulse.streams.replay.replay import ReplayReport, replay_files

START = datetime(2026, 3, 1, tzinfo=UTC)


def plan(borrowers: int = 40, days: int = 90, seed: int = 5, **changes: float) -> CityPlan:
    return CityPlan(borrowers, seed, START, days, life_event_rate=3.0, **changes)  # type: ignore[arg-type]


@cache
def city(borrowers: int = 40, days: int = 90, seed: int = 5, flawed: bool = False) -> tuple[Published, ...]:
    """The events of a small city, in the order of publication."""
    changes = (
        {"late_share": 0.02, "duplicate_share": 0.02, "shuffle_share": 0.05, "malformed_share": 0.01} if flawed else {}
    )
    return tuple(City(plan(borrowers, days, seed, **changes)).events())


def write(path: Path, records: tuple[Published, ...]) -> Path:
    writers.write_lines(records, path, Codec(LocalRegistry()))
    return path


def replayed(
    settings: Settings,
    folder: Path,
    records: tuple[Published, ...],
    directives: Path | None = None,
    at_ms: int | None = None,
) -> tuple[ReplayReport, Path, Path]:
    """Replay records under a deployment's configuration; returns the report, the alerts and the snapshots."""
    alerts, snapshots = folder / "alerts.jsonl", folder / "snapshots.jsonl"
    report = replay_files(
        [write(folder / "events.jsonl", records)],
        options=engine_options(settings),
        policy=load_policy(settings),
        registry=LocalRegistry(),
        directives=directives,
        alerts=alerts,
        snapshots=snapshots,
        at_ms=at_ms,
    )
    return report, alerts, snapshots
