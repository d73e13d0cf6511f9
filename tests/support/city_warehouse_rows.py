"""A warehouse with a small city's months in every table, as the loader would have filled it."""

import tempfile
import uuid
from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from loanpulse.city.writers import encoded
from loanpulse.schemas import dead_letters, topics
from loanpulse.schemas.codec import Codec
from loanpulse.schemas.registry import LocalRegistry
from loanpulse.schemas.violations import Violation
from loanpulse.settings import load
from loanpulse.sinks.blocks import Block, Edges, record_blocks
from loanpulse.sinks.embedded import EmbeddedWarehouse
from loanpulse.sinks.migrate import migrate
from loanpulse.sinks.rows import RowMaker
from loanpulse.streams.alerts.snapshots import SnapshotEncoder
from loanpulse.streams.engine.engine import Engine
from loanpulse.streams.from_settings import engine_options, load_policy
from loanpulse.streams.replay.log_files import EventLog
from loanpulse.streams.replay.replay import Replay
from tests.support import sample_logs
from tests.support.memory_log import Record

CODEC = Codec(LocalRegistry())
BORROWERS, DAYS, SEED = 40, 120, 11
MONTH = "2026-06"
"""The month with the most to see: three months of history before it."""


def build(folder: Path) -> Path:
    """Fill a warehouse in ``folder`` and leave it closed; returns the folder."""
    warehouse = EmbeddedWarehouse(folder, "loanpulse")
    migrate(warehouse)
    fill(warehouse)
    warehouse.close()
    return folder


def fill(warehouse: EmbeddedWarehouse) -> None:
    maker = RowMaker(LocalRegistry())
    for topic, records in _records().items():
        made = maker.rows(topic, records)
        assert made.refused is None, topic
        warehouse.insert(made.table, _with_forecast(made.rows) if made.table == "snapshots" else made.rows)
        record_blocks(warehouse, [Block((topic, 0), records, Edges(0, len(records)))], loaded=True)


def _with_forecast(rows: pa.Table) -> pa.Table:
    """Where the engine forecasts no shortfall, one that follows the index, so that there is something to count."""
    place = rows.schema.get_field_index("shortfall_days_p50")
    if rows.column(place).null_count < rows.num_rows:
        return rows
    for name, factor in (("shortfall_days_p10", 0.5), ("shortfall_days_p50", 1.0), ("shortfall_days_p90", 1.4)):
        days = pc.min_element_wise(pc.multiply(rows.column("lhi"), factor), 90.0)
        rows = rows.set_column(rows.schema.get_field_index(name), name, days.cast(pa.float64()))
    return rows


@cache
def _records() -> dict[str, Sequence[Record]]:
    found: dict[str, list[Record]] = defaultdict(list)

    def add(topic: str, key: str, value: bytes, stamp: int, headers: Any = None) -> None:
        found[topic].append(Record(topic, len(found[topic]), key.encode(), value, headers, stamp=stamp))

    city = sample_logs.city(BORROWERS, DAYS, SEED)
    for record in city:
        add(record.topic, record.key, encoded(record, CODEC), record.at_ms)
    with tempfile.TemporaryDirectory() as scratch:
        for topic, value, stamp in _said(Path(scratch), city):
            add(topic, value[0], value[1], stamp)
    alerts = [CODEC.decode(topics.LIQUIDITY_ALERTS, record.value()) for record in found[topics.LIQUIDITY_ALERTS]]
    for report in _feedback(alerts):
        stamp = int(report["event_time"].timestamp() * 1000)
        add(topics.ALERT_FEEDBACK, report["borrower_id"], CODEC.encode(topics.ALERT_FEEDBACK, report), stamp)
    for measure in _health():
        stamp = int(measure["event_time"].timestamp() * 1000)
        add(topics.MODEL_HEALTH, measure["model_id"], CODEC.encode(topics.MODEL_HEALTH, measure), stamp)
    letter = dead_letters.DeadLetter("spending-events", 1, 7, city[-1].at_ms, b"k", b"\x01", Violation.BAD_MAGIC)
    add(topics.DEAD_LETTERS, "k", b"\x01", city[-1].at_ms, letter.headers())
    return found


def _said(scratch: Path, city: Any) -> Iterator[tuple[str, tuple[str, bytes], int]]:
    """Yield what the stream would have sent: snapshots and alerts."""
    settings = load(environment={})
    engine = Engine(engine_options(settings), load_policy(settings), LocalRegistry())
    replay = Replay(engine, CODEC)
    file = sample_logs.write(scratch / "events.jsonl", city)
    for piece in EventLog(CODEC, LocalRegistry(), engine.options.partitions).pieces(file):
        replay.offer(str(file), piece)
    assert not replay.report.refused
    encoder = SnapshotEncoder(CODEC.schema_id(topics.LIQUIDITY_SNAPSHOTS))
    for scored in replay.finish(None):
        if not len(scored):
            continue
        values = encoder.encode(scored.scores, scored.keys, scored.ids, scored.model_version, scored.policy.version)
        for key, value, time in zip(scored.keys.tolist(), values, scored.scores["time"].tolist(), strict=True):
            yield topics.LIQUIDITY_SNAPSHOTS, (key.decode(), value), time
        for alert in engine.partition(scored.partition).alerts(scored):
            stamp = int(alert["event_time"].timestamp() * 1000)
            value = CODEC.encode(topics.LIQUIDITY_ALERTS, alert)
            yield topics.LIQUIDITY_ALERTS, (alert["borrower_id"], value), stamp


def _feedback(alerts: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    outcomes = ("CONTACTED", "PAID", "FALSE_ALARM", "RESTRUCTURED", "NOT_REACHED")
    for number, alert in enumerate(alerts):
        if alert["level_to"] in ("TENSE", "CRISIS"):
            yield {
                "feedback_id": str(uuid.UUID(int=number + 1)), "borrower_id": alert["borrower_id"],
                "event_time": alert["event_time"] + timedelta(hours=5 + number % 40), "source": "desk",
                "lender_id": alert["lender_id"], "alert_id": alert["alert_id"], "episode_id": alert["episode_id"],
                "outcome": outcomes[number % len(outcomes)], "reported_by": None,
            }  # fmt: skip


def _health() -> Iterator[dict[str, Any]]:
    for week in range(8):
        end = datetime(2026, 5, 10, tzinfo=UTC) + timedelta(weeks=week)
        for role, group in (("CHAMPION", None), ("CHALLENGER", None), ("CHAMPION", "urban")):
            yield {
                "model_id": "pd-logistic", "model_version": f"v{week}", "role": role, "event_time": end,
                "window_start": end - timedelta(weeks=4), "window_end": end, "audited_group": group,
                "examples": 4_000 + week, "positives": 120, "auc": 0.8 + week / 100, "ks": 0.4, "log_loss": 0.2,
                "brier": 0.05, "calibration_error": 0.01, "psi": 0.02 * week, "lead_time_days": 12.0,
                "group_deviation": 0.01 if group else None,
            }  # fmt: skip
