"""The embedded warehouse: migrations, rows that replace each other, documented queries, and readers that only read."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from loanpulse.schemas import dead_letters
from loanpulse.schemas.contracts import INDICATORS
from loanpulse.schemas.registry import LocalRegistry
from loanpulse.schemas.topics import (
    ALERT_FEEDBACK,
    DEAD_LETTERS,
    LIQUIDITY_ALERTS,
    LIQUIDITY_SNAPSHOTS,
    MODEL_HEALTH,
    REPAYMENT_EVENTS,
)
from loanpulse.schemas.violations import Violation
from loanpulse.settings import Settings
from loanpulse.settings import load as load_settings
from loanpulse.sinks.embedded import EmbeddedWarehouse
from loanpulse.sinks.migrate import MigrationError, load_migrations, migrate, status
from loanpulse.sinks.queries import EVENT_CLOCK, bind, named_queries
from loanpulse.sinks.rows import RowMaker
from loanpulse.sinks.tables import TABLES, TopicTable
from loanpulse.sinks.warehouse import WarehouseError, WarehouseUnreachableError
from loanpulse.streams.alerts.snapshots import SnapshotEncoder
from loanpulse.streams.engine.engine import Engine
from loanpulse.streams.from_settings import engine_options, load_policy
from loanpulse.streams.replay.log_files import EventLog
from loanpulse.streams.replay.replay import Replay
from tests.support import sample_logs, sample_records
from tests.support.memory_log import Record
from tests.support.processes import CODEC

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedWarehouse]:
    warehouse = EmbeddedWarehouse(tmp_path_factory.mktemp("warehouse"), "loanpulse")
    migrate(warehouse)
    yield warehouse
    warehouse.close()


@pytest.fixture(scope="module")
def records(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Record]]:
    """What the stream would have sent for a small city."""
    found: dict[str, list[Record]] = {LIQUIDITY_SNAPSHOTS: [], LIQUIDITY_ALERTS: [], DEAD_LETTERS: []}
    settings: Settings = load_settings(environment={})
    engine = Engine(engine_options(settings), load_policy(settings), LocalRegistry())
    replay = Replay(engine, CODEC)
    file = sample_logs.write(tmp_path_factory.mktemp("log") / "events.jsonl", sample_logs.city(20, 60, 2))
    for piece in EventLog(CODEC, LocalRegistry(), engine.options.partitions).pieces(file):
        replay.offer(str(file), piece)
    for scored in replay.finish(None):
        if not len(scored):
            continue
        encoder = SnapshotEncoder(CODEC.schema_id(LIQUIDITY_SNAPSHOTS))
        values = encoder.encode(scored.scores, scored.keys, scored.ids, "model", "policy")
        for key, value in zip(scored.keys.tolist(), values, strict=True):
            place = len(found[LIQUIDITY_SNAPSHOTS])
            found[LIQUIDITY_SNAPSHOTS].append(Record(LIQUIDITY_SNAPSHOTS, place, key, value))
        for alert in engine.partition(scored.partition).alerts(scored):
            place = len(found[LIQUIDITY_ALERTS])
            value = CODEC.encode(LIQUIDITY_ALERTS, alert)
            found[LIQUIDITY_ALERTS].append(Record(LIQUIDITY_ALERTS, place, alert["borrower_id"].encode(), value))
    letter = dead_letters.DeadLetter("spending-events", 1, 7, 5, b"k", b"\x01", Violation.BAD_MAGIC)
    found[DEAD_LETTERS].append(Record(DEAD_LETTERS, 0, b"k", b"\x01", letter.headers()))
    return found


def fill(warehouse: EmbeddedWarehouse, records: dict[str, list[Record]]) -> None:
    maker = RowMaker(LocalRegistry())
    for topic, messages in records.items():
        made = maker.rows(topic, messages)
        assert made.refused is None
        warehouse.insert(made.table, made.rows)


def one(warehouse: EmbeddedWarehouse, statement: str) -> Any:
    return warehouse.query(statement).column(0)[0].as_py()


def test_loading_the_same_range_twice_leaves_the_tables_as_if_once(
    warehouse: EmbeddedWarehouse, records: dict[str, list[Record]]
) -> None:
    fill(warehouse, records)
    before = [warehouse.query(f"SELECT * FROM {view}").sort_by("level").to_pylist() for view in ("portfolio_now",)]
    fill(warehouse, records)
    assert one(warehouse, "SELECT count() FROM snapshots FINAL") == len(records[LIQUIDITY_SNAPSHOTS]) > 500
    assert one(warehouse, "SELECT count() FROM alerts FINAL") == len(records[LIQUIDITY_ALERTS]) > 5
    assert one(warehouse, "SELECT count() FROM dead_letters FINAL") == 1
    after = [warehouse.query(f"SELECT * FROM {view}").sort_by("level").to_pylist() for view in ("portfolio_now",)]
    assert len(after[0]) == len(before[0])
    assert one(warehouse, "SELECT sum(changes) FROM level_changes_daily") == one(
        warehouse,
        "SELECT sum(length(lender_ids)) FROM snapshots FINAL "
        "WHERE level != previous_level AND previous_level != 'UNKNOWN'",
    )


def test_a_row_equals_its_snapshot(warehouse: EmbeddedWarehouse, records: dict[str, list[Record]]) -> None:
    fill(warehouse, records)
    value = CODEC.decode(LIQUIDITY_SNAPSHOTS, records[LIQUIDITY_SNAPSHOTS][-1].value())
    statement = "SELECT * FROM snapshots FINAL WHERE snapshot_id = {id:String}"
    row = warehouse.query(statement, {"id": value["snapshot_id"]}).to_pylist()[0]
    for name in ("borrower_id", "event_time", "lhi", "level", "overdue_amount", "balance", "lender_ids", "open_loans"):
        assert row[name] == value[name], name
    assert row["known_at"] == value["known_at"]
    assert (row["restated"], row["behaviours"]) == (value["restated"], value["behaviours"])
    for name in INDICATORS:
        assert row[f"{name}_points"] == pytest.approx(value[name]["points"])
        shown = row[f"{name}_value"]
        assert shown is None if value[name]["value"] != value[name]["value"] else shown == value[name]["value"]


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_a_migrated_table_equals_its_contract(warehouse: EmbeddedWarehouse, table: TopicTable) -> None:
    """Whoever changes a contract is asked here for a migration."""
    found = warehouse.query(
        "SELECT name, type, comment FROM system.columns WHERE table = {table:String} AND database = 'loanpulse' "
        "ORDER BY position",
        {"table": table.name},
    ).to_pylist()
    assert [(row["name"], row["type"], row["comment"]) for row in found] == [
        (column.name, column.kind, column.comment) for column in table.columns
    ]
    about = warehouse.query(
        "SELECT sorting_key, partition_key, comment FROM system.tables WHERE name = {table:String}",
        {"table": table.name},
    ).to_pylist()[0]
    assert about == {
        "sorting_key": ", ".join(table.order_by), "partition_key": table.partition_by, "comment": table.comment,
    }  # fmt: skip


def test_every_table_view_and_column_has_a_comment(warehouse: EmbeddedWarehouse) -> None:
    nameless = warehouse.query(
        "SELECT table, name FROM system.columns WHERE database = 'loanpulse' AND comment = '' "
        "AND table IN (SELECT name FROM system.tables WHERE database = 'loanpulse' AND engine LIKE '%MergeTree')"
    ).to_pylist()
    assert nameless == []
    silent = warehouse.query(
        "SELECT name FROM system.tables WHERE database = 'loanpulse' AND comment = '' AND name != 'schema_migrations'"
    ).to_pylist()
    assert silent == []


@pytest.fixture(scope="module")
def asked(warehouse: EmbeddedWarehouse, records: dict[str, list[Record]]) -> dict[str, str]:
    """A warehouse with everything in it, and what can be asked for."""
    fill(warehouse, records)
    borrower, lender, at = warehouse.query(
        "SELECT borrower_id, lender_ids[1] AS lender, scored_at FROM borrowers_now WHERE notEmpty(lender_ids) "
        "ORDER BY scored_at DESC LIMIT 1"
    ).to_pylist()[0].values()  # fmt: skip
    alert = sample_records.alert(borrower, at, kind="MULTI_LENDER_SURGE", lender_id=lender)
    loan = sample_records.loan(borrower, "loan-1", at - timedelta(days=200), 5, [0, 3, None, None, None])
    health = {
        "model_id": "lhi", "model_version": "m1", "role": "CHAMPION", "event_time": at, "window_start": at,
        "window_end": at, "examples": 10, "positives": 1, "auc": 0.8,
    }  # fmt: skip
    values = {
        REPAYMENT_EVENTS: [event | {"lender_id": lender} for event in loan],
        LIQUIDITY_ALERTS: [alert],
        ALERT_FEEDBACK: [sample_records.feedback(alert, at + timedelta(hours=5), "CONTACTED")],
        MODEL_HEALTH: [health],
    }
    maker = RowMaker(LocalRegistry())
    for topic, these in values.items():
        rows = maker.rows(topic, sample_records.records(topic, these, first=100_000))
        assert rows.refused is None
        warehouse.insert(rows.table, rows.rows)
    warehouse.execute(
        "INSERT INTO loader_blocks (topic, partition, first_offset, next_offset, loaded, rows, refused) "
        "VALUES ('liquidity-alerts', 0, 0, 10, true, 10, 0)"
    )
    return {
        "lender": lender, "since": f"{at - timedelta(days=300):%Y-%m-%d}", "as-of": f"{at:%Y-%m-%dT%H:%M:%S}Z",
        "borrower": borrower, "alert": alert["alert_id"],
    }  # fmt: skip


@pytest.mark.parametrize("name", named_queries())
def test_documented_queries_run(warehouse: EmbeddedWarehouse, asked: dict[str, str], name: str) -> None:
    query = named_queries()[name]
    assert query.question.endswith(".")
    assert all(parameter.about for parameter in query.parameters)
    now = warehouse.query(EVENT_CLOCK).column(0)[0].as_py()
    given = {one.name: asked[one.name] for one in query.parameters}
    full = bind(query, given, now)
    assert warehouse.query(full.statement, full.values).num_rows > 0
    needed = {key: value for key, value in given.items() if key in ("borrower", "alert")}
    plain = bind(query, needed, now)
    assert warehouse.query(plain.statement, plain.values).num_rows > 0


def test_migrating_twice_is_migrating_once(warehouse: EmbeddedWarehouse) -> None:
    assert migrate(warehouse) == []
    assert all(entry.applied for entry in status(warehouse))


def test_a_changed_old_migration_is_refused(warehouse: EmbeddedWarehouse, tmp_path: Path) -> None:
    for migration in load_migrations():
        (tmp_path / f"{migration.name}.sql").write_text(";\n".join(migration.statements) + ";\n")
    assert all(entry.applied for entry in status(warehouse, tmp_path))
    file = next(tmp_path.glob("0002*"))
    file.write_text(file.read_text() + "SELECT 1;\n")
    with pytest.raises(MigrationError, match="0002_scoring was changed"):
        status(warehouse, tmp_path)


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO alerts SELECT * FROM alerts",
        "SELECT 1; DROP TABLE alerts",
        "DROP TABLE alerts",
        "SET readonly = 0",
        "SELECT * FROM file('/etc/passwd', 'LineAsString')",
        "SELECT * FROM url('http://127.0.0.1:1', 'LineAsString')",
        "SELECT 1 INTO OUTFILE '/tmp/never'",
        "SELECT 1 INTO\n\toutfile '/tmp/never'",
    ],
)
def test_a_reader_can_only_read(warehouse: EmbeddedWarehouse, statement: str) -> None:
    with pytest.raises(WarehouseError):
        warehouse.reader().query(statement)
    assert not Path("/tmp/never").exists()
    assert one(warehouse, "EXISTS TABLE alerts") == 1


def test_a_locked_folder_is_reported(warehouse: EmbeddedWarehouse) -> None:
    with pytest.raises(WarehouseUnreachableError, match="locked by another process"):
        EmbeddedWarehouse(warehouse._path, "loanpulse")
