"""What became of the borrowers, as arrays over the same days as the panel; no scoring is looked at here."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from loanpulse.evaluation.panel import Flags, Integers

DEFAULT_DAYS = 30
ROW_DAYS = 40
"""Instalments missed so close to each other, on whatever loan, are one row: the borrower was behind all the time."""
FAR_DAYS = 100_000
"""Stands for an event that does not come."""


@dataclass(frozen=True, slots=True)
class Failure:
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

    ``misses`` are the rows of missed instalments, whatever came of them; ``defaults`` are those in which an
    instalment went 30 days past due, confirmed on that day.
    """

    borrowers: int
    days: int
    defaults: tuple[Failure, ...]
    misses: tuple[Failure, ...]
    hardships: tuple[Hardship, ...]
    shortfalls: tuple[tuple[int, int], ...]

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


def rows_of_misses(misses: Iterable[tuple[int, int]]) -> tuple[tuple[int, int, int], ...]:
    """Return the rows of missed due dates (borrower, day) as (borrower, first day, last day)."""
    rows: list[tuple[int, int, int]] = []
    for borrower, day in sorted(misses):
        if rows and rows[-1][0] == borrower and day - rows[-1][2] <= ROW_DAYS:
            rows[-1] = (borrower, rows[-1][1], day)
        else:
            rows.append((borrower, day, day))
    return tuple(rows)


def failures_of(rows: Iterable[tuple[int, int, int]], defaults: Iterable[tuple[int, int]]) -> tuple[Failure, ...]:
    """Return the rows in which a default (borrower, day) came, each confirmed by its first."""
    first_default: dict[tuple[int, int], int] = {}
    for borrower, first, last in rows:
        reach = [day for who, day in defaults if who == borrower and first < day <= last + DEFAULT_DAYS]
        if reach:
            first_default[borrower, first] = min(reach)
    return tuple(Failure(borrower, first, day) for (borrower, first), day in first_default.items())


def first_of_each(failures: Sequence[Failure]) -> tuple[Failure, ...]:
    """Return each borrower's first failure."""
    first: dict[int, Failure] = {}
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


def is_followed(failures: tuple[Failure, ...], borrowers: int, days: int, ahead: int) -> Flags:
    """Tell for each borrower and day whether an alarm then would be right.

    It is if a failure's first missed due date lies at most ``ahead`` days after it, or has passed without the
    failure being confirmed yet.
    """
    table: Flags = np.zeros((borrowers, days), np.bool_)
    for failure in failures:
        table[failure.borrower, max(0, failure.missed - ahead) : max(0, failure.confirmed)] = True
    return table
