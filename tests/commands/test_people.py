"""`report`, `export` and the example script as a person runs them, on the city's warehouse."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet
import pytest

from tests.support.command_line import loanpulse

pytestmark = pytest.mark.integration

ROOT = Path(__file__).parents[2]


def run(folder: Path, *arguments: str, warehouse: Path) -> str:
    done = loanpulse(*arguments, folder=folder, LOANPULSE_WAREHOUSE__PATH=str(warehouse))
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_report_writes_a_page(city_warehouse_folder: Path, tmp_path: Path) -> None:
    run(
        tmp_path, "report", "--lender", "lender-a", "--month", "2026-06", "--language", "zh", "--out", "z.html",
        warehouse=city_warehouse_folder,
    )  # fmt: skip
    assert "滚动率" in (tmp_path / "z.html").read_text()


@pytest.mark.parametrize(
    ("arguments", "said", "code"),
    [
        (("--lender", "lender-a", "--month", "June"), "--month 'June' is not a month, such as 2026-05.", 2),
        (("--lender", "nobody", "--month", "2026-06"), "no scorings of borrowers of 'nobody'", 1),
    ],
)
def test_report_says_what_is_wrong(
    city_warehouse_folder: Path, tmp_path: Path, arguments: tuple[str, ...], said: str, code: int
) -> None:
    done = loanpulse("report", *arguments, folder=tmp_path, LOANPULSE_WAREHOUSE__PATH=str(city_warehouse_folder))
    assert (done.returncode, said in done.stderr) == (code, True), done.stderr
    assert list(tmp_path.iterdir()) == []


def test_export_of_a_lender_that_is_not_known_writes_nothing(city_warehouse_folder: Path, tmp_path: Path) -> None:
    asked = ("export", "--lender", "nobody", "--month", "2026-06", "--out", "out")
    done = loanpulse(*asked, folder=tmp_path, LOANPULSE_WAREHOUSE__PATH=str(city_warehouse_folder))
    assert done.returncode == 1
    assert "no scorings of borrowers of 'nobody'" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_export_has_every_column_explained_and_only_this_lender(city_warehouse_folder: Path, tmp_path: Path) -> None:
    run(
        tmp_path,
        "export",
        "--lender",
        "lender-a",
        "--month",
        "2026-06",
        "--out",
        "out",
        warehouse=city_warehouse_folder,
    )
    files = {file.stem: pyarrow.parquet.read_table(file) for file in (tmp_path / "out").glob("*.parquet")}
    dictionary = files.pop("dictionary").to_pylist()
    assert {row["file"] for row in dictionary} == {f"{name}.parquet" for name in files}
    for name, rows in files.items():
        explained = {row["column"]: row["meaning"] for row in dictionary if row["file"] == f"{name}.parquet"}
        assert list(explained) == rows.column_names
        assert all(explained.values()), (name, [column for column, meaning in explained.items() if not meaning])
        assert rows.num_rows, name
        if "lender_id" in rows.column_names:
            allowed = {"lender-a", ""} if name == "model_health" else {"lender-a"}
            assert set(rows.column("lender_id").to_pylist()) <= allowed
        if "borrower_id" in rows.column_names:
            assert all(re.fullmatch(r"x-[0-9a-f]{20}", one) for one in rows.column("borrower_id").to_pylist())
    assert "## alerts.parquet" in (tmp_path / "out" / "dictionary.md").read_text()
    codes = set(files["alerts"].column("borrower_id").to_pylist())
    assert codes & set(files["alert_outcomes"].column("borrower_id").to_pylist()), "files can be joined with each other"
    query = "SELECT DISTINCT borrower_id FROM snapshots"
    names = run(tmp_path, "query", query, "--format", "json", warehouse=city_warehouse_folder).splitlines()
    content = b"".join(file.read_bytes() for file in (tmp_path / "out").iterdir())
    texts = str([files[name].to_pylist() for name in files])
    for line in names:
        assert json.loads(line)["borrower_id"] not in texts
        assert json.loads(line)["borrower_id"].encode() not in content


def test_the_example_goes_from_connection_to_chart(city_warehouse_folder: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, str(ROOT / "docs/examples/portfolio_chart.py"), "--lender", "lender-a", "--out", "c.svg"],
        capture_output=True, text=True, check=False, cwd=tmp_path, timeout=60,
        env={**os.environ, "LOANPULSE_WAREHOUSE__PATH": str(city_warehouse_folder)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    drawn = (tmp_path / "c.svg").read_text()
    assert drawn.startswith("<svg")
    assert "CRISIS" in drawn
    assert drawn.count("#1d6f5b") > 20, "a bar for every day"
