"""What is compared: the engine and the baselines, each as a score and an alarm for every borrower and day."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from loanpulse.evaluation import alarms, gradient_boosting
from loanpulse.evaluation.alarms import Period, Truth
from loanpulse.evaluation.city_run import Run
from loanpulse.evaluation.outcomes import DelinquencySpell, are_ahead
from loanpulse.evaluation.panel import Flags
from loanpulse.schemas.contracts import Level

WEEK_DAYS = 7
THRESHOLDS = 60
LEAST_PRECISION = 0.5

Table = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Detector:
    """One way to find trouble: ``score`` ranks borrowers of a day, ``alarm`` tells where it would call someone."""

    name: str
    rule: str
    score: Table
    alarm: Flags


def truth_of(run: Run, failures: Iterable[DelinquencySpell] | None = None) -> Truth:
    """Return what alarms are held against: all rows of missed instalments, or ``failures`` as those to foresee."""
    outcomes = run.outcomes
    foreseen = outcomes.misses if failures is None else failures
    return Truth(are_ahead(foreseen, outcomes.borrowers, outcomes.days, alarms.AHEAD_DAYS), outcomes.behind())


def threshold_for_precision(score: Table, truth: Truth, observed: Flags, period: Period) -> float:
    """Return the lowest score from which on early warnings are right half of the time; the highest where none is."""
    inside = np.zeros_like(observed)
    inside[:, period.first : period.end] = observed[:, period.first : period.end]
    candidates = np.unique(np.quantile(score[inside], np.linspace(0.5, 0.9995, THRESHOLDS)))
    for candidate in candidates.tolist():
        found = alarms.verdict(alarms.starts(observed & (score >= candidate)), truth, period)
        if found.precision >= LEAST_PRECISION:
            return float(candidate)
    return float(candidates[-1])


def probability(run: Run) -> Table:
    """Return the engine's probability of default."""
    return run.panel.daily["pd"].astype(np.float64)


def by_levels(run: Run) -> Detector:
    """The engine as shipped: its levels, by the thresholds of the policy."""
    alarm: Flags = run.panel.observed & (run.panel.daily["level"] >= int(Level.TENSE))
    return Detector("Loanpulse, levels", "level TENSE or worse", probability(run), alarm)


def by_threshold(run: Run, training_run: Run, period: Period) -> Detector:
    """The engine's probability with a threshold that had the wanted precision in the other city."""
    threshold = threshold_for_precision(
        probability(training_run), truth_of(training_run), training_run.panel.observed, period
    )
    score = probability(run)
    rule = f"probability of default of {threshold:.3f} or more, set on the other city for precision {LEAST_PRECISION}"
    return Detector("Loanpulse, threshold", rule, score, run.panel.observed & (score >= threshold))


def by_first_day_past_due(run: Run) -> Detector:
    """What a collections desk without a model does."""
    overdue = run.panel.daily["days_past_due"].astype(np.float64)
    return Detector("Baseline: 1 day past due", "an instalment is a day past due", overdue, overdue >= 1)


def by_low_balance(run: Run) -> Detector:
    """A rule on the account: less in it than one instalment."""
    balance, instalment = run.accounts.balance, run.accounts.instalment
    known = ~np.isnan(balance) & ~np.isnan(instalment)
    score = np.where(known, -(np.nan_to_num(balance) + 1.0) / (np.nan_to_num(instalment, nan=1.0) + 1.0), -np.inf)
    alarm: Flags = run.panel.observed & known & (np.nan_to_num(balance) < np.nan_to_num(instalment))
    return Detector("Baseline: low balance", "balance under one instalment", score, alarm)


def weekly(observed: Flags, period: Period) -> Flags:
    """Return the places that are learned from and ranked: every seventh day of the period."""
    table = np.zeros_like(observed)
    table[:, period.first : period.end : WEEK_DAYS] = observed[:, period.first : period.end : WEEK_DAYS]
    return table


def by_boosting(run: Run, training_run: Run, period: Period) -> Detector:
    """Trees that learned from the other city which early warnings are right, with a threshold like the engine's own."""
    truth = truth_of(training_run)
    labels = truth.ahead
    taught = weekly(training_run.panel.observed & ~truth.behind, period)
    model = gradient_boosting.fit(gradient_boosting.features_of(training_run.panel, taught), labels[taught])
    judged = np.zeros_like(training_run.panel.observed)
    judged[:, period.first : period.end] = training_run.panel.observed[:, period.first : period.end]
    theirs = np.zeros(judged.shape)
    theirs[judged] = gradient_boosting.chances_out_of_fold(training_run.panel, judged, taught, labels)
    threshold = threshold_for_precision(theirs, truth, judged, period)
    observed = run.panel.observed
    score = np.zeros(observed.shape)
    score[observed] = gradient_boosting.chances(model, gradient_boosting.features_of(run.panel, observed))
    rule = f"chance of {threshold:.3f} or more, set on the other city for precision {LEAST_PRECISION}"
    return Detector("Baseline: boosted trees", rule, score, observed & (score >= threshold))
