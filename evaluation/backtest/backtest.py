"""A lender's own history gone through with learning on: what the levels would have found, and how early."""

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
"""A borrower at a level or worse counts as pointed out."""
LEADS = (0, 3, 7, 14, 21, 28)
EXAMPLES_OF_EACH_CELL = 5
CELLS = ("found", "false alarm", "missed", "rightly left alone")

Table = dict[str, Any]


@dataclass(slots=True)
class Backtest:
    """Gathers matured predictions of the first horizon, what the trainer said, and the lender's own contacts."""

    horizon_days: int = 30
    matured: list[Matured] = field(default_factory=list)
    versions: list[Version] = field(default_factory=list)
    health: list[Measured] = field(default_factory=list)
    first_alert: dict[str, int] = field(default_factory=dict)
    first_contact: dict[str, int] = field(default_factory=dict)

    def note_level(self, borrower: str, time: int, level: int) -> None:
        """Note the first event time (ms) at which a borrower was TENSE or worse."""
        if level >= Level.TENSE and level != Level.UNKNOWN:
            self.first_alert.setdefault(borrower, time)

    def note_contact(self, borrower: str, time: int) -> None:
        """Note the lender's own first contact (ms)."""
        self.first_contact[borrower] = min(time, self.first_contact.get(borrower, time))

    def note_outputs(self, outputs: Iterable[Output]) -> None:
        """Keep what the trainer says."""
        for one in outputs:
            if isinstance(one, Version):
                self.versions.append(one)
            else:
                self.health.append(one)

    def report(self) -> Table:
        """Return the whole report as plain values."""
        told = [one for one in self.matured if one.outcome is not ExampleOutcome.CENSORED]
        by_month, by_lender, by_version = defaultdict(list), defaultdict(list), defaultdict(list)
        for one in told:
            by_month[f"{datetime.fromtimestamp(one.prediction.time / 1000, UTC):%Y-%m}"].append(one)
            by_version[one.prediction.model_version].append(one)
            if one.lender is not None:
                by_lender[one.lender].append(one)
        return {
            "horizon_days": self.horizon_days,
            "predictions": len(told),
            "censored": len(self.matured) - len(told),
            "defaults": sum(one.outcome is ExampleOutcome.DEFAULTED for one in told),
            "whole": summary(told),
            "confusion": [confusion(told, level) for level in LEVELS],
            "lead_time": [lead(told, days) for days in LEADS],
            "by_month": {month: summary(rows) for month, rows in sorted(by_month.items())},
            "by_lender": {lender: summary(rows) for lender, rows in sorted(by_lender.items())},
            # In the order in which they first scored.
            "by_version": {version: summary(rows) for version, rows in by_version.items()},
            "before_contact": self._before_contact(),
            "versions": [
                {"version": one.version, "in_force": one.in_force, "examples": one.examples, "reason": one.reason}
                for one in self.versions
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
    outcomes = np.array([one.outcome is ExampleOutcome.DEFAULTED for one in rows], np.bool_)
    return outcomes, np.array([one.prediction.pd for one in rows], np.float64)


def _plain(value: float) -> float | None:
    return None if value != value else value


def summary(rows: Sequence[Matured]) -> Table:
    """Return the measures of some predictions by the probability that was served."""
    outcomes, pd = _columns(rows)
    curve = metrics.reliability(outcomes, pd) if len(rows) else metrics.Reliability((), (), ())
    return {
        "predictions": len(rows),
        "defaults": int(outcomes.sum()),
        "auc": _plain(metrics.auc(outcomes, pd)),
        "brier": _plain(metrics.brier(outcomes, pd)),
        "calibration_error": _plain(curve.calibration_error),
        "reliability": [
            {"predicted": predicted, "observed": observed, "predictions": count}
            for predicted, observed, count in zip(curve.predicted, curve.observed, curve.examples, strict=True)
        ],
    }


def confusion(rows: Sequence[Matured], level: Level) -> Table:
    """Return the four cells where a borrower at ``level`` or worse counts as pointed out, with examples of each."""
    cells: dict[str, list[str]] = {name: [] for name in CELLS}
    for one in rows:
        pointed, defaulted = Level[one.prediction.level] >= level, one.outcome is ExampleOutcome.DEFAULTED
        cells[CELLS[(0 if defaulted else 1) if pointed else (2 if defaulted else 3)]].append(one.prediction.borrower_id)
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
    pointed = [one for one in rows if Level[one.prediction.level] >= Level.TENSE]
    ahead = [one for one in rows if one.defaulted_at is not None and
             one.defaulted_at - one.prediction.time >= days * DAY_MS]  # fmt: skip
    found = [one for one in ahead if Level[one.prediction.level] >= Level.TENSE]
    return {
        "days_ahead": days,
        "pointed_out": len(pointed),
        "found": len(found),
        "precision": len(found) / len(pointed) if pointed else None,
        "recall": len(found) / len(ahead) if ahead else None,
    }
