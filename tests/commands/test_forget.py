"""A borrower forgotten while everything runs: out of state, changelog and tables, and nobody else with it."""

import json
from collections import Counter
from pathlib import Path

import pytest

from loanpulse.schemas.topics import LIQUIDITY_ALERTS, LIQUIDITY_SNAPSHOTS
from loanpulse.settings import Settings
from loanpulse.sinks.borrower_topics import in_state
from loanpulse.sinks.query_client import run_query
from tests.support import compare_outputs, processes, sample_logs
from tests.support.command_line import loanpulse
from tests.support.processes import Reader, part, wait_until
from tests.support.warehouse_rows import count, wait_for

pytestmark = [pytest.mark.integration, pytest.mark.timeout(240)]


def test_forgotten_while_worker_and_loader_run(deployment: Settings, tmp_path: Path) -> None:
    records = sample_logs.city(12, 60, 3)
    borrower, other = (key for key, _ in Counter(record.key for record in records).most_common(2))
    processes.publish(deployment, records)
    reader = Reader(deployment, LIQUIDITY_SNAPSHOTS, LIQUIDITY_ALERTS)
    with part(deployment, tmp_path, "worker"), part(deployment, tmp_path, "load"):
        reader.read_all(compare_outputs.by_replay(deployment, tmp_path, records).ids)
        snapshots = {value["snapshot_id"] for value in reader.values(LIQUIDITY_SNAPSHOTS)}
        wait_for(deployment, "SELECT uniqExact(snapshot_id) FROM snapshots", len(snapshots))
        others = count(deployment, f"SELECT count() FROM snapshots FINAL WHERE borrower_id != '{borrower}'")
        wait_until(lambda: in_state(deployment, borrower))
        before = loanpulse("forget", borrower, "--check", "--json", settings=deployment)
        assert before.returncode == 1
        found = json.loads(before.stdout)
        assert found["in_state"]
        assert {"snapshots", "repayment_events", "spending_events", "utility_events"} <= set(found["rows_in_tables"])
        done = loanpulse("forget", borrower, "--yes", "--json", settings=deployment)
        assert done.returncode == 0, done.stdout + done.stderr
        result = json.loads(done.stdout)
        assert not result["in_state"]
        assert result["rows_in_tables"] == {}
        left = {row["topic"].removeprefix(deployment.topics.prefix): row for row in result["records_in_topics"]}
        assert left["liquidity-snapshots"]["until"] is not None, "topics kept by time say when they lose it"
        assert not left["loanpulse-borrowers-changelog"]["live"]
        assert count(deployment, f"SELECT count() FROM snapshots FINAL WHERE borrower_id != '{borrower}'") == others
        assert count(deployment, "SELECT count() FROM dead_letters") == 0
        audit = run_query(deployment.warehouse, "SELECT * FROM erasures").to_pylist()
        assert {row["borrower_hash"] for row in audit} == {result["borrower_hash"]}
        assert {row["request_id"] for row in audit} == {result["request_id"]}
        assert sum(row["rows"] for row in audit if row["table_name"] == "snapshots") > 0
        assert borrower not in json.dumps(audit, default=str)
    # Without a worker and a loader the command finds the same, and cleans the folder itself.
    again = loanpulse("forget", borrower, "--yes", "--json", "--wait", "1", settings=deployment)
    assert again.returncode == 0, again.stdout + again.stderr
    assert json.loads(loanpulse("forget", other, "--check", "--json", settings=deployment).stdout)["in_state"]
    reader.close()
    logs = "".join(file.read_text() for file in tmp_path.glob("*.log"))
    assert borrower not in logs


def test_it_asks_first_and_refuses_what_is_no_pseudonym(deployment: Settings) -> None:
    assert loanpulse("forget", "b-1", settings=deployment).returncode == 1
    assert "1 to 64 characters" in loanpulse("forget", "b" * 65, "--yes", settings=deployment).stderr
