"""`loanpulse evaluate city`: the engine's own scorings against the truth, and what the command writes."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from loanpulse.city.simulation import City
from loanpulse.city.truth import DefaultTruth, Truth
from loanpulse.commands.main import app
from loanpulse.evaluation.alarms import Period
from loanpulse.evaluation.city_run import Run, run_city
from loanpulse.evaluation.evaluation import alerts_begun
from loanpulse.evaluation.reasons import reasons_kept
from loanpulse.schemas.contracts import Level
from loanpulse.schemas.units import DAY_MS
from loanpulse.settings import load
from loanpulse.streams.from_settings import engine_options, load_policy
from tests.support import sample_logs

SETTINGS = load(environment={})
PLAN = sample_logs.plan(25, 120, 5)


@pytest.fixture(scope="module")
def run() -> Run:
    return run_city(PLAN, engine_options(SETTINGS), load_policy(SETTINGS))


def test_the_panel_is_what_replay_writes(run: Run, tmp_path: Path) -> None:
    """Per borrower and day the last snapshot of a replay of the same city; days without one repeat it."""
    assert PLAN.days is not None
    until = PLAN.start_ms + PLAN.days * DAY_MS
    _, _, file = sample_logs.replayed(SETTINGS, tmp_path, tuple(City(PLAN).events()), at_ms=until)
    latest: dict[tuple[str, int], dict[str, Any]] = {}
    end = 0
    for line in file.read_text().splitlines():
        value = json.loads(line)["value"]
        day = int(np.datetime64(value["event_time"].rstrip("Z"), "ms").astype(np.int64)) // DAY_MS
        latest[value["borrower_id"], day - run.panel.first_day] = value
        end = max(end, day - run.panel.first_day)
    checked = 0
    for place, borrower in enumerate(run.panel.borrowers):
        last: dict[str, Any] | None = None
        for day in range(min(end, run.panel.days)):
            last = latest.get((borrower, day), last)
            assert run.panel.known[place, day] == (last is not None)
            if last is not None:
                said = run.panel.daily[place, day]
                assert Level(int(said["level"])).name == last["level"]
                assert said["pd"] == pytest.approx(last["pd"], rel=1e-6)
                checked += 1
    assert checked > 1_000


def test_balances_and_instalments_are_those_told(run: Run) -> None:
    balance: dict[str, float] = {}
    instalment: dict[str, float] = {}
    for record in City(PLAN).events():
        value = record.value or {}
        if value.get("balance_after") is not None:
            balance[record.key] = float(value["balance_after"])
        if value.get("kind") == "INSTALMENT_DUE":
            instalment[record.key] = float(value["amount"])
    for place, borrower in enumerate(run.panel.borrowers):
        assert run.accounts.balance[place, -1] == balance.get(borrower, pytest.approx(np.nan, nan_ok=True))
        assert run.accounts.instalment[place, -1] == instalment.get(borrower, pytest.approx(np.nan, nan_ok=True))


def test_every_default_of_the_truth_is_a_failure_or_part_of_one(run: Run) -> None:
    truth: list[Truth] = []
    list(City(PLAN, truth.append).events())
    failed = {run.panel.borrowers[failure.borrower] for failure in run.outcomes.defaults}
    defaulted = {
        line.borrower_id
        for line in truth
        if isinstance(line, DefaultTruth) and line.default_date.toordinal() - 719_163 - run.panel.first_day < 120
    }
    assert defaulted <= failed
    assert all(failure.missed < failure.confirmed for failure in run.outcomes.defaults)


def test_alerts_of_trouble_are_worsened_levels(run: Run) -> None:
    begun = alerts_begun(run.panel)
    for change in run.panel.changes:
        if change["after"] > change["before"] and change["after"] >= int(Level.WATCH):
            assert begun[change["borrower"], change["time"] // DAY_MS - run.panel.first_day]
    assert begun.any()


def test_the_first_reason_mostly_holds_within_noise(run: Run) -> None:
    asked, kept = reasons_kept(run.panel, Period(30, 120), run.policy.file.index)
    weekly = run.panel.observed[:, 30:120:7] & (run.panel.daily["level"][:, 30:120:7] >= int(Level.WATCH))
    assert asked == weekly.sum() > 0
    assert 0.5 < kept <= 1.0
    nobody, unknown = reasons_kept(run.panel, Period(0, 0), run.policy.file.index)
    assert nobody == 0
    assert np.isnan(unknown)


SMALL = ["evaluate", "city", "--seed", "3", "--borrowers", "50", "--days", "280", "--life-events", "2"]


def test_the_command_writes_figures_and_a_report(tmp_path: Path) -> None:
    figures, page = tmp_path / "figures.json", tmp_path / "page.md"
    done = CliRunner().invoke(app, [*SMALL, "--also", "6", "--json", str(figures), "--report", str(page)])
    assert done.exit_code == 0, done.output
    found = json.loads(figures.read_text())
    assert [judged["name"] for judged in found["judged"]] == [
        "Loanpulse, levels", "Loanpulse, threshold", "Baseline: 1 day past due", "Baseline: low balance",
        "Baseline: boosted trees",
    ]  # fmt: skip
    assert found["defaults"] > 0
    assert found["judged"][0]["ranked"]["auc_default"] > 0.7
    assert found["judged"][2]["ranked"]["auc_early"] == 0.5, "nobody asked early is past due"
    assert len(found["left_out"]) == 12
    text = page.read_text()
    assert "loanpulse evaluate city --seed 3 --borrowers 50 --days 280 --also 6 --life-events 2" in text
    assert found["headline"]["precision"] == found["judged"][0]["precision"]
    assert [city["seed"] for city in found["beside"]] == [6]
    assert found["beside"][0]["alarms"] != found["headline"]["alarms"]
    assert "| seed 3 | seed 6 | met |" in text
    assert "What this can't show" in text
    for target in found["targets"]:
        assert target["measured"] in text
        assert target["name"] in done.output


def test_a_city_too_short_is_refused_at_once() -> None:
    done = CliRunner().invoke(app, ["evaluate", "city", "--days", "100"])
    assert done.exit_code == 1
    assert "give at least" in done.output


def test_the_teacher_is_another_city() -> None:
    done = CliRunner().invoke(app, ["evaluate", "city", "--seed", "4", "--training-seed", "4"])
    assert done.exit_code == 2
    assert "--training-seed" in done.output


def test_without_scikit_learn_the_error_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sklearn", None)
    done = CliRunner().invoke(app, SMALL)
    assert done.exit_code == 1
    assert "loanpulse[evaluation]" in done.output
