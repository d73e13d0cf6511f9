"""`loanpulse query` and `loanpulse warehouse migrate` as a person types them, over a warehouse in a folder."""

import io
import json
import random
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pyarrow.parquet
import pytest
from click.testing import Result
from typer.testing import CliRunner

from loanpulse.commands.main import app
from loanpulse.schemas.registry import LocalRegistry
from loanpulse.sinks.embedded import EmbeddedWarehouse
from loanpulse.sinks.rows import RowMaker
from tests.support import sample_records

pytestmark = pytest.mark.integration

Command = Callable[..., Result]


@pytest.fixture
def loanpulse(tmp_path: Path) -> Command:
    environment = {"LOANPULSE_WAREHOUSE__PATH": str(tmp_path / "warehouse"), "COLUMNS": "200", "NO_COLOR": "1"}

    def run(*arguments: str, **more: str) -> Result:
        return CliRunner().invoke(app, list(arguments), env=environment | more)

    return run


def fill(folder: Path) -> None:
    dice = random.Random(3)
    warehouse = EmbeddedWarehouse(folder, "loanpulse")
    values, level = [], "STABLE"
    for hour in range(24 * 50):
        before, level = level, dice.choice(("STABLE", "STABLE", "WATCH", "TENSE"))
        lender = "lender-a" if hour % 2 else "lender-b"
        values.append(sample_records.snapshot(f"b-{hour % 2}", sample_records.START + timedelta(hours=hour),
                                              level=level, previous_level=before, lender_ids=[lender]))  # fmt: skip
    rows = RowMaker(LocalRegistry()).rows(
        sample_records.SNAPSHOTS, sample_records.records(sample_records.SNAPSHOTS, values)
    )
    warehouse.insert(rows.table, rows.rows)
    warehouse.close()


def test_migrations_are_shown_applied_and_told(loanpulse: Command, tmp_path: Path) -> None:
    shown = loanpulse("warehouse", "migrate", "--dry-run")
    assert shown.exit_code == 0
    assert "CREATE TABLE snapshots\n" in shown.stdout
    assert "pending 0001_events" in loanpulse("warehouse", "migrate", "status").stdout
    assert not (tmp_path / "warehouse").exists(), "looking makes nothing"
    applied = loanpulse("warehouse", "migrate")
    assert "applied 0001_events" in applied.stdout
    status = loanpulse("warehouse", "migrate", "status").stdout
    assert "applied 0001_events" in status
    assert "pending" not in status
    assert loanpulse("warehouse", "migrate", "--dry-run").stdout.strip() == ""
    assert "0 applied now" in loanpulse("warehouse", "migrate").stdout


def test_a_cluster_is_shown_before_it_is_made(loanpulse: Command) -> None:
    wrong = loanpulse("warehouse", "migrate", "--dry-run", LOANPULSE_WAREHOUSE__CLUSTER="main")
    assert wrong.exit_code == 2
    assert "cluster needs kind = server" in wrong.stderr


def test_a_documented_query_with_its_options_in_every_form(loanpulse: Command, tmp_path: Path) -> None:
    assert loanpulse("warehouse", "migrate").exit_code == 0
    fill(tmp_path / "warehouse")
    asked = ("query", "roll-rates", "--lender", "lender-a", "--since", "30d")
    table = loanpulse(*asked)
    assert table.exit_code == 0, table.stderr
    assert "level_from" in table.stdout
    rows = [json.loads(line) for line in loanpulse(*asked, "--format", "json").stdout.splitlines()]
    assert {row["lender_id"] for row in rows} == {"lender-a"}
    assert sum(row["borrower_days"] for row in rows) == 31
    csv = loanpulse(*asked, "-f", "csv").stdout.splitlines()
    assert csv[0].startswith('"lender_id","level_from"')
    assert len(csv) == len(rows) + 1
    file = tmp_path / "roll-rates.parquet"
    assert loanpulse(*asked, "--format", "parquet", "--output", str(file)).exit_code == 0
    assert pyarrow.parquet.read_table(file).num_rows == len(rows)
    named = tmp_path / "named.parquet"
    assert loanpulse(*asked, "-o", str(named)).exit_code == 0
    assert named.read_bytes() == file.read_bytes()
    piped = loanpulse(*asked, "--format", "parquet").stdout_bytes
    assert pyarrow.parquet.read_table(io.BytesIO(piped)).num_rows == len(rows)
    all_of_it = [json.loads(line) for line in loanpulse("query", "roll-rates", "-f", "json").stdout.splitlines()]
    assert {row["lender_id"] for row in all_of_it} == {"lender-a", "lender-b"}


def test_what_cannot_be_asked_is_told(loanpulse: Command) -> None:
    wrong = loanpulse("query", "roll-rates", "--colour", "red")
    assert (wrong.exit_code, wrong.stderr) == (2, "roll-rates has no --colour; it takes --lender, --since.\n")
    assert "use one of alert-precision" in loanpulse("query", "nothing").stderr
    assert "--lender needs a value" in loanpulse("query", "roll-rates", "--lender").stderr


def test_names_complete(loanpulse: Command) -> None:
    done = loanpulse(_LOANPULSE_COMPLETE="complete_zsh", _TYPER_COMPLETE_ARGS="loanpulse query roll")
    assert '"roll-rates":"The matrix of roll rates' in done.stdout
