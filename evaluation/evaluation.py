"""The whole evaluation of a city: every figure of the report, from two runs with different seeds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from loanpulse.evaluation import alarms, detectors
from loanpulse.evaluation.alarms import Lead, Period, RecallAtBudget, Verdict
from loanpulse.evaluation.behaviours import Found, found_by_kind
from loanpulse.evaluation.city_run import Run
from loanpulse.evaluation.coverage import HORIZON_DAYS, Coverage, coverage
from loanpulse.evaluation.detectors import Detector
from loanpulse.evaluation.hardships import Seen, seen_by_kind
from loanpulse.evaluation.outcomes import DelinquencySpell, first_of_each
from loanpulse.evaluation.panel import Flags, Panel
from loanpulse.evaluation.reasons import reasons_kept
from loanpulse.evaluation.stability import flip_rate
from loanpulse.schemas.contracts import Level
from loanpulse.schemas.delinquency import DEFAULT_DAYS
from loanpulse.schemas.units import DAY_MS
from loanpulse.streams.indicators.catalogue import NAMES
from loanpulse.streams.learning.quality import metrics

WARM_UP_DAYS = 90
AFTER_DAYS = alarms.AHEAD_DAYS + DEFAULT_DAYS
"""How long the truth must go on after a judged day: as far as an alarm looks, and until a default is confirmed."""
LEAST_DAYS = WARM_UP_DAYS + AFTER_DAYS + 60
NEXT_DAYS = 30


class EvaluationError(ValueError):
    """A city too short or too calm to be evaluated; the text says what to give."""


@dataclass(frozen=True, slots=True)
class Ranked:
    """How well one score ranks the two questions; NaN where it has no score."""

    auc_default: float
    ks_default: float
    auc_early: float
    ks_early: float


@dataclass(frozen=True, slots=True)
class Judged:
    """One detector's figures: of its alarms against rows of missed instalments, and against those that default.

    ``lead_first`` counts only the first row of each borrower.
    """

    name: str
    rule: str
    ranked: Ranked
    alarms: Verdict
    precision: float
    lead: Lead
    lead_first: Lead
    precision_default: float
    lead_default: Lead
    within_budget: RecallAtBudget


@dataclass(frozen=True, slots=True)
class Ablation:
    """The areas under the curve when one indicator's points are taken out of the index, and how much that costs."""

    indicator: str
    auc_default: float
    auc_early: float


@dataclass(frozen=True, slots=True)
class Headline:
    """The figures that something is asked of, of one city."""

    seed: int
    misses: int
    alarms: Verdict
    precision: float
    lead: Lead
    lead_first: Lead
    life_events: int
    life_events_unseen: tuple[str, ...]
    level_changes: int
    flip_rate: float
    inside: float
    reasons_asked: int
    reasons_kept: float


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Every figure of one evaluation; ``beside`` are the headlines of further cities."""

    seed: int
    training_seed: int
    borrowers: int
    days: int
    events: int
    defaults: int
    misses: int
    budget_a_day: float
    headline: Headline
    beside: tuple[Headline, ...]
    cases_default: int
    positives_default: int
    cases_early: int
    positives_early: int
    judged: tuple[Judged, ...]
    shortfall: Coverage
    life_events: tuple[Seen, ...]
    share_in_trouble: float
    behaviours: tuple[Found, ...]
    left_out: tuple[Ablation, ...]


def period_of(days: int) -> Period:
    """Return the days of a city of ``days`` that can be judged.

    Raises:
        EvaluationError: there are too few.
    """
    if days < LEAST_DAYS:
        raise EvaluationError(f"{days} days are too few to evaluate: give at least {LEAST_DAYS}")
    return Period(WARM_UP_DAYS, days - AFTER_DAYS)


def judged_failures(failures: Sequence[DelinquencySpell], run: Run, period: Period) -> list[DelinquencySpell]:
    """Return the failures of borrowers whom the engine could have seen, with their whole past in the period's reach."""
    known = run.panel.known
    return [
        one
        for one in failures
        if period.first + DEFAULT_DAYS <= one.missed < run.outcomes.days - DEFAULT_DAYS
        and known[one.borrower, one.missed - 1]
    ]


def headline(run: Run) -> Headline:
    """Return the figures that something is asked of, of the levels as shipped.

    Raises:
        EvaluationError: the city is too short.
    """
    period = period_of(run.outcomes.days)
    alarm = detectors.by_levels(run).alarm
    verdict = alarms.verdict(alarms.starts(alarm), detectors.truth_of(run), period)
    misses = judged_failures(run.outcomes.misses, run, period)
    firsts = judged_failures(first_of_each(run.outcomes.misses), run, period)
    seen = _life_events(run, period)
    return Headline(
        run.plan.seed,
        len(misses),
        verdict,
        verdict.precision,
        alarms.lead(alarm, misses),
        alarms.lead(alarm, firsts),
        sum(one.count for one in seen),
        tuple(one.kind for one in seen if one.seen <= one.by_chance),
        *flip_rate(run.panel.changes),
        _shortfall(run, period).inside,
        *reasons_kept(run.panel, period, run.policy.file.index),
    )


