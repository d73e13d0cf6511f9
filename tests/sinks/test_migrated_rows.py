"""A warehouse that holds rows already is migrated: what the views said before, they say after.

Moves between levels count a borrower for each lender of any scoring of a day since then, where raw scorings tell it.
"""

import io
import shutil
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import fastavro
import pyarrow as pa
import pytest

from loanpulse.schemas import contracts
from loanpulse.schemas.contracts import INDICATORS
from loanpulse.schemas.registry import LocalRegistry, stable_id
from loanpulse.schemas.topics import TRAINING_EXAMPLES
from loanpulse.sinks.embedded import EmbeddedWarehouse
from loanpulse.sinks.migrate import FOLDER, migrate
from loanpulse.sinks.rows import RowMaker
from tests.support import sample_records
from tests.support.memory_log import Record
from tests.support.sample_portfolio import Made, moves

pytestmark = pytest.mark.integration

BEFORE_WHOLE_BOOK = 10
BEFORE_DEFAULTED_TIME = 11
FIRST_DAY = date(2026, 3, 4)  # the first with raw scorings
MOVES = "SELECT day, lender_id, level_from, level_to, borrowers FROM roll_rates_daily"
ASKED = (
    f"{MOVES} WHERE day < '{FIRST_DAY}'",
    "SELECT * EXCEPT payments, payments.3 AS amounts FROM instalments",
    "SELECT * FROM defaults",
    "SELECT * FROM loan_book",
    "SELECT * FROM alert_episodes",
    "SELECT * FROM vintage_curves",
)


@pytest.fixture
def warehouse(tmp_path: Path) -> Iterator[EmbeddedWarehouse]:
    warehouse = EmbeddedWarehouse(tmp_path / "warehouse", "loanpulse")
    yield warehouse
    warehouse.close()


def answers(warehouse: EmbeddedWarehouse) -> list[list[dict[str, Any]]]:
    return [sorted(warehouse.query(statement).to_pylist(), key=repr) for statement in ASKED]


def migrate_to(warehouse: EmbeddedWarehouse, number: int, folder: Path) -> None:
    folder.mkdir()
    for file in sorted(FOLDER.glob("*.sql"))[:number]:
        shutil.copy(file, folder)
    migrate(warehouse, folder)


def test_replaced_aggregates_keep_days_whose_raw_rows_have_expired(
    warehouse: EmbeddedWarehouse, tmp_path: Path
) -> None:
    migrate_to(warehouse, BEFORE_WHOLE_BOOK, tmp_path / "migrations")
    portfolio = Made(warehouse)
    for expired in (
        f"snapshots DELETE WHERE event_time < '{FIRST_DAY}'",
        "repayment_events DELETE WHERE event_time < '2026-01-01'",
    ):
        warehouse.execute(f"ALTER TABLE {expired} SETTINGS mutations_sync = 2")
    before = answers(warehouse)
    assert migrate(warehouse)[0].number == BEFORE_WHOLE_BOOK + 1
    assert all(before)
    assert answers(warehouse) == before
    of_raw = {row for row in portfolio.ask(MOVES) if row[0] >= FIRST_DAY}
    assert of_raw == {(*key, count) for key, count in moves(portfolio.scorings).items() if key[0] >= FIRST_DAY}


DEFAULTED = sample_records.START + timedelta(days=20)


def example(name: str, version: int) -> Record:
    """An example as a trainer of that version of the contract wrote it."""
    reading = {"value": 0.5, "utility": 0.5, "evidence": 1.0, "points": 1.25, "age_days": 2.0}
    value = {
        "example_id": name, "borrower_id": "b-1", "snapshot_id": f"of-{name}", "event_time": sample_records.START,
        "matured_time": sample_records.START + timedelta(days=30), "defaulted": True, "weight": 1.0,
        "lhi": 30.0, "pd": 0.3,
        **dict.fromkeys(INDICATORS, reading),
        "model_version": "m1", "lender_id": None, "horizon_days": 30, "outcome": "DEFAULTED",
        "known_at": sample_records.START,
        "level": "TENSE", "defaulted_time": DEFAULTED,
    }  # fmt: skip
    schema = contracts.history()["training-examples-value"][version - 1]
    body = io.BytesIO(b"\0" + stable_id(schema).to_bytes(4, "big"))
    body.seek(0, io.SEEK_END)
    fastavro.schemaless_writer(body, fastavro.parse_schema(dict(schema)), value)
    return Record(TRAINING_EXAMPLES, version, b"b-1", body.getvalue())


def rows(*records: Record) -> pa.Table:
    made_rows = RowMaker(LocalRegistry()).rows(TRAINING_EXAMPLES, records)
    assert made_rows.refused is None
    return made_rows.rows


def test_examples_without_a_default_time_stay_after_migration(warehouse: EmbeddedWarehouse, tmp_path: Path) -> None:
    migrate_to(warehouse, BEFORE_DEFAULTED_TIME, tmp_path / "migrations")
    warehouse.insert("training_examples", rows(example("kept", 2)).drop_columns(["defaulted_time"]))
    assert migrate(warehouse)[0].number == BEFORE_DEFAULTED_TIME + 1
    warehouse.insert("training_examples", rows(example("late", 2), example("new", 3)))
    found = warehouse.query("SELECT example_id, level, defaulted_time FROM training_examples ORDER BY example_id")
    assert [tuple(row.values()) for row in found.to_pylist()] == [
        ("kept", "TENSE", None), ("late", "TENSE", None), ("new", "TENSE", DEFAULTED),
    ]  # fmt: skip
