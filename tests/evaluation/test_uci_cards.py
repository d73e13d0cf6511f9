"""Credit card months: read with care, streamed in order, scored by what was known, and never by what was not."""

import csv
from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from loanpulse.evaluation.uci_cards.events import CardAccount, month_start
from loanpulse.evaluation.uci_cards.file import (
    MONTHS,
    NEEDED,
    OUTCOME_COLUMN,
    CardFile,
    CardFileError,
    CardMonth,
    read_card_file,
)
from loanpulse.evaluation.uci_cards.learning import CHAMPION, CardRun, Prediction
from loanpulse.evaluation.uci_cards.stream import CardStream
from loanpulse.streams.learning.quality.metrics import auc
from loanpulse.streams.policy import policy_file


def clients(count: int, seed: int) -> CardFile:
    """Made-up clients: the frail use more of the limit, pay less, come late more often."""
    dice = np.random.default_rng(seed)
    frail = dice.random(count)
    limit = dice.choice([2e4, 1e5, 3e5], count)
    months = []
    for _ in MONTHS:
        bill = np.round(limit * frail * dice.random(count))
        late = dice.random(count) < 0.8 * frail**3
        months.append(CardMonth(np.where(late, 2.0, 0.0), bill, np.round(bill * (1 - frail) * ~late)))
    outcome = dice.random(count) < np.where(frail > 0.7, 0.8, 0.05)
    return CardFile(tuple(str(place) for place in range(count)), limit, tuple(months), outcome)


def run(train: CardFile, score: CardFile, months: int = len(MONTHS)) -> list[Prediction]:
    return list(islice(CardRun(policy_file.load(), train, score).months(), months))


TRAIN, SCORE = clients(160, 1), clients(60, 2)


@pytest.fixture(scope="module")
def predictions() -> list[Prediction]:
    return run(TRAIN, SCORE)


def changed(file: CardFile, month: int) -> CardFile:
    """The same clients with everything of one month turned upside down."""
    one = file.months[month]
    other = CardMonth(np.where(one.status > 0, -1.0, 4.0), one.bill[::-1].copy() + 7.0, one.paid[::-1].copy() + 5.0)
    return replace(file, months=(*file.months[:month], other, *file.months[month + 1 :]))


def test_a_planted_leak_is_caught(predictions: list[Prediction]) -> None:
    """Change a month of all clients: not a bit of any score before it may change, and those from it on do."""
    month = 3
    other = run(changed(TRAIN, month), changed(SCORE, month), month + 1)
    for before, after in zip(predictions[:month], other[:month], strict=True):
        assert (before.pd == after.pd).all()
        assert (before.level == after.level).all()
    assert (predictions[month].pd != other[month].pd).any()


def test_a_score_depends_neither_on_who_else_is_scored_nor_on_the_own_outcome(predictions: list[Prediction]) -> None:
    assert SCORE.outcome is not None
    one = np.arange(len(SCORE)) == 17
    alone = run(TRAIN, replace(SCORE, outcome=~SCORE.outcome).part(one))
    for together, single in zip(predictions, alone, strict=True):
        assert single.pd == pytest.approx(together.pd[one], rel=1e-9)
        assert single.level == together.level[one]


def test_the_outcome_of_october_reaches_only_september(predictions: list[Prediction]) -> None:
    assert TRAIN.outcome is not None
    other = run(replace(TRAIN, outcome=~TRAIN.outcome), SCORE)
    assert all((one.pd == two.pd).all() for one, two in zip(predictions[:-1], other[:-1], strict=True))
    assert (predictions[-1].pd != other[-1].pd).any()


def test_it_learns_and_the_index_follows_the_probability(predictions: list[Prediction]) -> None:
    assert SCORE.outcome is not None
    assert auc(SCORE.outcome, predictions[-1].pd) > 0.55
    assert predictions[0].served == CHAMPION, "in April nothing has been learned"
    order = np.argsort(predictions[-1].pd)
    assert (np.diff(predictions[-1].lhi[order]) <= 1e-9).all()


def test_the_status_is_what_the_engine_sees() -> None:
    status = np.array([0.0, 1.0, 2.0, 3.0, -1.0])
    month = CardMonth(status, np.full(5, 9_000.0), np.array([500.0, 0.0, 0.0, 800.0, 9_000.0]))
    stream = CardStream(policy_file.load(), np.full(5, 50_000.0))
    first = stream.close(0, month)
    assert (first["days_past_due"] >= 30).tolist() == [False, False, True, True, False]
    assert (first["days_past_due"] > 0).tolist() == [False, True, True, True, False]
    cured = stream.close(1, replace(month, status=np.zeros(5)))
    assert cured["days_past_due"].tolist() == [0] * 5


def test_events_stand_inside_their_month_and_say_what_was_derived() -> None:
    account = CardAccount("b", 50_000.0)
    events = list(account.close(0, 2, 9_000.0, 0.0)) + list(account.close(1, 0, 12_000.0, 4_000.0))
    assert {value["source"] for _, value in events} == {"card-months", "derived-from-status", "derived-from-bills"}
    spent = [value for _, value in events if value["source"] == "derived-from-bills"]
    assert [float(value["amount"]) for value in spent] == [12_000.0 - 9_000.0 + 4_000.0]
    assert all(month_start(0) <= value["event_time"] < month_start(2) for _, value in events)


def write(path: Path, file: CardFile, header: list[str]) -> None:
    with path.open("w", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(header)
        for place in range(len(file)):
            cells = dict.fromkeys(header, "0") | {"ID": file.ids[place], "LIMIT_BAL": str(file.limit[place])}
            writer.writerow([cells[name] for name in header])


def test_a_missing_column_is_named(tmp_path: Path) -> None:
    path = tmp_path / "cards.csv"
    write(path, SCORE, [name for name in NEEDED if name not in ("PAY_4", "BILL_AMT2")])
    with pytest.raises(CardFileError, match="PAY_4, BILL_AMT2"):
        read_card_file(path, with_outcome=False)
    write(path, SCORE, list(NEEDED))
    assert read_card_file(path, with_outcome=False).outcome is None
    with pytest.raises(CardFileError, match=OUTCOME_COLUMN):
        read_card_file(path, with_outcome=True)


def test_columns_that_are_not_known_are_told(tmp_path: Path) -> None:
    path = tmp_path / "cards.csv"
    write(path, SCORE, [*NEEDED, "SEX"])
    assert read_card_file(path, with_outcome=False).ignored == ("SEX",)


def test_what_is_no_number_is_named_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "cards.csv"
    write(path, SCORE, list(NEEDED))
    path.write_text(path.read_text().replace("\n3,", "\n3,x", 1))
    with pytest.raises(CardFileError, match="line 5: LIMIT_BAL"):
        read_card_file(path, with_outcome=False)
