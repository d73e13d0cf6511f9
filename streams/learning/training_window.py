"""The newest matured examples by horizon, each with the predictions made before its outcome was learned."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from loanpulse.schemas.contracts import ExampleOutcome
from loanpulse.streams.indicators.catalogue import COUNT
from loanpulse.streams.learning.quality.health import Cohort
from loanpulse.streams.models.inputs import Labels, Reals


@dataclass(frozen=True, slots=True)
class WindowRow:
    """One example: when it was scored (ms), what became of it, and each model's probability of default before that.

    ``selected`` tells whether the borrower was at TENSE or worse; ``defaulted_at`` is in ms.
    """

    time: int
    borrower: str
    lender: str | None
    outcome: ExampleOutcome
    in_force: float
    candidate: float
    challenger: float
    selected: bool
    counted: Reals
    utilities: Reals
    ages: Reals
    defaulted_at: int | None


Rows = Sequence[WindowRow]


@dataclass(slots=True)
class TrainingWindow:
    """The newest ``size`` rows of each horizon, and its first ``reference_size`` labelled rows as the reference."""

    size: int
    reference_size: int
    rows: dict[int, list[WindowRow]] = field(default_factory=lambda: defaultdict(list))
    reference: dict[int, list[WindowRow]] = field(default_factory=lambda: defaultdict(list))

    def add(self, horizon_days: int, row: WindowRow) -> None:
        """Add a row; the oldest is dropped where the window is full."""
        rows = self.rows[horizon_days]
        rows.append(row)
        if len(rows) > self.size:
            del rows[: len(rows) - self.size]
        reference = self.reference[horizon_days]
        if len(reference) < self.reference_size and row.outcome is not ExampleOutcome.CENSORED:
            reference.append(row)


def labelled(rows: Rows) -> list[WindowRow]:
    """Return the rows whose outcome is known."""
    return [row for row in rows if row.outcome is not ExampleOutcome.CENSORED]


def outcomes_of(rows: Rows) -> Labels:
    """Return which rows defaulted."""
    return np.array([row.outcome is ExampleOutcome.DEFAULTED for row in rows], np.bool_)


def cohort(rows: Rows, *, challenger: bool = False) -> Cohort:
    """Return the labelled rows as columns, with the probabilities of the version in force or of the challenger."""
    kept = labelled(rows)
    return Cohort(
        np.array([row.time for row in kept], np.int64),
        outcomes_of(kept),
        np.array([row.challenger if challenger else row.in_force for row in kept], np.float64),
        np.array([row.utilities for row in kept]).reshape(len(kept), COUNT),
        np.array([row.ages for row in kept]).reshape(len(kept), COUNT),
        len(rows) - len(kept),
    )
