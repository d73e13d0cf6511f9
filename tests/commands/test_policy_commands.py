"""Policies and directives as people give them at the command line."""

import json
from pathlib import Path

import pytest

from loanpulse.schemas.topics import ALERT_FEEDBACK, LIQUIDITY_ALERTS, SUPPRESSIONS
from loanpulse.settings import Settings
from loanpulse.streams.policy import policy_file
from tests.support import sample_logs
from tests.support.command_line import loanpulse
from tests.support.processes import Reader

PACKAGED = policy_file.load().version
TENSE = policy_file.load().file.levels.TENSE


@pytest.fixture
def stricter(tmp_path: Path) -> Path:
    file = tmp_path / "stricter.toml"
    text = policy_file.read().replace(f'version = "{PACKAGED}"', 'version = "stricter"')
    file.write_text(
        text.replace(f"TENSE = {TENSE}", "TENSE = 40.0").replace("alerts_per_day = 0", "alerts_per_day = 3")
    )
    return file


def test_check_names_the_key_that_is_wrong(tmp_path: Path, stricter: Path) -> None:
    good = loanpulse("policy", "check", str(stricter), folder=tmp_path)
    assert (good.returncode, "valid policy, version stricter" in good.stdout) == (0, True)
    stricter.write_text(stricter.read_text().replace("largest_cut = 0.5", "largest_cut = 5"))
    bad = loanpulse("policy", "check", str(stricter), folder=tmp_path)
    assert bad.returncode == 1
    assert "help.largest_cut" in bad.stderr
    assert len(bad.stderr.strip().splitlines()) == 1


def test_diff_and_show_tell_values_by_key(tmp_path: Path, stricter: Path) -> None:
    changed = json.loads(loanpulse("policy", "diff", str(stricter), "--json", folder=tmp_path).stdout)
    assert changed == {
        "version": {"old": PACKAGED, "new": "stricter"},
        "levels.TENSE": {"old": TENSE, "new": 40.0},
        "lenders.default.alerts_per_day": {"old": 0, "new": 3},
    }
    back = json.loads(loanpulse("policy", "diff", str(stricter), str(policy_file.PACKAGED), "--json").stdout)
    assert back["levels.TENSE"] == {"old": 40.0, "new": TENSE}
    assert "same" in loanpulse("policy", "diff", str(stricter), str(stricter)).stdout
    values = json.loads(loanpulse("policy", "show", str(stricter), "--json", folder=tmp_path).stdout)
    assert values["levels.TENSE"] == 40.0
    assert values["jurisdictions.CN.time_zone"] == "Asia/Shanghai"


