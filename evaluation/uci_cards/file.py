"""Reading a file of card clients, a line each with six months, in the columns of the UCI data set."""

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from loanpulse.streams.models.inputs import Labels, Reals

MONTHS = ("2005-04", "2005-05", "2005-06", "2005-07", "2005-08", "2005-09")
"""The months of the file, the earliest first."""
STATUS_COLUMNS = ("PAY_6", "PAY_5", "PAY_4", "PAY_3", "PAY_2", "PAY_0")
BILL_COLUMNS = tuple(f"BILL_AMT{number}" for number in range(6, 0, -1))
PAID_COLUMNS = tuple(f"PAY_AMT{number}" for number in range(6, 0, -1))
OUTCOME_COLUMN = "default.payment.next.month"
NEEDED = ("ID", "LIMIT_BAL", *STATUS_COLUMNS, *BILL_COLUMNS, *PAID_COLUMNS)


class CardFileError(ValueError):
    """The file can't be used; its text is one sentence that names the file and the column."""


@dataclass(frozen=True, slots=True)
class CardMonth:
    """What one month brings, known only when it has closed: status (months late), the bill, and what was paid."""

    status: Reals
    bill: Reals
    paid: Reals


@dataclass(frozen=True, slots=True)
class CardFile:
    """The clients of a file: ids as given, limits, six months, and October's outcome where the file has it."""

    ids: tuple[str, ...]
    limit: Reals
    months: tuple[CardMonth, ...]
    outcome: Labels | None
    ignored: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.ids)

    def part(self, chosen: Labels) -> "CardFile":
        """Return some of the clients."""
        return CardFile(
            tuple(one for one, wanted in zip(self.ids, chosen.tolist(), strict=True) if wanted),
            self.limit[chosen],
            tuple(CardMonth(month.status[chosen], month.bill[chosen], month.paid[chosen]) for month in self.months),
            None if self.outcome is None else self.outcome[chosen],
        )


def read_card_file(path: Path, *, with_outcome: bool) -> CardFile:
    """Read a file; ``with_outcome`` demands October's outcome of every client.

    Raises:
        CardFileError: a column is missing or holds something that is no number.
        OSError: the file can't be read.
    """
    with path.open(newline="", encoding="utf-8-sig") as file:
        reader = csv.DictReader(file)
        try:
            rows = list(reader)
        except (csv.Error, UnicodeDecodeError) as error:
            raise CardFileError(f"{path} is not a file of comma-separated values: {error}") from error
        header = [name.strip() for name in reader.fieldnames or ()]
    needed = (*NEEDED, OUTCOME_COLUMN) if with_outcome else NEEDED
    missing = [name for name in needed if name not in header]
    if missing:
        raise CardFileError(f"{path} lacks the column{'s' if len(missing) > 1 else ''} {', '.join(missing)}")
    rows = [{(name or "").strip(): value for name, value in row.items()} for row in rows]
    limit = _numbers(path, rows, "LIMIT_BAL")
    if len(limit) and limit.min() <= 0:
        line = int(np.argmin(limit)) + 2
        raise CardFileError(f"{path}, line {line}: LIMIT_BAL must be above 0")
    months = tuple(
        CardMonth(*(_numbers(path, rows, column) for column in columns))
        for columns in zip(STATUS_COLUMNS, BILL_COLUMNS, PAID_COLUMNS, strict=True)
    )
    _check_payments(path, months)
    known = {*NEEDED, OUTCOME_COLUMN}
    return CardFile(
        tuple(row["ID"] or "" for row in rows),
        limit,
        months,
        _outcome(path, rows, header, with_outcome=with_outcome),
        tuple(name for name in header if name not in known),
    )


def _numbers(path: Path, rows: list[dict[str, str]], column: str) -> Reals:
    values = np.empty(len(rows))
    for place, row in enumerate(rows):
        try:
            values[place] = float(row[column])
        except (TypeError, ValueError):
            raise CardFileError(f"{path}, line {place + 2}: {column} must be a number") from None
    wrong = np.flatnonzero(~np.isfinite(values))
    if len(wrong):
        raise CardFileError(f"{path}, line {int(wrong[0]) + 2}: {column} must be a finite number")
    return values


def _check_payments(path: Path, months: tuple[CardMonth, ...]) -> None:
    for column, month in zip(PAID_COLUMNS, months, strict=True):
        wrong = np.flatnonzero(month.paid < 0)
        if len(wrong):
            raise CardFileError(f"{path}, line {int(wrong[0]) + 2}: {column} must be 0 or more")


def _outcome(path: Path, rows: list[dict[str, str]], header: list[str], *, with_outcome: bool) -> Labels | None:
    if OUTCOME_COLUMN not in header:
        return None
    if not with_outcome and any(not (row[OUTCOME_COLUMN] or "").strip() for row in rows):
        return None
    values = _numbers(path, rows, OUTCOME_COLUMN)
    wrong = np.flatnonzero((values != 0) & (values != 1))
    if len(wrong):
        raise CardFileError(f"{path}, line {int(wrong[0]) + 2}: {OUTCOME_COLUMN} must be 0 or 1")
    defaulted: Labels = values == 1
    return defaulted
