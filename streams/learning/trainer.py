"""The trainer: predict, score, then learn, in the order of maturity; versions, guards and health come out.

All that it does follows from the examples and their order: lessons have a fixed size, days close whole, and within a
day examples are learned in the order of maturity and id. So it is the same however the examples were fetched, and a
trainer that goes on from a stored state ends with the same weights.
"""

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np

from loanpulse.schemas.contracts import ExampleOutcome, Level
from loanpulse.streams.indicators.catalogue import COUNT, INDICATORS, NAMES
from loanpulse.streams.learning import champion as champions
from loanpulse.streams.learning.challenger import ALGORITHM, Challenger
from loanpulse.streams.learning.champion import Champion
from loanpulse.streams.learning.explanations import reason_consistency
from loanpulse.streams.learning.fairness import GroupAudit, audit, groups_of, proxy_auc
from loanpulse.streams.learning.guards import judge
from loanpulse.streams.learning.health import ENOUGH, Cohort, Health, health
from loanpulse.streams.learning.labels import DAY_MS, Matured
from loanpulse.streams.learning.stability import ErrorDrift
from loanpulse.streams.models.calibration import probability
from loanpulse.streams.models.challenger_weights import challenger_to_bytes
from loanpulse.streams.models.flat_challenger import PublishedChallenger
from loanpulse.streams.models.inputs import INDEX_READINGS, Labels, Reals, inputs_of
from loanpulse.streams.models.scorecard import Scorecard, scorecard_to_bytes
from loanpulse.streams.models.served import Served, served_pd
from loanpulse.streams.policy.policy_file import MODEL_VERSION

LOGISTIC, FOREST = "logistic", "forest"
FEATURES = 3 * COUNT
REASONED = 2_048
"""The newest borrowers pointed out whose first reasons are tried for consistency."""
DEFAULTS_FOUND = 20
"""Defaults with a row at TENSE or worse before them below which no lead time is told."""


@dataclass(frozen=True, slots=True)
class TrainerOptions:
    """How the trainer learns and reports. ``budget_per_day`` is how many borrowers the team can reach a day."""

    neutral_pd: float = 0.04
    neutral_utility: float = 0.6
    horizon_days: int = 30
    lesson: int = 128
    version_examples: int = 1024
    window: int = 16_384
    budget_per_day: int = 50
    health_days: int = 7
    """Days of event time between two measures of health, at least."""


@dataclass(frozen=True, slots=True)
class Version:
    """A version of a model as it is published, and what the guards found of it."""

    model_id: str
    version: str
    parent: str
    champion: bool
    in_force: bool
    time: int
    examples: int
    algorithm: str
    weights: bytes
    reason: str


@dataclass(frozen=True, slots=True)
class Measured:
    """A model's health over the window, for all lenders or one, and for one audited group or everybody."""

    model_id: str
    version: str
    champion: bool
    time: int
    window: tuple[int, int]
    horizon_days: int
    lender: str | None
    health: Health
    group: GroupAudit | None = None
    proxy_auc: float | None = None
    reason_consistency: float | None = None
    lead_time_days: float | None = None


Output = Version | Measured


@dataclass(slots=True)
class _Row:
    """One example in the window, with what the models said of it before its outcome was learned."""

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


