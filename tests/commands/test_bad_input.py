"""What a person meets who gives a wrong file, a wrong name, or no broker."""

import os
import subprocess
import sys
import time
from pathlib import Path

import orjson
import pytest
from typer.testing import CliRunner

from loanpulse.commands.main import app
from loanpulse.commands.query import _cell

NO_BROKER = {"LOANPULSE_BROKER__BOOTSTRAP_SERVERS": "127.0.0.1:1", "COLUMNS": "200", "NO_COLOR": "1"}


@pytest.mark.parametrize(
    "command",
    [
        "models list",
        "models promote expert-1 --by a --why b",
        "forget b-1 --yes",
        "alerts feedback x paid",
        "topics dump",
    ],
)
def test_without_a_broker_the_cause_is_told_in_one_sentence_and_soon(command: str) -> None:
    began = time.monotonic()
    done = CliRunner().invoke(app, command.split(), env=NO_BROKER)
    assert time.monotonic() - began < 5
    assert done.exit_code == 1
    assert done.stderr.startswith("no broker answers at 127.0.0.1:1 within 3 s (Connection refused); check")
    assert len(done.stderr.strip().splitlines()) == 1


def test_doctor_does_not_keep_one_waiting(tmp_path: Path) -> None:
    began = time.monotonic()
    done = CliRunner().invoke(app, ["doctor"], env=NO_BROKER | {"LOANPULSE_WAREHOUSE__PATH": str(tmp_path / "none")})
    assert time.monotonic() - began < 5
    assert done.exit_code == 1
    assert "(Connection refused)" in done.stdout


@pytest.mark.parametrize(
    "command",
    [
        "replay LOG --alerts LOG", "replay LOG --snapshots LOG", "replay LOG --alerts N --snapshots N",
        "replay LOG --directives C --alerts C", "backtest LOG --html LOG", "backtest LOG --html N --json N",
        "simulate --days 1 --out N --truth N", "evaluate uci --train LOG --score C --out LOG",
    ],
)  # fmt: skip
def test_no_output_overwrites_an_input_or_another_output(command: str, tmp_path: Path) -> None:
    places = {"LOG": tmp_path / "log.jsonl", "C": tmp_path / "directives.jsonl", "N": tmp_path / "new.jsonl"}
    places["LOG"].write_text("{}\n")
    places["C"].write_text("{}\n")
    done = CliRunner().invoke(app, [str(places.get(word, word)) for word in command.split()])
    assert done.exit_code == 2
    assert "would be overwritten" in done.stderr
    assert places["LOG"].read_text() == places["C"].read_text() == "{}\n"
    assert not places["N"].exists()


def test_a_configuration_of_another_encoding_is_told_in_a_sentence(tmp_path: Path) -> None:
    file = tmp_path / "loanpulse.toml"
    file.write_bytes("[topics]\npartitions = 3\n".encode("utf-16"))
    done = CliRunner().invoke(app, ["config", "-c", str(file)])
    assert done.exit_code == 2
    assert done.stderr == f"The configuration file {file} is not TOML: it is not UTF-8 text.\n"


def test_a_configuration_may_begin_with_a_byte_order_mark(tmp_path: Path) -> None:
    file = tmp_path / "loanpulse.toml"
    file.write_text("[topics]\npartitions = 3\n", encoding="utf-8-sig")
    assert CliRunner().invoke(app, ["config", "-c", str(file)]).exit_code == 0


def test_a_file_that_cannot_be_written_is_named_with_the_cause(tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    log.write_text("")
    done = CliRunner().invoke(app, ["replay", str(log), "--alerts", str(tmp_path / "none" / "alerts.jsonl")])
    assert done.exit_code == 1
    assert "alerts.jsonl can't be opened: No such file or directory." in done.stderr


def test_a_place_in_a_file_is_no_emoji() -> None:
    program = "from loanpulse.commands.console import err; err.print('log:100: wrong', markup=False)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stderr == "log:100: wrong\n"


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        (1234567.89, "1234567.89"),
        (43607.97, "43607.97"),
        (0.00081234567, "0.000812346"),
        (12.5, "12.5"),
        (1e6, "1000000"),
    ],
)
def test_a_large_number_is_printed_whole(number: float, shown: str) -> None:
    assert _cell(number) == shown


def test_a_piped_table_is_whole_however_narrow_the_terminal() -> None:
    program = (
        "from rich.table import Table\nfrom loanpulse.commands.console import print_table\n"
        "table = Table('one', 'two', box=None)\ntable.add_row('a' * 150, 'b' * 150)\nprint_table(table)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, env={**os.environ, "COLUMNS": "40"}
    )
    assert "a" * 150 in done.stdout
    assert "b" * 150 in done.stdout
    assert len(done.stdout.splitlines()) == 2


def test_a_log_with_absurd_amounts_and_times_is_replayed_around_them(tmp_path: Path) -> None:
    value = {
        "event_id": "00000000-0000-4000-8000-000000000001", "borrower_id": "b-1", "source": "bank",
        "event_time": "2026-03-01T08:00:00.000Z", "kind": "PURCHASE", "category": "GROCERIES", "amount": "12.00",
        "currency": "CNY",
    }  # fmt: skip
    odd = [
        {"amount": "9" * 40},
        {"amount": "1e999999"},
        {"amount": "0." + "1" * 60},
        {"event_time": "9999-12-31T23:59:59Z"},
        {"event_time": "1600-01-01T00:00:00Z"},
    ]
    values = [value | change | {"event_id": value["event_id"][:-1] + str(n)} for n, change in enumerate([*odd, {}])]
    log, snapshots = tmp_path / "log.jsonl", tmp_path / "snapshots.jsonl"
    log.write_bytes(b"\n".join(orjson.dumps({"topic": "spending-events", "value": one}) for one in values) + b"\n")
    done = CliRunner().invoke(app, ["replay", str(log), "--snapshots", str(snapshots)], env={"COLUMNS": "200"})
    assert done.exception is None or isinstance(done.exception, SystemExit)
    assert len(snapshots.read_bytes().splitlines()) == 1
    assert all(f":{line}: " in done.output for line in range(1, 6))
    assert "TIME_IN_FUTURE" in done.output
    assert "TOO_LATE" in done.output
