"""The backtest's cells, lead times and page, on outcomes that can be counted by hand."""

import random
import uuid
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest

from loanpulse.evaluation.backtest import run
from loanpulse.evaluation.backtest.backtest import Backtest, confusion, lead
from loanpulse.evaluation.backtest.page import page
from loanpulse.evaluation.backtest.run import BacktestRun
from loanpulse.schemas import json_form
from loanpulse.schemas.contracts import ExampleOutcome, Level
from loanpulse.schemas.registry import LocalRegistry
from loanpulse.schemas.units import DAY_MS
from loanpulse.streams.engine.engine import EngineOptions
from loanpulse.streams.learning.labels import LabelOptions, Matured
from loanpulse.streams.learning.trainer import TrainerOptions
from loanpulse.streams.policy import policy_file
from tests.support.grown_forest import promoted
from tests.support.label_snapshots import snapshot


def matured(borrower: str, level: str, after: float | None, pd: float = 0.1) -> Matured:
    """A prediction at ``level`` whose default came ``after`` days, or did not."""
    prediction = replace(snapshot(7, borrower), level=level, pd=pd)
    outcome = ExampleOutcome.CURRENT if after is None else ExampleOutcome.DEFAULTED
    defaulted_at = None if after is None else prediction.time + round(after * DAY_MS)
    return Matured(borrower, prediction, 30, prediction.time + 37 * DAY_MS, outcome, "lender-a", defaulted_at)


ROWS = [
    matured("early", "TENSE", 25.0, 0.4),
    matured("late", "CRISIS", 2.0, 0.6),
    matured("missed", "WATCH", 20.0, 0.3),
    matured("alarmed", "TENSE", None, 0.3),
    matured("well", "AMPLE", None, 0.01),
]


def test_the_cells_of_each_level() -> None:
    tense = confusion(ROWS, Level.TENSE)
    assert (tense["found"], tense["false_alarm"], tense["missed"], tense["rightly_left_alone"]) == (2, 1, 1, 1)
    assert (tense["precision"], tense["recall"]) == (2 / 3, 2 / 3)
    assert tense["examples"]["missed"] == ["missed"]
    assert confusion(ROWS, Level.WATCH)["missed"] == 0
    assert confusion(ROWS, Level.CRISIS)["precision"] == 1.0


def test_only_what_was_found_early_enough_counts() -> None:
    assert lead(ROWS, 0)["found"] == 2
    week = lead(ROWS, 7)
    assert (week["found"], week["precision"], week["recall"]) == (1, 1 / 3, 1 / 2)
    assert lead(ROWS, 28)["recall"] is None


def test_the_alert_before_the_lenders_own_contact() -> None:
    backtest = Backtest()
    assert backtest.report()["before_contact"] is None
    for borrower, level in (("a", Level.TENSE), ("b", Level.CRISIS), ("c", Level.WATCH)):
        backtest.note_level(borrower, 10 * DAY_MS, level)
        backtest.note_contact(borrower, (15 if borrower == "a" else 5) * DAY_MS)
    assert backtest.report()["before_contact"] == {"contacted": 3, "alerted_before": 1, "median_days_ahead": 5.0}


def test_the_page_needs_nothing_else_and_shows_no_markup_of_the_log() -> None:
    backtest = Backtest(matured=[*ROWS, matured("<b>x</b>", "TENSE", None)])
    text = page(backtest.report())
    assert "http" not in text
    assert "<script" not in text
    assert "<b>x</b>" not in text
    assert "<svg" in text
    assert "6 predictions, of which 3" in text


def book(path: Path, borrowers: int = 130, months: int = 8) -> Path:
    """Write a book in which many pay for some months and then no more; all go on spending and using gas."""
    dice = random.Random(3)
    lines: list[tuple[int, bytes]] = []

    def add(topic: str, borrower: str, day: int, kind: str, **fields: Any) -> None:
        value = {
            "event_id": str(uuid.UUID(int=len(lines))), "borrower_id": borrower, "source": "test", "kind": kind,
            "event_time": f"{json_form.time_at(day * DAY_MS):%FT%TZ}", **fields,
        }  # fmt: skip
        lines.append((day, orjson.dumps({"topic": topic, "value": value})))

    for number in range(borrowers):
        borrower, money = f"b{number}", {"amount": "100.00", "currency": "CNY"}
        paid = dice.randrange(1, months) if dice.random() < 0.6 else months
        for month in range(months):
            due = 20_000 + 30 * month + number % 28
            loan = {"lender_id": "lender-a", "loan_id": "l", "due_date": f"{date(1970, 1, 1) + timedelta(days=due)}"}
            add("repayment-events", borrower, due - 4, "INSTALMENT_DUE", **loan, **money)
            if month < paid:
                add("repayment-events", borrower, due - 1, "PAID", **loan, **money)
            add("spending-events", borrower, due, "PURCHASE", category="GROCERIES", **money)
            add("utility-events", borrower, due, "METER_READ", utility="GAS", usage=1.0, currency="CNY")
    path.write_bytes(b"\n".join(text for _, text in sorted(lines, key=lambda line: line[0])))
    return path


def test_learned_versions_score_from_the_time_they_are_in_force(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "LINES_AT_ONCE", 300)
    backtest = BacktestRun(
        EngineOptions(2),
        policy_file.load(),
        LocalRegistry(),
        LabelOptions((30,)),
        TrainerOptions(examples_per_version=128),
    )
    backtest.run([book(tmp_path / "events.jsonl")])
    report = backtest.backtest.report()
    in_force = {one.version: one.time for one in backtest.backtest.versions if one.in_force}
    assert in_force
    served = {one.prediction.model_version for one in backtest.backtest.matured}
    assert served & in_force.keys(), "a learned version has scored"
    assert served <= {"expert-1", *in_force}
    for one in backtest.backtest.matured:
        version = one.prediction.model_version
        assert version == "expert-1" or one.prediction.time >= in_force[version], "no score from later learning"
    assert next(iter(report["by_version"])) == "expert-1"
    assert sum(row["predictions"] for row in report["by_version"].values()) == report["predictions"]
    assert "By the version that scored" in page(report)


def test_a_forest_promoted_in_the_log_serves_from_then_on(tmp_path: Path) -> None:
    promotion_ms = 20_100 * DAY_MS
    order = {"topic": "model-snapshots", "value": json_form.to_json("model-snapshots", promoted(promotion_ms))}
    log = tmp_path / "events.jsonl"
    lines = book(log).read_bytes().split(b"\n")
    log.write_bytes(b"\n".join([orjson.dumps(order), *lines]))
    backtest = BacktestRun(
        EngineOptions(2),
        policy_file.load(),
        LocalRegistry(),
        LabelOptions((30,)),
        TrainerOptions(examples_per_version=128),
    )
    assert not backtest.run([log]).refused
    for one in backtest.backtest.matured:
        served = "expert-1" if one.prediction.time < promotion_ms else "forest-30-3072"
        assert one.prediction.model_version == served
    assert {one.prediction.model_version for one in backtest.backtest.matured} == {"expert-1", "forest-30-3072"}
    champions = [one for one in backtest.backtest.versions if one.champion]
    assert champions
    assert not any(one.in_force for one in champions), "the trainer does not undo a person's decision"


def test_an_empty_history_has_a_report_too() -> None:
    assert "0 predictions" in page(Backtest().report())
