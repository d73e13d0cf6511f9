"""The commands as a user meets them, on a real broker."""

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from typer.testing import CliRunner

from loanpulse.commands.main import COMMANDS, app
from loanpulse.settings import Settings
from tests.support import processes, sample_logs
from tests.support.brokers import PARTITIONS
from tests.support.command_line import loanpulse
from tests.support.processes import Reader

pytestmark = [pytest.mark.integration, pytest.mark.timeout(180)]


@pytest.mark.parametrize(
    "command",
    ["", *COMMANDS, "topics create", "topics list", "topics dump", "topics register", "alerts tail", "models list"],
)
def test_every_command_has_help(command: str) -> None:
    done = CliRunner().invoke(app, [*command.split(), "--help"])
    assert done.exit_code == 0
    assert "Usage" in done.output


def test_a_wrong_name_is_answered_with_the_nearest() -> None:
    assert "Did you mean 'worker'" in loanpulse("wroker").stderr


@pytest.mark.parametrize("command", ["worker", "load", "query"])
def test_what_only_learning_needs_is_not_loaded_by_others(command: str) -> None:
    program = (
        "import sys\nfrom loanpulse.commands.main import app\n"
        f"app(['{command}', '--help'], standalone_mode=False)\nprint(sorted({{'river', 'sklearn'}} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_config_shows_origins_and_masks_secrets(tmp_path: Path) -> None:
    (tmp_path / "loanpulse.toml").write_text("[topics]\npartitions = 3\n")
    done = loanpulse("config", "--json", folder=tmp_path, LOANPULSE_WAREHOUSE__PASSWORD="hunter2")
    rows = {row["key"]: row for row in json.loads(done.stdout)}
    assert rows["topics.partitions"] == {**rows["topics.partitions"], "value": "3", "origin": "loanpulse.toml"}
    assert "hunter2" not in done.stdout
    assert rows["warehouse.password"]["origin"] == "LOANPULSE_WAREHOUSE__PASSWORD"


def test_a_wrong_configuration_ends_with_one_sentence(tmp_path: Path) -> None:
    done = loanpulse("config", folder=tmp_path, LOANPULSE_TOPICS__PARTITIONS="none")
    assert done.returncode == 2
    assert done.stderr.startswith("topics.partitions is 'none' (from LOANPULSE_TOPICS__PARTITIONS)")
    assert len(done.stderr.strip().splitlines()) == 1


def test_publish_refuses_by_line_and_field_and_sends_the_rest(deployment: Settings, tmp_path: Path) -> None:
    file = sample_logs.write(tmp_path / "good.jsonl", sample_logs.city(3, 20))
    good = file.read_text().splitlines()
    bad = json.loads(good[1])
    bad["value"]["amount"] = "-1.00"
    bad["value"]["event_id"] = "00000000-0000-4000-8000-000000000009"
    lines = [good[0], "{not json", json.dumps(bad), *good[2:]]
    file.write_text("\n".join(lines) + "\n")
    done = loanpulse("publish", str(file), settings=deployment)
    assert done.returncode == 1
    assert f"{file}:2: line: is not JSON" in done.stderr
    assert f"{file}:3: amount: Amounts must be zero or more" in done.stderr
    assert f"{len(good) - 1:,} published, 2 refused" in done.stdout
    reader = Reader(deployment, "repayment-events", "spending-events", "utility-events")
    reader.read_until(lambda: sum(map(len, reader.messages.values())) == len(good) - 1)
    reader.close()


def test_replay_needs_no_broker_and_repeats_itself(tmp_path: Path) -> None:
    file = sample_logs.write(tmp_path / "log.jsonl", sample_logs.city(10, 60))
    outputs = []
    for name in ("a", "b"):
        alerts, snapshots = tmp_path / f"{name}-alerts.jsonl", tmp_path / f"{name}-snapshots.jsonl"
        done = loanpulse("replay", str(file), "--alerts", str(alerts), "--snapshots", str(snapshots), folder=tmp_path)
        assert done.returncode == 0, done.stderr
        outputs.append((alerts.read_bytes(), snapshots.read_bytes()))
    assert outputs[0] == outputs[1]
    later = tmp_path / "later.jsonl"
    done = loanpulse("replay", str(file), "--snapshots", str(later), "--until", "2026-07-01T00:00:00Z", folder=tmp_path)
    assert done.returncode == 0
    assert len(later.read_bytes().splitlines()) > len(outputs[0][1].splitlines())


def test_topics_are_read_as_the_lines_that_were_published(deployment: Settings, tmp_path: Path) -> None:
    records = sample_logs.city(10, 30, flawed=True)
    processes.publish(deployment, records)
    processes.publish(deployment, records[:1])
    read = loanpulse("topics", "dump", settings=deployment)
    assert f"{len(records) + 1:,} records read" in read.stderr
    written = sample_logs.write(tmp_path / "written.jsonl", (*records, records[0])).read_text().splitlines()
    assert Counter(map(known, read.stdout.splitlines())) == Counter(map(known, written))
    kept = tmp_path / "kept.jsonl"
    kept.write_text("a line of before")
    wrong = loanpulse("topics", "dump", "spending", "--out", str(kept), settings=deployment)
    assert wrong.returncode == 1
    assert "topic 'spending' is not in the catalogue; take one of" in wrong.stderr
    elsewhere = loanpulse(
        "topics", "dump", "--out", str(kept), settings=deployment, LOANPULSE_TOPICS__PREFIX="elsewhere-"
    )
    assert "elsewhere-repayment-events is missing: run `loanpulse topics create` first" in elsewhere.stderr
    assert kept.read_text() == "a line of before"
    some = loanpulse("topics", "dump", "utility-events", "--out", str(kept), settings=deployment)
    assert some.returncode == 0
    assert {json.loads(line)["topic"] for line in kept.read_text().splitlines()} == {"utility-events"}


def known(line: str) -> str:
    """A line with its fields in one order, and a raw record's whatever its key."""
    content = json.loads(line)
    if "raw" in content:
        del content["key"]
    return json.dumps(content, sort_keys=True)


def test_doctor_says_what_is_wrong_and_what_to_do(deployment: Settings, tmp_path: Path) -> None:
    def problems(**more: str) -> str:
        done = loanpulse("doctor", "--json", settings=deployment, **more)
        assert done.returncode == 1
        return done.stdout

    assert "run `loanpulse warehouse migrate`" in problems()
    assert loanpulse("warehouse", "migrate", settings=deployment).returncode == 0
    healthy = loanpulse("doctor", settings=deployment)
    assert healthy.returncode == 0, healthy.stdout
    assert "no broker answers" in problems(LOANPULSE_BROKER__BOOTSTRAP_SERVERS="127.0.0.1:1")
    assert "loanpulse topics create" in problems(LOANPULSE_TOPICS__PREFIX="elsewhere-")
    assert f"has {PARTITIONS} partitions" in problems(LOANPULSE_TOPICS__PARTITIONS="5")
    assert "no ClickHouse answers" in problems(LOANPULSE_WAREHOUSE__KIND="server", LOANPULSE_WAREHOUSE__PORT="1")
    assert "registry" in problems(LOANPULSE_REGISTRY__URL="http://127.0.0.1:1")
    assert "can't be read" in problems(LOANPULSE_POLICY__PATH="/nowhere.toml")


def test_alerts_are_tailed(deployment: Settings, tmp_path: Path) -> None:
    processes.publish(deployment, sample_logs.city(20, 80, 3))
    with processes.part(deployment, tmp_path, "worker"):
        done = loanpulse("alerts", "tail", "--from-beginning", "--limit", "3", "--json", settings=deployment)
    assert done.returncode == 0, done.stderr
    alerts = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(alerts) == 3
    assert all(alert["alert_id"] and alert["lender_id"] for alert in alerts)


def test_simulate_writes_a_file_and_the_truth_aside(tmp_path: Path) -> None:
    done = loanpulse(
        "simulate", "--borrowers", "5", "--days", "60", "--out", str(tmp_path / "c.jsonl"), "--truth",
        str(tmp_path / "t.jsonl"), "--life-events", "9", "--start", "2026-01-01T00:00:00Z",
        folder=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert len((tmp_path / "c.jsonl").read_bytes().splitlines()) > 300
    assert b"life_event" in (tmp_path / "t.jsonl").read_bytes()
    assert b"JOB_LOSS" not in (tmp_path / "c.jsonl").read_bytes()


def test_a_worker_without_topics_says_what_to_run(deployment: Settings) -> None:
    done = loanpulse("worker", settings=deployment, LOANPULSE_TOPICS__PREFIX="nothing-")
    assert done.returncode == 1
    assert "loanpulse topics create" in done.stderr
