"""The report of a backtest: which defaults the levels would have found in a lender's own history, and how early."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import numpy as np

from loanpulse.schemas.contracts import ExampleOutcome, Level
from loanpulse.schemas.units import DAY_MS
from loanpulse.streams.learning.labels import Matured
from loanpulse.streams.learning.outputs import Measured, Output, Version
from loanpulse.streams.learning.quality import metrics

LEVELS = (Level.STABLE, Level.WATCH, Level.TENSE, Level.CRISIS)
"""The levels reported on: a borrower at one of them or worse counts as selected."""
LEAD_DAYS = (0, 3, 7, 14, 21, 28)
EXAMPLES_OF_EACH_CELL = 5
CELLS = ("found", "false alarm", "missed", "rightly left alone")

Table = dict[str, Any]


@dataclass(slots=True)
class Backtest:
    """Collects matured predictions of the first horizon, the trainer's outputs, and the lender's own contacts.

    ``first_alert`` and ``first_contact`` are event times (ms) by borrower.
    """

    horizon_days: int = 30
    matured: list[Matured] = field(default_factory=list)
    versions: list[Version] = field(default_factory=list)
    health: list[Measured] = field(default_factory=list)
    first_alert: dict[str, int] = field(default_factory=dict)
    first_contact: dict[str, int] = field(default_factory=dict)

    def note_level(self, borrower: str, time_ms: int, level: int) -> None:
        """Note the first event time at which a borrower was TENSE or worse."""
        if level >= Level.TENSE and level != Level.UNKNOWN:
            self.first_alert.setdefault(borrower, time_ms)

    def note_contact(self, borrower: str, time_ms: int) -> None:
        """Note the lender's own first contact."""
        self.first_contact[borrower] = min(time_ms, self.first_contact.get(borrower, time_ms))

    def note_outputs(self, outputs: Iterable[Output]) -> None:
        """Keep the trainer's outputs."""
        for output in outputs:
            if isinstance(output, Version):
                self.versions.append(output)
            else:
                self.health.append(output)

    def report(self) -> Table:
        """Return the whole report as plain values."""
        labelled = [row for row in self.matured if row.outcome is not ExampleOutcome.CENSORED]
        by_month, by_lender, by_version = defaultdict(list), defaultdict(list), defaultdict(list)
        for row in labelled:
            by_month[f"{datetime.fromtimestamp(row.prediction.time / 1000, UTC):%Y-%m}"].append(row)
            by_version[row.prediction.model_version].append(row)
            if row.lender is not None:
                by_lender[row.lender].append(row)
        return {
            "horizon_days": self.horizon_days,
            "predictions": len(labelled),
            "censored": len(self.matured) - len(labelled),
            "defaults": sum(row.outcome is ExampleOutcome.DEFAULTED for row in labelled),
            "whole": summary(labelled),
            "confusion": [confusion(labelled, level) for level in LEVELS],
            "lead_time": [lead(labelled, days) for days in LEAD_DAYS],
            "by_month": {month: summary(rows) for month, rows in sorted(by_month.items())},
            "by_lender": {lender: summary(rows) for lender, rows in sorted(by_lender.items())},
            # In the order in which they first scored.
            "by_version": {version: summary(rows) for version, rows in by_version.items()},
            "before_contact": self._before_contact(),
            "versions": [
                {
                    "version": version.version,
                    "in_force": version.in_force,
                    "examples": version.examples,
                    "reason": version.reason,
                }
                for version in self.versions
            ],
        }

    def _before_contact(self) -> Table | None:
        """Tell how often the alert came before the lender's first contact; None where no contact is in the log."""
        if not self.first_contact:
            return None
        ahead = [
            (self.first_contact[borrower] - self.first_alert[borrower]) / DAY_MS
            for borrower in self.first_contact
            if borrower in self.first_alert
        ]
        earlier = [days for days in ahead if days > 0]
        return {
            "contacted": len(self.first_contact),
            "alerted_before": len(earlier),
            "median_days_ahead": float(np.median(earlier)) if earlier else None,
        }


def _columns(rows: Sequence[Matured]) -> tuple[Any, Any]:
    outcomes = np.array([row.outcome is ExampleOutcome.DEFAULTED for row in rows], np.bool_)
    return outcomes, np.array([row.prediction.pd for row in rows], np.float64)


def _or_none(value: float) -> float | None:
    return None if value != value else value


def summary(rows: Sequence[Matured]) -> Table:
    """Return the measures of some predictions by the probability that was served."""
    outcomes, pd = _columns(rows)
    curve = metrics.reliability(outcomes, pd) if len(rows) else metrics.Reliability((), (), ())
    return {
        "predictions": len(rows),
        "defaults": int(outcomes.sum()),
        "auc": _or_none(metrics.auc(outcomes, pd)),
        "brier": _or_none(metrics.brier(outcomes, pd)),
        "calibration_error": _or_none(curve.calibration_error),
        "reliability": [
            {"predicted": predicted, "observed": observed, "predictions": count}
            for predicted, observed, count in zip(curve.predicted, curve.observed, curve.examples, strict=True)
        ],
    }


def confusion(rows: Sequence[Matured], level: Level) -> Table:
    """Return the confusion matrix of selecting borrowers at ``level`` or worse, with examples of each cell."""
    cells: dict[str, list[str]] = {name: [] for name in CELLS}
    for row in rows:
        selected, defaulted = Level[row.prediction.level] >= level, row.outcome is ExampleOutcome.DEFAULTED
        cell = (0 if defaulted else 1) if selected else (2 if defaulted else 3)
        cells[CELLS[cell]].append(row.prediction.borrower_id)
    found, false, missed = (len(cells[name]) for name in CELLS[:3])
    return {
        "level": level.name,
        **{name.replace(" ", "_"): len(borrowers) for name, borrowers in cells.items()},
        "precision": found / (found + false) if found + false else None,
        "recall": found / (found + missed) if found + missed else None,
        "examples": {name: list(dict.fromkeys(borrowers))[:EXAMPLES_OF_EACH_CELL] for name, borrowers in cells.items()},
    }


def lead(rows: Sequence[Matured], days: int) -> Table:
    """Return precision and recall of TENSE or worse where only defaults at least ``days`` ahead count as found."""
    selected = [row for row in rows if Level[row.prediction.level] >= Level.TENSE]
    ahead = [
        row for row in rows if row.defaulted_at is not None and row.defaulted_at - row.prediction.time >= days * DAY_MS
    ]
    found = [row for row in ahead if Level[row.prediction.level] >= Level.TENSE]
    return {
        "days_ahead": days,
        "pointed_out": len(selected),
        "found": len(found),
        "precision": len(found) / len(selected) if selected else None,
        "recall": len(found) / len(ahead) if ahead else None,
    }
