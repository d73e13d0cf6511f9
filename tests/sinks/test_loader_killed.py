"""A loader that is killed again and again, at random points, leaves every row once."""

import subprocess
import sys
from pathlib import Path

import pytest

from loanpulse.sinks.embedded import EmbeddedWarehouse
from tests.support import sample_records
from tests.support.killed_loader import KILLS, SEED, a_log

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]


def test_rows_are_loaded_once_through_a_hundred_kills(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.support.killed_loader", str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    killed = int(done.stdout)
    log = a_log()
    warehouse = EmbeddedWarehouse(tmp_path, "loanpulse")
    for topic, table, identity in (
        (sample_records.SNAPSHOTS, "snapshots", "snapshot_id"), (sample_records.ALERTS, "alerts", "alert_id"),
    ):  # fmt: skip
        wanted = sum(len(records) for place, records in log.items() if place[0] == topic) - 2 * (
            topic == sample_records.ALERTS
        )
        rows, ids, places = (
            warehouse.query(
                f"SELECT count(), uniqExact({identity}), uniqExact(kafka_partition, kafka_offset) FROM {table}"
            )
            .to_pylist()[0]
            .values()
        )
        assert (rows, ids, places) == (wanted, wanted, wanted), f"seed {SEED}"
    assert warehouse.query("SELECT count() FROM dead_letters").column(0)[0].as_py() == 2
    assert warehouse.query("SELECT count() FROM borrowers_now").column(0)[0].as_py() == 100
    under_way = warehouse.query("SELECT countIf(NOT loaded) FROM loader_blocks FINAL").column(0)[0].as_py()
    warehouse.close()
    assert under_way == 0
    assert killed == KILLS, "the log was at its end before the last kill"
