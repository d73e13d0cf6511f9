"""Taking a borrower out of every table, and the search that proves it."""

import base64
from collections.abc import Iterator
from typing import Any

import pytest

from loanpulse.sinks.embedded import EmbeddedWarehouse
from loanpulse.sinks.erasure import borrower_hash, erase, search_statement, texts_statement, write_audit
from tests.support import city_warehouse_rows

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedWarehouse]:
    """The city's warehouse once more: others go on using theirs."""
    folder = city_warehouse_rows.build(tmp_path_factory.mktemp("erasure") / "warehouse")
    warehouse = EmbeddedWarehouse(folder, "loanpulse", create=False)
    yield warehouse
    warehouse.close()


def found(warehouse: EmbeddedWarehouse, borrower: str) -> dict[str, int]:
    texts = [(row["table"], row["name"]) for row in warehouse.query(texts_statement()).to_pylist()]
    rows = warehouse.query(search_statement(texts, borrower)).to_pylist()
    return {row["place"]: row["found"] for row in rows if row["found"]}


def one(warehouse: EmbeddedWarehouse, statement: str) -> Any:
    return warehouse.query(statement).column(0)[0].as_py()


def test_one_borrower_is_erased_from_every_table(warehouse: EmbeddedWarehouse) -> None:
    borrower = one(warehouse, "SELECT borrower_id FROM alerts WHERE level_to = 'CRISIS' ORDER BY borrower_id LIMIT 1")
    hidden = base64.b64encode(b"\x00" + borrower.encode() + b"\x01").decode()
    warehouse.execute(
        "INSERT INTO dead_letters (topic, partition, offset, record_time, stage, code, message, key, value) "
        f"VALUES ('spending-events', 0, 99, now64(3), 'DECODE', 'BAD', 'why', NULL, '{hidden}')"
    )
    before = found(warehouse, borrower)
    kept = {"snapshots", "alerts", "alert_feedback", "repayment_events", "spending_events", "utility_events"}
    derived = {"borrowers_latest", "borrower_days", "loans", "instalment_ledger", "episodes", "level_changes"}
    assert kept | derived | {"dead_letters"} <= before.keys()
    others = "SELECT count() FROM snapshots WHERE borrower_id != '" + borrower + "'"
    counted, letters = one(warehouse, others), one(warehouse, "SELECT count() FROM dead_letters")
    now = one(warehouse, "SELECT count() FROM borrowers_now")

    erased = erase(warehouse, borrower)

    assert found(warehouse, borrower) == {}
    assert {entry.table for entry in erased} == before.keys()
    assert one(warehouse, others) == counted
    assert one(warehouse, "SELECT count() FROM dead_letters") == letters - 1
    assert one(warehouse, "SELECT count() FROM borrowers_now") == now - 1
    assert erase(warehouse, borrower) == [], "again is nothing"


def test_the_audit_names_tables_but_not_the_borrower(warehouse: EmbeddedWarehouse) -> None:
    borrower = one(warehouse, "SELECT max(borrower_id) FROM snapshots")
    erased = erase(warehouse, borrower)
    write_audit(warehouse, "request-1", borrower, "liquidity-snapshots", erased)
    write_audit(warehouse, "request-1", borrower, "liquidity-alerts", [])
    rows = warehouse.query("SELECT * FROM erasures WHERE request_id = 'request-1'").to_pylist()
    assert {row["borrower_hash"] for row in rows} == {borrower_hash(borrower)}
    assert {row["table_name"]: row["rows"] for row in rows if row["rows"]} == {e.table: e.rows for e in erased}
    assert [row["topic"] for row in rows if not row["rows"]] == ["liquidity-alerts"]
    assert found(warehouse, borrower) == {}


def test_any_pseudonym_is_quoted(warehouse: EmbeddedWarehouse) -> None:
    before = one(warehouse, "SELECT count() FROM snapshots")
    for name in ("x' OR 1 = 1 --", "\\", "{lender:String}", "%_%"):
        assert erase(warehouse, name) == []
        assert found(warehouse, name) == {}
    assert one(warehouse, "SELECT count() FROM snapshots") == before


def test_the_search_reaches_all_shards_and_into_dead_letters() -> None:
    statement = search_statement([("alerts_local", "borrower_id"), ("dead_letters_local", "value")], "b-1")
    alerts, letters = statement.split(" UNION ALL ")
    assert alerts.endswith("FROM alerts")
    assert letters.endswith("FROM dead_letters")
    assert "tryBase64Decode" in letters