def evaluate(
    run: Run, training_run: Run, budget_a_day: float, *, beside: Sequence[Headline] = (), boosting: bool = True
) -> Evaluation:
    """Judge the engine's run of a city; ``training_run`` is one of another city, which thresholds and trees learn from.

    Raises:
        EvaluationError: the city is too short, or nobody defaults in it.
    """
    period = period_of(run.outcomes.days)
    found = [detectors.by_levels(run), detectors.by_threshold(run, training_run, period)]
    found += [detectors.by_first_day_past_due(run), detectors.by_low_balance(run)]
    if boosting:
        found.append(detectors.by_boosting(run, training_run, period))
    defaults = judged_failures(run.outcomes.defaults, run, period)
    if not defaults:
        raise EvaluationError("nobody defaults in this city: give more --borrowers or more --days")
    questions = Questions.of(run, period)
    behaviours, share_in_trouble = found_by_kind(run.panel, run.outcomes, period)
    return Evaluation(
        run.plan.seed,
        training_run.plan.seed,
        run.plan.borrowers,
        run.outcomes.days,
        run.events,
        len(defaults),
        len(judged_failures(run.outcomes.misses, run, period)),
        budget_a_day,
        headline(run),
        tuple(beside),
        int(questions.default_cases.sum()),
        int(questions.default_labels[questions.default_cases].sum()),
        int(questions.early_cases.sum()),
        int(questions.early_labels[questions.early_cases].sum()),
        tuple(_judged(one, run, period, questions, budget_a_day) for one in found),
        _shortfall(run, period),
        tuple(_life_events(run, period)),
        share_in_trouble,
        tuple(behaviours),
        tuple(_left_out(run.panel, questions)),
    )


@dataclass(frozen=True, slots=True)
class Questions:
    """What a score is asked, once a week of each borrower who owes something.

    Default: does an instalment go 30 days past due within 30 days (what the probability says), of those who are not
    there yet. Early: of those with nothing overdue, does an instalment fall due within 30 days that is missed and
    then defaults.
    """

    default_cases: Flags
    default_labels: Flags
    early_cases: Flags
    early_labels: Flags

    @staticmethod
    def of(run: Run, period: Period) -> Questions:
        """Return the questions to a run with their answers."""
        asked = detectors.weekly(run.panel.observed, period)
        overdue = run.panel.daily["days_past_due"]
        return Questions(
            asked & (overdue < DEFAULT_DAYS),
            run.outcomes.days_to_default() <= NEXT_DAYS,
            asked & (overdue == 0),
            run.outcomes.days_to_failing_instalment() <= NEXT_DAYS,
        )

    def ranked(self, score: detectors.Table) -> Ranked:
        """Return how a score answers."""
        defaults, early = score[self.default_cases], score[self.early_cases]
        answers, early_answers = self.default_labels[self.default_cases], self.early_labels[self.early_cases]
        return Ranked(
            metrics.auc(answers, defaults),
            metrics.kolmogorov_smirnov(answers, defaults),
            metrics.auc(early_answers, early),
            metrics.kolmogorov_smirnov(early_answers, early),
        )


def _judged(one: Detector, run: Run, period: Period, questions: Questions, budget_a_day: float) -> Judged:
    outcomes = run.outcomes
    truth = detectors.truth_of(run)
    begun = alarms.starts(one.alarm)
    verdict = alarms.verdict(begun, truth, period)
    defaults = judged_failures(outcomes.defaults, run, period)
    worth_working = run.panel.observed & (one.score > 0 if "past due" in one.name else np.isfinite(one.score))
    return Judged(
        one.name,
        one.rule,
        questions.ranked(one.score),
        verdict,
        verdict.precision,
        alarms.lead(one.alarm, judged_failures(outcomes.misses, run, period)),
        alarms.lead(one.alarm, judged_failures(first_of_each(outcomes.misses), run, period)),
        alarms.verdict(begun, detectors.truth_of(run, outcomes.defaults), period).precision,
        alarms.lead(one.alarm, defaults),
        alarms.caught_within_budget(one.score, worth_working, truth, _within(defaults, period), period, budget_a_day),
    )


def _within(failures: Sequence[DelinquencySpell], period: Period) -> list[DelinquencySpell]:
    return [one for one in failures if one.missed < period.end]


def _life_events(run: Run, period: Period) -> list[Seen]:
    defaults = judged_failures(run.outcomes.defaults, run, period)
    return seen_by_kind(alerts_begun(run.panel), run.outcomes.hardships, defaults, period)


def _shortfall(run: Run, period: Period) -> Coverage:
    """Check the forecasts of every week, as far ahead as the truth goes, of borrowers with nothing overdue."""
    reach = Period(period.first, run.outcomes.days - HORIZON_DAYS)
    checked = detectors.weekly(run.panel.observed, reach) & (run.panel.daily["days_past_due"] == 0)
    return coverage(run.panel.daily["shortfall_days"], run.outcomes.days_to_shortfall(), checked)


def alerts_begun(panel: Panel) -> Flags:
    """Tell where a borrower's alert of trouble begins: a level that worsens to WATCH or worse, or a behaviour."""
    table: Flags = np.zeros(panel.known.shape, np.bool_)
    worse = panel.changes[
        (panel.changes["after"] > panel.changes["before"]) & (panel.changes["after"] >= int(Level.WATCH))
    ]
    for found in (worse, panel.openings):
        table[found["borrower"], found["time"] // DAY_MS - panel.first_day] = True
    return table


def _left_out(panel: Panel, questions: Questions) -> list[Ablation]:
    """Rank by the points lost without those of one indicator: what its evidence was worth to the index."""
    points = panel.daily["points"].astype(np.float64)
    total = points.sum(axis=-1)
    found = []
    for place, name in enumerate(NAMES):
        ranked = questions.ranked(total - points[..., place])
        found.append(Ablation(name, ranked.auc_default, ranked.auc_early))
    return found
