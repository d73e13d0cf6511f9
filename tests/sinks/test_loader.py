"""From topics to tables on real parts: every row once, whatever happens to the loader; queries beside it."""

import time
from pathlib import Path

import pytest

from loanpulse.commands import child
from loanpulse.schemas.topics import DEAD_LETTERS, LIQUIDITY_ALERTS, LIQUIDITY_SNAPSHOTS
from loanpulse.settings import Settings
from loanpulse.sinks.query_client import run_query
from loanpulse.sinks.warehouse import WarehouseError
from tests.support import compare_outputs, processes, sample_logs
from tests.support.processes import Reader, part
from tests.support.warehouse_rows import count, wait_for

pytestmark = [pytest.mark.integration, pytest.mark.timeout(240)]


def test_publish_to_alert_to_row(deployment: Settings, tmp_path: Path) -> None:
    """The main job: events in, alerts out, rows in the warehouse, each once, also when the loader is killed."""
    records = sample_logs.city(flawed=True)
    refused = sum(record.flaw is not None for record in records)
    expected = compare_outputs.by_replay(deployment, tmp_path, records)
    processes.publish(deployment, records)
    reader = Reader(deployment, LIQUIDITY_ALERTS, LIQUIDITY_SNAPSHOTS, DEAD_LETTERS)
    with part(deployment, tmp_path, "worker") as worker:
        with part(deployment, tmp_path, "load") as loader:
            reader.read_until(lambda: len(reader.messages[LIQUIDITY_SNAPSHOTS]) > 500)
            time.sleep(1.0)
            processes.kill(loader)
        with part(deployment, tmp_path, "load"):
            reader.read_all(expected.ids)
            reader.read_until(lambda: len(reader.messages[DEAD_LETTERS]) >= refused)
            child.stop(worker)
            reader.read_to_end()
            snapshots = {value["snapshot_id"] for value in reader.values(LIQUIDITY_SNAPSHOTS)}
            alerts = {value["alert_id"] for value in reader.values(LIQUIDITY_ALERTS)}
            letters = len(reader.messages[DEAD_LETTERS])
            wait_for(deployment, "SELECT count() FROM snapshots FINAL", len(snapshots))
            wait_for(deployment, "SELECT count() FROM alerts FINAL", len(alerts))
            wait_for(deployment, "SELECT count() FROM dead_letters FINAL", letters)
            wait_for(deployment, "SELECT uniqExact(borrower_id) FROM borrowers_now", 40)  # views follow their table
            with pytest.raises(WarehouseError, match="readonly"):
                run_query(deployment.warehouse, "DROP TABLE alerts")
    reader.close()
    # The loader is gone: the folder is asked itself.
    assert count(deployment, "SELECT sum(borrowers) > 0 FROM portfolio_now") == 1
    newest = run_query(
        deployment.warehouse, "SELECT alert_id, reasons, lender_id FROM alerts_newest LIMIT 5"
    ).to_pylist()
    assert len(newest) == 5
    assert all(row["alert_id"] in alerts for row in newest)
