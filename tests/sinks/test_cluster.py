"""The statements of every migration on a cluster: replicated, distributed by borrower, in the engine's grammar."""

import re
from collections.abc import Iterator

import pytest

from loanpulse.settings.model import RetentionSection
from loanpulse.sinks.cluster import clustered
from loanpulse.sinks.embedded import EmbeddedWarehouse
from loanpulse.sinks.migrate import load_migrations, migrate, statements_of
from loanpulse.sinks.retention import apply_retention

STATEMENTS = [said for migration in load_migrations() for said in statements_of(migration, "main", "loanpulse")]
TABLES = [s for migration in load_migrations() for s in migration.statements if s.startswith("CREATE TABLE")]


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedWarehouse]:
    warehouse = EmbeddedWarehouse(tmp_path_factory.mktemp("grammar"), "loanpulse")
    yield warehouse
    warehouse.close()


def test_every_table_is_replicated_and_distributed() -> None:
    local = [s for s in STATEMENTS if "ENGINE = Replicated" in s]
    distributed = [s for s in STATEMENTS if "ENGINE = Distributed" in s]
    assert len(local) == len(distributed) == len(TABLES) > 15
    for statement in local:
        name = re.match(r"CREATE TABLE (\w+)_local ON CLUSTER 'main'", statement)[1]  # type: ignore[index]
        assert f"'/clickhouse/tables/{{shard}}/loanpulse/{name}', '{{replica}}'" in statement
        assert "non_replicated" not in statement
    assert not [s for s in STATEMENTS if re.search(r"ENGINE = (Replacing|Aggregating|)MergeTree", s)]


def test_rows_of_a_borrower_are_on_one_shard() -> None:
    keys = {s.split()[2]: s.rpartition(", ")[2] for s in STATEMENTS if "ENGINE = Distributed" in s}
    for name in ("repayment_events", "snapshots", "alerts", "alert_feedback", "borrowers_latest", "loans", "episodes"):
        assert keys[name] == "cityHash64(borrower_id))"
    assert keys["loader_blocks"] == "1)"


def test_filling_views_read_and_write_their_own_shard() -> None:
    filling = [s for s in STATEMENTS if s.startswith("CREATE MATERIALIZED VIEW")]
    assert len(filling) > 8
    for statement in filling:
        assert re.search(r" ON CLUSTER 'main' TO \w+_local AS\n", statement)
        assert re.search(r"^FROM (\w+)_local AS \1$", statement, re.MULTILINE)


@pytest.mark.integration
def test_the_engine_parses_every_statement(warehouse: EmbeddedWarehouse) -> None:
    for statement in STATEMENTS:
        assert warehouse.query(f"EXPLAIN AST {statement}").num_rows > 0


def test_statements_without_local_tables_are_unchanged() -> None:
    for statement in ("SELECT 1", "INSERT INTO loans SELECT 1"):
        assert clustered(statement, "main", "loanpulse") == [statement]


def test_changes_reach_every_node() -> None:
    assert clustered("DROP TABLE loans", "main", "loanpulse") == [
        "DROP TABLE loans ON CLUSTER 'main' SYNC",
        "DROP TABLE loans_local ON CLUSTER 'main' SYNC",
    ]
    assert clustered("DROP VIEW filling", "main", "loanpulse") == ["DROP VIEW filling ON CLUSTER 'main'"]
    assert clustered("ALTER TABLE loans MODIFY SETTING x = 1", "main", "loanpulse") == [
        "ALTER TABLE loans_local ON CLUSTER 'main' MODIFY SETTING x = 1"
    ]
    for change in ("ADD COLUMN c Int64 COMMENT 'c' CODEC(ZSTD(1)) AFTER b", "COMMENT COLUMN c 'renewed'"):
        assert clustered(f"ALTER TABLE loans {change}", "main", "loanpulse") == [
            f"ALTER TABLE loans_local ON CLUSTER 'main' {change}",
            f"ALTER TABLE loans ON CLUSTER 'main' {change}",
        ]
    assert clustered("CREATE OR REPLACE VIEW v AS\nSELECT 1", "main", "loanpulse") == [
        "CREATE OR REPLACE VIEW v ON CLUSTER 'main' AS\nSELECT 1"
    ]


@pytest.mark.integration
def test_retention_follows_the_configuration(warehouse: EmbeddedWarehouse) -> None:
    migrate(warehouse)
    first = apply_retention(warehouse, RetentionSection())
    assert {"snapshots", "borrower_minutes"} <= set(first)
    assert "alerts" not in first
    assert apply_retention(warehouse, RetentionSection()) == []
    assert apply_retention(warehouse, RetentionSection(snapshots=10, borrower_minutes=0, borrower_day_moves=30)) == [
        "snapshots",
        "borrower_minutes",
        "borrower_day_moves",
    ]
    engine = warehouse.query("SELECT engine_full FROM system.tables WHERE name = 'snapshots'").column(0)[0].as_py()
    assert "TTL toDateTime(loaded_at) + toIntervalSecond(864000)" in engine
    warehouse.execute("INSERT INTO snapshots (snapshot_id, borrower_id, event_time, known_at, loaded_at) "
                      "SELECT 'x', 'b', '2026-01-01', '2026-01-01', now64(3) - INTERVAL 11 DAY")  # fmt: skip
    warehouse.execute("OPTIMIZE TABLE snapshots FINAL")
    assert warehouse.query("SELECT count() FROM snapshots").column(0)[0].as_py() == 0
