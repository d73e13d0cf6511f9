"""A warehouse that holds rows already is migrated: what the views said before, they say after.

Moves between levels count a borrower for each lender of any scoring of a day since then, where raw scorings tell it.
"""

import shutil
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from loanpulse.sinks.embedded import EmbeddedWarehouse
from loanpulse.sinks.migrate import FOLDER, migrate
from tests.sinks.made_portfolio import Made, moves

pytestmark = pytest.mark.integration

BEFORE_WHOLE_BOOK = 10
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


def test_replaced_aggregates_are_carried_over_even_where_raw_rows_have_expired(
    warehouse: EmbeddedWarehouse, tmp_path: Path
) -> None:
    old = tmp_path / "migrations"
    old.mkdir()
    for file in sorted(FOLDER.glob("*.sql"))[:BEFORE_WHOLE_BOOK]:
        shutil.copy(file, old)
    migrate(warehouse, old)
    made = Made(warehouse)
    for expired in (
        f"snapshots DELETE WHERE event_time < '{FIRST_DAY}'",
        "repayment_events DELETE WHERE event_time < '2026-01-01'",
    ):
        warehouse.execute(f"ALTER TABLE {expired} SETTINGS mutations_sync = 2")
    before = answers(warehouse)
    assert migrate(warehouse)[0].number == BEFORE_WHOLE_BOOK + 1
    assert all(before)
    assert answers(warehouse) == before
    of_raw = {row for row in made.ask(MOVES) if row[0] >= FIRST_DAY}
    assert of_raw == {(*key, count) for key, count in moves(made.scorings).items() if key[0] >= FIRST_DAY}