@dataclass(slots=True)
class Trainer:
    """Takes matured examples, and carries on day by day; ``groups`` is the lender's table for audits."""

    options: TrainerOptions = TrainerOptions()
    champion: Champion = field(init=False)
    challenger: Challenger = field(default_factory=lambda: Challenger(FEATURES))
    in_force: Served = field(init=False)
    in_force_version: str = MODEL_VERSION
    closed_day: int = -1
    examples: int = 0
    _days: dict[int, list[Matured]] = field(default_factory=lambda: defaultdict(list))
    _lesson: list[Matured] = field(default_factory=list)
    _window: dict[int, list[_Row]] = field(default_factory=lambda: defaultdict(list))
    _reference: dict[int, list[_Row]] = field(default_factory=lambda: defaultdict(list))
    _since_version: int = 0
    _measured_day: int = 0
    _drift: dict[str, ErrorDrift] = field(default_factory=lambda: {LOGISTIC: ErrorDrift(), FOREST: ErrorDrift()})

    def __post_init__(self) -> None:
        self.champion = Champion(INDEX_READINGS, self.options.neutral_pd)
        weights = np.array([indicator.weight for indicator in INDICATORS])
        odds = math.log((1.0 - self.options.neutral_pd) / self.options.neutral_pd)
        self.in_force = Scorecard(NAMES, weights, odds)

    def add(self, example: Matured) -> None:
        """Take an example; it is learned when its day closes."""
        # A day that has closed stays as it was learned: what comes after it counts on the next.
        self._days[max(example.matured_time // DAY_MS, self.closed_day + 1)].append(example)

    @property
    def in_force_model(self) -> str:
        """Which of the two models the version in force is of."""
        return LOGISTIC if isinstance(self.in_force, Scorecard) else FOREST

    @property
    def waiting(self) -> int:
        """Examples whose day has not closed."""
        return sum(len(day) for day in self._days.values())

    def put_in_force(self, version: str, served: Served) -> None:
        """Compare with another version from here on: a person promoted it or went back to it."""
        self.in_force, self.in_force_version = served, version

    def close(self, before_day: int, groups: Mapping[str, str] | None = None) -> Iterator[Output]:
        """Close the days before ``before_day`` (days since 1970) and yield what comes of them."""
        for day in sorted(one for one in self._days if one < before_day):
            yield from self._close_day(day, groups or {})
        self.closed_day = max(self.closed_day, before_day - 1)

    def _close_day(self, day: int, groups: Mapping[str, str]) -> Iterator[Output]:
        examples = sorted(self._days.pop(day), key=lambda one: (one.matured_time, one.example_id))
        learned = [one for one in examples if one.horizon_days == self.options.horizon_days]
        self._note([one for one in examples if one.horizon_days != self.options.horizon_days])
        for example in learned:
            if example.outcome is ExampleOutcome.CENSORED:
                self._note([example])
                continue
            self._lesson.append(example)
            if len(self._lesson) == self.options.lesson:
                lesson, self._lesson = self._lesson, []
                self._learn(lesson)
                self._since_version += len(lesson)
                if self._since_version >= self.options.version_examples:
                    self._since_version = 0
                    yield from self._versions(example.matured_time)
        self.closed_day = day
        if day - self._measured_day >= self.options.health_days:
            self._measured_day = day
            yield from self._measures((day + 1) * DAY_MS, groups)

    def _learn(self, lesson: list[Matured]) -> None:
        counted_utilities, features, outcomes = self._columns(lesson)
        self._note(lesson)
        raw = self.champion.raw_log_odds(counted_utilities)
        self.challenger.learn(features, raw, outcomes)
        self.champion.learn(counted_utilities, outcomes)
        self.examples += len(lesson)

    def _columns(self, examples: list[Matured]) -> tuple[Reals, Reals, Labels]:
        readings = np.array([one.prediction.readings for one in examples])
        counted_utilities, features = inputs_of(readings, self.options.neutral_utility)
        return counted_utilities, features, np.array([one.outcome is ExampleOutcome.DEFAULTED for one in examples])

    def _note(self, examples: list[Matured]) -> None:
        """Put examples into the window with what the models say of them now, before learning from them."""
        if not examples:
            return
        counted_utilities, features, outcomes = self._columns(examples)
        in_force = served_pd(self.in_force, counted_utilities, features)
        candidate = probability(self.champion.log_odds(counted_utilities))
        challenger = candidate
        if self.challenger.ready:
            raw = self.champion.raw_log_odds(counted_utilities)
            challenger = probability(self.challenger.flat().log_odds(features, raw))
        for place, example in enumerate(examples):
            prediction = example.prediction
            readings = np.array(prediction.readings)
            row = _Row(
                prediction.time, prediction.borrower_id, example.lender, example.outcome, float(in_force[place]),
                float(candidate[place]), float(challenger[place]), Level[prediction.level] >= Level.TENSE,
                counted_utilities[place],
                np.where(readings[:, 2] > 0, readings[:, 1], self.options.neutral_utility), readings[:, 4],
                example.defaulted_at,
            )  # fmt: skip
            self._remember(example.horizon_days, row)
        if examples[0].horizon_days == self.options.horizon_days:
            self._drift[LOGISTIC].add(np.abs(in_force - outcomes))
            self._drift[FOREST].add(np.abs(challenger - outcomes))

    def _remember(self, horizon: int, row: _Row) -> None:
        window = self._window[horizon]
        window.append(row)
        if len(window) > self.options.window:
            del window[: len(window) - self.options.window]
        reference = self._reference[horizon]
        if len(reference) < self.options.version_examples and row.outcome is not ExampleOutcome.CENSORED:
            reference.append(row)

    def _versions(self, time: int) -> Iterator[Version]:
        rows = [one for one in self._window[self.options.horizon_days] if one.outcome is not ExampleOutcome.CENSORED]
        recent = rows[-2 * self.options.version_examples :]
        outcomes = np.array([one.outcome is ExampleOutcome.DEFAULTED for one in recent])
        scorecard = self.champion.scorecard()
        verdict = judge(
            outcomes,
            np.array([one.candidate for one in recent]),
            np.array([one.in_force for one in recent]),
            scorecard.weights,
            scorecard.names,
        )
        name = f"{LOGISTIC}-{self.options.horizon_days}-{self.examples}"
        parent = self.in_force_version
        # A forest is in force by a person's decision alone, and so is its end.
        forest_stands = isinstance(self.in_force, PublishedChallenger)
        taken = verdict.passed and not forest_stands
        if taken:
            self.put_in_force(name, scorecard)
        yield Version(
            LOGISTIC, name, parent, True, taken, time, self.examples, champions.ALGORITHM,
            scorecard_to_bytes(scorecard),
            f"{parent}, a forest, stands until a person decides; {verdict.reason}" if forest_stands else verdict.reason,
        )  # fmt: skip
        if self.challenger.ready:
            challenger = f"{FOREST}-{self.options.horizon_days}-{self.examples}"
            published = PublishedChallenger(self.challenger.flat(), self.champion.uncalibrated())
            yield Version(
                FOREST, challenger, name, False, False, time, self.examples, ALGORITHM,
                challenger_to_bytes(published), "scored beside the champion",
            )  # fmt: skip

    def _measures(self, time: int, groups: Mapping[str, str]) -> Iterator[Measured]:
        moved = {model: detector.take() for model, detector in self._drift.items()}
        for horizon, rows in sorted(self._window.items()):
            lenders = sorted({one.lender for one in rows if one.lender})
            for model in (LOGISTIC, FOREST):
                yield self._measure(model, time, horizon, None, rows, error_moved=moved[model])
                for lender in lenders:
                    own = [one for one in rows if one.lender == lender]
                    yield self._measure(model, time, horizon, lender, own, error_moved=False)
            if groups and horizon == self.options.horizon_days:
                yield from self._audits(time, rows, groups)

    def _measure(
        self, model: str, time: int, horizon: int, lender: str | None, rows: list[_Row], *, error_moved: bool
    ) -> Measured:
        reference = self._reference[horizon]
        window = (min(one.time for one in rows), max(one.time for one in rows))
        days = max(1.0, (window[1] - window[0]) / DAY_MS)
        before = cohort(reference, model) if reference else None
        found = health(
            cohort(rows, model), before, round(days * self.options.budget_per_day), error_moved=error_moved
        )  # fmt: skip
        serves = model == LOGISTIC
        version = self.in_force_version if serves else f"{FOREST}-{self.options.horizon_days}-{self.examples}"
        return Measured(
            self.in_force_model if serves else FOREST, version, serves, time, window, horizon, lender, found,
            reason_consistency=self._reasons_kept(rows) if serves and lender is None else None,
            lead_time_days=lead_time_days(rows) if serves else None,
        )  # fmt: skip

    def _reasons_kept(self, rows: list[_Row]) -> float | None:
        """Return how often a borrower pointed out keeps the first reason by the scorecard in force; None of too few."""
        pointed = [one.counted for one in rows if one.selected][-REASONED:]
        if len(pointed) < ENOUGH or not isinstance(self.in_force, Scorecard):
            return None
        return reason_consistency(self.in_force.weights, np.array(pointed), 1.0 - self.options.neutral_utility)

    def _audits(self, time: int, rows: list[_Row], groups: Mapping[str, str]) -> Iterator[Measured]:
        rows = [one for one in rows if one.outcome is not ExampleOutcome.CENSORED]
        if not rows:
            return
        members = groups_of([one.borrower for one in rows], groups)
        whole = cohort(rows, LOGISTIC)
        window = (int(whole.times.min()), int(whole.times.max()))
        selected = np.array([one.selected for one in rows])
        for one in audit(members, whole.outcomes, whole.pd, selected):
            proxy = proxy_auc(whole.utilities[members != ""], members[members != ""] == one.group)
            found = Health(one.examples, one.positives, 0)
            yield Measured(
                self.in_force_model, self.in_force_version, True, time, window, self.options.horizon_days, None, found,
                one, None if math.isnan(proxy) else proxy,
            )  # fmt: skip


def lead_time_days(rows: list[_Row]) -> float | None:
    """Return the median days from the first row at TENSE or worse to the default; None of too few defaults found."""
    first: dict[tuple[str, int], int] = {}
    for one in rows:
        if one.selected and one.defaulted_at is not None:
            default = one.borrower, one.defaulted_at
            first[default] = min(one.time, first.get(default, one.time))
    if len(first) < DEFAULTS_FOUND:
        return None
    return float(np.median([(at - time) / DAY_MS for (_, at), time in first.items()]))


def cohort(rows: list[_Row], model: str) -> Cohort:
    """Return the rows whose outcome is known as columns, with one model's probabilities."""
    told = [one for one in rows if one.outcome is not ExampleOutcome.CENSORED]
    return Cohort(
        np.array([one.time for one in told], np.int64),
        np.array([one.outcome is ExampleOutcome.DEFAULTED for one in told], np.bool_),
        np.array([one.in_force if model == LOGISTIC else one.challenger for one in told], np.float64),
        np.array([one.utilities for one in told]).reshape(len(told), COUNT),
        np.array([one.ages for one in told]).reshape(len(told), COUNT),
        len(rows) - len(told),
    )
