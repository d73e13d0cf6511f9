"""The trainer's reports: the health of each model over the window, per lender, and audits by group."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from loanpulse.schemas.units import DAY_MS
from loanpulse.streams.learning.explanations import reason_consistency
from loanpulse.streams.learning.outputs import FOREST, LOGISTIC, Measured
from loanpulse.streams.learning.quality.fairness import audit, groups_of, proxy_auc
from loanpulse.streams.learning.quality.health import ENOUGH, Health, health
from loanpulse.streams.learning.training_window import Rows, TrainingWindow, cohort, labelled
from loanpulse.streams.models.scorecard import Scorecard
from loanpulse.streams.models.served import Served

CONSISTENCY_ROWS = 2_048
"""The newest rows at TENSE or worse on which the consistency of first reasons is measured."""
ENOUGH_DEFAULTS = 20
"""Defaults with a row at TENSE or worse before them, below which there is no lead time."""


@dataclass(frozen=True, slots=True)
class HealthReport:
    """One report at event time ``time`` (ms): the versions it is about, and how the trainer reports.

    ``team_capacity_per_day`` is how many borrowers the team can reach a day. ``error_moved`` tells
    per model whether its error drifted since the last report.
    """

    time: int
    horizon_days: int
    team_capacity_per_day: int
    neutral_utility: float
    in_force: Served
    in_force_model: str
    in_force_version: str
    challenger_version: str
    error_moved: Mapping[str, bool]

    def measures(self, window: TrainingWindow, groups: Mapping[str, str]) -> Iterator[Measured]:
        """Yield the health of both models at every horizon; ``groups`` is the lender's table for audits."""
        for horizon, rows in sorted(window.rows.items()):
            lenders = sorted({row.lender for row in rows if row.lender})
            for model in (LOGISTIC, FOREST):
                reference = window.reference[horizon]
                yield self._measure(model, horizon, None, rows, reference)
                for lender in lenders:
                    yield self._measure(
                        model, horizon, lender, [row for row in rows if row.lender == lender], reference
                    )
            if groups and horizon == self.horizon_days:
                yield from self._audits(rows, groups)

    def _measure(self, model: str, horizon_days: int, lender: str | None, rows: Rows, reference: Rows) -> Measured:
        # The logistic model's column holds the version in force, of whichever model that is.
        serves = model == LOGISTIC
        window = (min(row.time for row in rows), max(row.time for row in rows))
        days = max(1.0, (window[1] - window[0]) / DAY_MS)
        measured = health(
            cohort(rows, challenger=not serves),
            cohort(reference, challenger=not serves) if reference else None,
            round(days * self.team_capacity_per_day),
            error_moved=lender is None and self.error_moved[model],
        )
        return Measured(
            self.in_force_model if serves else FOREST, self.in_force_version if serves else self.challenger_version,
            serves, self.time, window, horizon_days, lender, measured,
            reason_consistency=self._reason_consistency(rows) if serves and lender is None else None,
            lead_time_days=lead_time_days(rows) if serves else None,
        )  # fmt: skip

    def _reason_consistency(self, rows: Rows) -> float | None:
        """Return how often a borrower at TENSE or worse keeps the first reason by the scorecard in force, or None."""
        counted = [row.counted for row in rows if row.selected][-CONSISTENCY_ROWS:]
        if len(counted) < ENOUGH or not isinstance(self.in_force, Scorecard):
            return None
        return reason_consistency(self.in_force.weights, np.array(counted), 1.0 - self.neutral_utility)

    def _audits(self, rows: Rows, groups: Mapping[str, str]) -> Iterator[Measured]:
        rows = labelled(rows)
        if not rows:
            return
        members = groups_of([row.borrower for row in rows], groups)
        whole = cohort(rows)
        window = (int(whole.times.min()), int(whole.times.max()))
        selected = np.array([row.selected for row in rows])
        for group in audit(members, whole.outcomes, whole.pd, selected):
            proxy = proxy_auc(whole.utilities[members != ""], members[members != ""] == group.group)
            yield Measured(
                self.in_force_model, self.in_force_version, True, self.time, window, self.horizon_days, None,
                Health(group.examples, group.positives, 0), group, None if math.isnan(proxy) else proxy,
            )  # fmt: skip


def lead_time_days(rows: Rows) -> float | None:
    """Return the median days from the first row at TENSE or worse to the default; None with too few defaults."""
    first: dict[tuple[str, int], int] = {}
    for row in rows:
        if row.selected and row.defaulted_at is not None:
            default = row.borrower, row.defaulted_at
            first[default] = min(row.time, first.get(default, row.time))
    if len(first) < ENOUGH_DEFAULTS:
        return None
    return float(np.median([(at - time) / DAY_MS for (_, at), time in first.items()]))