def test_compare_shows_what_would_change_and_how_good_it_is(tmp_path: Path, stricter: Path) -> None:
    log, truth = tmp_path / "log.jsonl", tmp_path / "truth.jsonl"
    done = loanpulse(
        "simulate", "--borrowers", "40", "--days", "120", "--seed", "4", "--life-events", "3", "--start",
        "2026-01-01T00:00:00Z", "--out", str(log), "--truth", str(truth), folder=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    done = loanpulse("policy", "compare", str(stricter), str(log), "--truth", str(truth), "--json", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["added"]
    assert found["changed"] > 0
    assert {alert["policy_version"] for alert in found["added"]} == {"stricter"}
    assert {alert["policy_version"] for alert in found["removed"]} <= {PACKAGED}
    present, new = found["quality"]["present"], found["quality"]["new"]
    assert present["defaults"] == new["defaults"] > 0
    assert 0.0 < present["precision"] <= 1.0
    same = loanpulse("policy", "compare", str(policy_file.PACKAGED), str(log), "--json", folder=tmp_path)
    unchanged = json.loads(same.stdout)
    assert (unchanged["added"], unchanged["removed"], unchanged["changed"]) == ([], [], 0)
    assert unchanged["kept"] > 0


def test_directives_in_a_file_are_applied_by_replay(tmp_path: Path, stricter: Path) -> None:
    log = sample_logs.write(tmp_path / "log.jsonl", sample_logs.city(12, 80))
    borrower = json.loads(log.read_text().splitlines()[0])["value"]["borrower_id"]
    directives = tmp_path / "directives.jsonl"
    for arguments in (
        ("policy", "activate", str(stricter), "--by", "p-1", "--at", "2026-04-10T00:00:00Z"),
        ("alerts", "suppress", borrower, "--reason", "dispute", "--by", "p-1", "--at", "2026-03-01T00:00:00Z"),
    ):
        done = loanpulse(*arguments, "--out", str(directives), folder=tmp_path)
        assert done.returncode == 0, done.stderr
    suppression = done.stdout.strip()
    alerts = tmp_path / "alerts.jsonl"
    done = loanpulse(
        "replay", str(log), "--directives", str(directives), "--alerts", str(alerts), folder=tmp_path
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    told = [json.loads(line)["value"] for line in alerts.read_text().splitlines()]
    assert {alert["policy_version"] for alert in told} == {PACKAGED, "stricter"}
    for alert in told:
        assert (alert["policy_version"] == "stricter") == (alert["event_time"] >= "2026-04-10")
        assert (alert["suppression_id"] == suppression) == (alert["borrower_id"] == borrower)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("alerts", "suppress", "b", "--reason", "dispute", "--by", "two words"), "--by must be"),
        (("alerts", "suppress", "b", "--reason", "dispute", "--by", "p", "--until", "soon"), "--until 'soon'"),
        (("alerts", "suppress", "b", "--reason", "boredom", "--by", "p"), "boredom"),
        (("policy", "activate", str(policy_file.PACKAGED), "--by", "p", "--at", "2026-01-01"), "--at '2026-01-01'"),
    ],
)
def test_a_wrong_directive_is_refused_by_option(arguments: tuple[str, ...], said: str) -> None:
    done = loanpulse(*arguments, "--out", "/dev/null")
    assert done.returncode == 2
    assert said in done.stderr


@pytest.mark.integration
def test_directives_and_feedback_reach_their_topics(deployment: Settings, tmp_path: Path, stricter: Path) -> None:
    def give(*arguments: str) -> str:
        done = loanpulse(*arguments, settings=deployment)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    done = loanpulse(
        "policy", "activate", str(stricter), "--by", "p-1", "--at", "2026-04-10T00:00:00Z", settings=deployment
    )
    assert done.returncode == 0
    assert "the effective time is in the past" in done.stderr
    listed = json.loads(give("policy", "show", "--activations", "--json"))
    assert listed == [{"effective_at": "2026-04-10T00:00:00.000Z", "version": "stricter"}]
    order = give("alerts", "suppress", "b-1", "--reason", "bereavement", "--by", "p-1", "--days", "3")
    for wrong in ((order, "b-2"), ("0" * 32, "b-1")):
        refused = loanpulse("alerts", "lift", *wrong, "--by", "p-2", settings=deployment)
        assert refused.returncode == 1
        assert f"no suppression {wrong[0]} of this borrower" in refused.stderr
    give("alerts", "lift", order, "b-1", "--by", "p-2")
    alert = {
        **json.loads(Path(__file__).with_name("alert.json").read_text(encoding="utf-8")), "alert_id": "a" * 32,
    }  # fmt: skip
    line = tmp_path / "alert.jsonl"
    line.write_text(json.dumps({"topic": LIQUIDITY_ALERTS, "value": alert}))
    give("publish", str(line))
    give("alerts", "feedback", "a" * 32, "restructured", "--by", "p-1")
    missing = loanpulse("alerts", "feedback", "f" * 32, "paid", settings=deployment)
    assert missing.returncode == 1
    assert "no alert" in missing.stderr
    reader = Reader(deployment, SUPPRESSIONS, ALERT_FEEDBACK)
    reader.read_until(lambda: len(reader.messages[SUPPRESSIONS]) == 2 and len(reader.messages[ALERT_FEEDBACK]) == 1)
    reader.close()
    assert {message.key().decode() for message in reader.messages[SUPPRESSIONS]} == {
        f"b-1/{order}", f"b-1/{order}/lifted",
    }  # fmt: skip
    assert {value["lifted"] for value in reader.values(SUPPRESSIONS)} == {True, False}
    (feedback,) = reader.values(ALERT_FEEDBACK)
    assert (feedback["outcome"], feedback["borrower_id"], feedback["lender_id"]) == (
        "RESTRUCTURED", alert["borrower_id"], alert["lender_id"],
    )  # fmt: skip
