"""The backtest's cells, lead times and page, on outcomes that can be counted by hand."""

from dataclasses import replace

from loanpulse.schemas.contracts import ExampleOutcome, Level
from loanpulse.streams.learning.backtest import Backtest, confusion, lead
from loanpulse.streams.learning.backtest_page import page
from loanpulse.streams.learning.ledger import DAY_MS, Matured
from tests.streams.learning.test_ledger import snapshot


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


def test_an_empty_history_has_a_report_too() -> None:
    assert "0 predictions" in page(Backtest().report())
