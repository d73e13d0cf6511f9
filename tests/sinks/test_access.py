"""The roles of deploy/clickhouse/access.sql, held by the engine itself: what each may do, and whose rows it sees."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from loanpulse.sinks.embedded import EmbeddedWarehouse
from loanpulse.sinks.migrate import migrate
from tests.support import warehouse_access

pytestmark = [pytest.mark.integration, pytest.mark.timeout(120)]

ANALYST, LOADER, OPERATOR = "loanpulse_analyst", "loanpulse_loader", "loanpulse_operator"
PERSONAL = {"borrower_id", "loan_id", "episode_id", "alert_id", "snapshot_id"}
ALERT = (
    "INSERT INTO loanpulse.alerts (alert_id, episode_id, borrower_id, lender_id, kind, level_from, level_to, "
    "event_time, detection_time, known_at) SELECT 'a' || toString(number), 'e' || toString(number), "
    "'b-' || toString(number), "
    "['lender-a', 'lender-b'][number % 2 + 1], 'LEVEL_CHANGE', 'WATCH', 'TENSE', toDateTime64('2026-05-01', 3, 'UTC'), "
    "toDateTime64('2026-05-01', 3, 'UTC'), toDateTime64('2026-05-01', 3, 'UTC') FROM numbers(10)"
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated warehouse on which everything in access.sql that is not about users has been run."""
    folder = tmp_path_factory.mktemp("access")
    warehouse = EmbeddedWarehouse(folder, "loanpulse")
    migrate(warehouse)
    warehouse.close()
    run = [one for one in warehouse_access.statements() if one.startswith(("USE", "ALTER TABLE", "CREATE TABLE"))]
    assert [answer for answer in as_role(folder, "", *run) if "error" in answer] == []
    lines = "INSERT INTO loanpulse.analyst_lenders VALUES ('default', 'lender-a'), ('other', 'lender-b')"
    assert as_role(folder, "", lines, ALERT) == [{"rows": []}, {"rows": []}]
    return folder


def as_role(folder: Path, role: str, *statements: str) -> list[dict[str, Any]]:
    task = {"path": str(folder / "tables"), "database": "loanpulse", "role": role, "statements": statements}
    done = subprocess.run(
        [sys.executable, warehouse_access.__file__],
        input=json.dumps(task),
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    answers: list[dict[str, Any]] = json.loads(done.stdout)
    return answers


def test_the_engine_accepts_every_statement(folder: Path) -> None:
    asked = [
        f"SELECT formatQuerySingleLine('{s.replace(chr(39), chr(39) * 2)}')" for s in warehouse_access.statements()
    ]
    refused = [answer for answer in as_role(folder, "", *asked) if "error" in answer]
    assert refused == []


def test_an_analyst_sees_the_rows_of_its_lender_only(folder: Path) -> None:
    views = sorted(warehouse_access.policies_of(ANALYST).keys() - {"analyst_lenders"})
    asked = [f"SELECT DISTINCT lender_id FROM loanpulse.{view}" for view in views]
    for view, answer in zip(views, as_role(folder, ANALYST, *asked), strict=True):
        assert answer.get("rows") in ([], [["lender-a"]]), (view, answer)
    (seen, whole) = as_role(
        folder, ANALYST, "SELECT sum(alerts) FROM loanpulse.alerts_daily", "SELECT * FROM loanpulse.analyst_lenders"
    )
    assert seen["rows"] in ([["5"]], [[5]])
    assert whole == {"rows": [["default", "lender-a"]]}
    (everyone,) = as_role(folder, OPERATOR, "SELECT uniqExact(lender_id) FROM loanpulse.alerts_daily")
    assert everyone["rows"] in ([[2]], [["2"]])


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT * FROM loanpulse.alerts",
        "SELECT * FROM loanpulse.snapshots",
        "SELECT * FROM loanpulse.borrowers_now",
        "SELECT * FROM loanpulse.alerts_newest",
        "SELECT * FROM loanpulse.dead_letters",
        "INSERT INTO loanpulse.analyst_lenders VALUES ('default', 'lender-b')",
        "DROP TABLE loanpulse.alerts",
        "SET readonly = 0",
        "SET max_execution_time = 0",
        "SELECT * FROM file('/etc/passwd', 'LineAsString')",
        "SELECT * FROM url('http://127.0.0.1:1', 'LineAsString')",
    ],
)
def test_an_analyst_can_do_nothing_else(folder: Path, statement: str) -> None:
    (answer,) = as_role(folder, ANALYST, statement)
    assert "ACCESS_DENIED" in answer["error"] or "READONLY" in answer["error"], answer


def test_the_loader_inserts_and_erases_and_no_more(folder: Path) -> None:
    answers = as_role(
        folder, LOADER, ALERT,
        "ALTER TABLE loanpulse.alerts DELETE WHERE borrower_id = 'b-x' SETTINGS mutations_sync = 2",
        "SELECT name FROM system.columns WHERE table = 'alerts' LIMIT 1",
        "DROP TABLE loanpulse.alerts", "CREATE TABLE loanpulse.t (a Int8) ENGINE = Memory",
        "TRUNCATE TABLE loanpulse.alerts",
        "ALTER TABLE loanpulse.alerts ADD COLUMN x Int8",
    )  # fmt: skip
    assert all("rows" in answer for answer in answers[:3]), answers
    assert all("ACCESS_DENIED" in answer["error"] for answer in answers[3:]), answers


def test_analysts_get_only_the_views_by_lender_that_identify_nobody(folder: Path) -> None:
    (answer,) = as_role(
        folder, "",
        "SELECT table, groupArray(name) FROM system.columns WHERE database = 'loanpulse' AND table IN (SELECT "
        "name FROM system.tables WHERE database = 'loanpulse' AND engine = 'View') GROUP BY table",
    )  # fmt: skip
    columns = {table: set(names) for table, names in answer["rows"]}
    granted = {grant.rsplit(".", 1)[1] for grant in warehouse_access.grants_of(ANALYST)} - {"analyst_lenders"}
    for view in granted:
        assert not columns[view] & PERSONAL, view
    by_lender = {view for view, names in columns.items() if "lender_id" in names and not names & PERSONAL}
    assert by_lender <= granted, "deploy/clickhouse/access.sql needs a grant and a policy for a new view"
    assert set(warehouse_access.policies_of(ANALYST)) - {"analyst_lenders"} == by_lender
