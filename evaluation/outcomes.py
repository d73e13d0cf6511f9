"""What became of the borrowers, as arrays over the same days as the panel; no scoring is looked at here."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from loanpulse.evaluation.panel import Flags, Integers
from loanpulse.schemas.delinquency import DEFAULT_DAYS

ROW_DAYS = 40
"""Instalments missed so close to each other, on whatever loan, are one row: the borrower was behind all the time."""
FAR_DAYS = 100_000
"""Stands for an event that does not come."""

Row: TypeAlias = tuple[int, int, int]
"""A row of missed instalments: its borrower, its first and its last due date (days of the panel)."""


@dataclass(frozen=True, slots=True)
class DelinquencySpell:
    """A borrower's row of missed instalments: its first due date, and when it is beyond doubt (days of the panel)."""

    borrower: int
    missed: int
    confirmed: int


@dataclass(frozen=True, slots=True)
class Hardship:
    """A life event of a borrower, from its first to its last day (days of the panel)."""

    borrower: int
    kind: str
    starts: int
    ends: int


@dataclass(frozen=True, slots=True)
class Outcomes:
    """Everything that the truth tells.

    ``rows`` are the rows of missed instalments (borrower, first due date, last one), ``misses`` the same as failures,
    whatever came of them; ``defaults`` are those in which an instalment went 30 days past due, confirmed on that day.
    """

    borrowers: int
    days: int
    rows: tuple[Row, ...]
    defaults: tuple[DelinquencySpell, ...]
    misses: tuple[DelinquencySpell, ...]
    hardships: tuple[Hardship, ...]
    shortfalls: tuple[tuple[int, int], ...]

    def behind(self) -> Flags:
        """Tell where a row of missed instalments stands: from its first due date until 30 days after its last."""
        table: Flags = np.zeros((self.borrowers, self.days), np.bool_)
        for borrower, first, last in self.rows:
            table[borrower, max(0, first) : max(0, last + DEFAULT_DAYS)] = True
        return table

    def days_to_shortfall(self) -> Integers:
        """Days from the end of each day to the next day on which the account can't meet an instalment."""
        return days_to_next(self.shortfalls, self.borrowers, self.days)

    def days_to_default(self) -> Integers:
        """Days from the end of each day to the next default."""
        places = tuple((failure.borrower, failure.confirmed) for failure in self.defaults)
        return days_to_next(places, self.borrowers, self.days)

    def days_to_failing_instalment(self) -> Integers:
        """Days from the end of each day to the next due date whose instalment is missed and defaults."""
        places = tuple((failure.borrower, failure.missed) for failure in self.defaults)
        return days_to_next(places, self.borrowers, self.days)


def rows_of_misses(misses: Iterable[tuple[int, int]]) -> tuple[Row, ...]:
    """Return the rows of missed due dates (borrower, day)."""
    rows: list[Row] = []
    for borrower, day in sorted(misses):
        if rows and rows[-1][0] == borrower and day - rows[-1][2] <= ROW_DAYS:
            rows[-1] = (borrower, rows[-1][1], day)
        else:
            rows.append((borrower, day, day))
    return tuple(rows)


def failures_of(rows: Iterable[Row], defaults: Iterable[tuple[int, int]]) -> tuple[DelinquencySpell, ...]:
    """Return the rows in which a default (borrower, day) came, each confirmed by its first."""
    first_default: dict[tuple[int, int], int] = {}
    for borrower, first, last in rows:
        reach = [day for who, day in defaults if who == borrower and first < day <= last + DEFAULT_DAYS]
        if reach:
            first_default[borrower, first] = min(reach)
    return tuple(DelinquencySpell(borrower, first, day) for (borrower, first), day in first_default.items())


def first_of_each(failures: Sequence[DelinquencySpell]) -> tuple[DelinquencySpell, ...]:
    """Return each borrower's first failure."""
    first: dict[int, DelinquencySpell] = {}
    for failure in sorted(failures, key=lambda one: one.missed):
        first.setdefault(failure.borrower, failure)
    return tuple(first.values())


def days_to_next(places: tuple[tuple[int, int], ...], borrowers: int, days: int) -> Integers:
    """Return for each borrower and day the days to the borrower's next of ``places`` (borrower, day) after that day."""
    table: npt.NDArray[np.int32] = np.full((borrowers, days), FAR_DAYS, np.int32)
    for borrower, day in sorted(places, reverse=True):
        end = min(day, days)
        if end > 0:
            table[borrower, :end] = day - np.arange(end)
    return table


def are_ahead(failures: Iterable[DelinquencySpell], borrowers: int, days: int, reach: int) -> Flags:
    """Tell for each borrower and day whether a failure's first due date lies 1 to ``reach`` days after it."""
    table: Flags = np.zeros((borrowers, days), np.bool_)
    for failure in failures:
        table[failure.borrower, max(0, failure.missed - reach) : max(0, failure.missed)] = True
    return table
