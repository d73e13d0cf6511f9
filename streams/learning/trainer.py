"""The trainer: for each batch predict, score, then learn, in the order of maturity; versions and health are yielded.

Its results depend on the examples and their order only: batches have a fixed size, days close whole, and within a day
examples are learned in the order of maturity and id. So the way in which examples were fetched changes nothing, and a
trainer that continues from a stored state ends with the same weights.
"""

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np

from loanpulse.schemas.contracts import ExampleOutcome, Level
from loanpulse.schemas.units import DAY_MS
from loanpulse.streams.indicators.catalogue import COUNT, INDICATORS, NAMES
from loanpulse.streams.learning.challenger import CHALLENGER_ALGORITHM, Challenger
from loanpulse.streams.learning.champion import CHAMPION_ALGORITHM, Champion
from loanpulse.streams.learning.health_reports import HealthReport
from loanpulse.streams.learning.labels import Matured
from loanpulse.streams.learning.outputs import FOREST, LOGISTIC, Output, Version
from loanpulse.streams.learning.quality.guards import judge
from loanpulse.streams.learning.quality.stability import ErrorDrift
from loanpulse.streams.learning.training_window import TrainingWindow, WindowRow, labelled, outcomes_of
from loanpulse.streams.models.calibration import probability
from loanpulse.streams.models.challenger_weights import challenger_to_bytes
from loanpulse.streams.models.flat_challenger import PublishedChallenger
from loanpulse.streams.models.inputs import INDEX_INPUTS, Labels, Reals, inputs_of
from loanpulse.streams.models.scorecard import Scorecard, scorecard_to_bytes
from loanpulse.streams.models.served import Served, served_pd
from loanpulse.streams.policy.policy_file import MODEL_VERSION

FEATURES = 3 * COUNT


@dataclass(frozen=True, slots=True)
class TrainerOptions:
    """How the trainer learns and reports. ``team_capacity_per_day`` is how many borrowers the team can reach a day."""

    neutral_pd: float = 0.04
    neutral_utility: float = 0.6
    horizon_days: int = 30
    batch: int = 128
    examples_per_version: int = 1024
    window: int = 16_384
    team_capacity_per_day: int = 50
    health_days: int = 7
    """Days of event time between two measures of health, at least."""


@dataclass(slots=True)
class Trainer:
    """Learns from matured examples, day by day. A version that passes the guards is put in force."""

    options: TrainerOptions = TrainerOptions()
    champion: Champion = field(init=False)
    challenger: Challenger = field(default_factory=lambda: Challenger(FEATURES))
    in_force: Served = field(init=False)
    in_force_version: str = MODEL_VERSION
    closed_day: int = -1
    examples: int = 0
    window: TrainingWindow = field(init=False)
    _days: dict[int, list[Matured]] = field(default_factory=lambda: defaultdict(list))
    _batch: list[Matured] = field(default_factory=list)
    _since_version: int = 0
    _measured_day: int = 0
    _drift: dict[str, ErrorDrift] = field(default_factory=lambda: {LOGISTIC: ErrorDrift(), FOREST: ErrorDrift()})

    def __post_init__(self) -> None:
        self.champion = Champion(INDEX_INPUTS, self.options.neutral_pd)
        self.window = TrainingWindow(self.options.window, self.options.examples_per_version)
        weights = np.array([indicator.weight for indicator in INDICATORS])
        odds = math.log((1.0 - self.options.neutral_pd) / self.options.neutral_pd)
        self.in_force = Scorecard(NAMES, weights, odds)

    def add(self, example: Matured) -> None:
        """Add an example; it is learned when its day closes."""
        # A closed day is final: an example that arrives after it counts on the next one.
        self._days[max(example.matured_time // DAY_MS, self.closed_day + 1)].append(example)

    @property
    def in_force_model(self) -> str:
        """The id of the model that the version in force belongs to."""
        return LOGISTIC if isinstance(self.in_force, Scorecard) else FOREST

    @property
    def waiting(self) -> int:
        """Examples whose day has not closed."""
        return sum(len(day) for day in self._days.values())

    def put_in_force(self, version: str, served: Served) -> None:
        """Compare new versions with this one from now on."""
        self.in_force, self.in_force_version = served, version

    def close(self, before_day: int, groups: Mapping[str, str] | None = None) -> Iterator[Output]:
        """Close the days before ``before_day`` (days since 1970); yields new versions and health.

        ``groups`` is the lender's table for audits: a group by borrower.
        """
        for day in sorted(day for day in self._days if day < before_day):
            yield from self._close_day(day, groups or {})
        self.closed_day = max(self.closed_day, before_day - 1)

    def _close_day(self, day: int, groups: Mapping[str, str]) -> Iterator[Output]:
        examples = sorted(self._days.pop(day), key=lambda example: (example.matured_time, example.example_id))
        horizon = self.options.horizon_days
        self._add_to_window([example for example in examples if example.horizon_days != horizon])
        for example in examples:
            if example.horizon_days != horizon:
                continue
            if example.outcome is ExampleOutcome.CENSORED:
                self._add_to_window([example])
                continue
            self._batch.append(example)
            if len(self._batch) == self.options.batch:
                batch, self._batch = self._batch, []
                self._learn(batch)
                self._since_version += len(batch)
                if self._since_version >= self.options.examples_per_version:
                    self._since_version = 0
                    yield from self._versions(example.matured_time)
        self.closed_day = day
        if day - self._measured_day >= self.options.health_days:
            self._measured_day = day
            yield from self._report((day + 1) * DAY_MS).measures(self.window, groups)

    def _learn(self, batch: list[Matured]) -> None:
        counted_utilities, features, outcomes = self._columns(batch)
        self._add_to_window(batch)
        raw = self.champion.raw_log_odds(counted_utilities)
        self.challenger.learn(features, raw, outcomes)
        self.champion.learn(counted_utilities, outcomes)
        self.examples += len(batch)

    def _columns(self, examples: list[Matured]) -> tuple[Reals, Reals, Labels]:
        """Return the champion's and the challenger's inputs, and which examples defaulted."""
        model_inputs = np.array([example.prediction.model_inputs for example in examples])
        counted_utilities, features = inputs_of(model_inputs, self.options.neutral_utility)
        outcomes = np.array([example.outcome is ExampleOutcome.DEFAULTED for example in examples])
        return counted_utilities, features, outcomes

    def _add_to_window(self, examples: list[Matured]) -> None:
        """Add examples to the window with the models' present predictions; call it before learning from them."""
        if not examples:
            return
        counted_utilities, features, outcomes = self._columns(examples)
        in_force = served_pd(self.in_force, counted_utilities, features)
        candidate = probability(self.champion.log_odds(counted_utilities))
        challenging = candidate
        if self.challenger.ready:
            raw = self.champion.raw_log_odds(counted_utilities)
            challenging = probability(self.challenger.flat().log_odds(features, raw))
        for index, example in enumerate(examples):
            prediction = example.prediction
            model_inputs = np.array(prediction.model_inputs)
            row = WindowRow(
                prediction.time, prediction.borrower_id, example.lender, example.outcome, float(in_force[index]),
                float(candidate[index]), float(challenging[index]), Level[prediction.level] >= Level.TENSE,
                counted_utilities[index],
                np.where(model_inputs[:, 2] > 0, model_inputs[:, 1], self.options.neutral_utility), model_inputs[:, 4],
                example.defaulted_at,
            )  # fmt: skip
            self.window.add(example.horizon_days, row)
        if examples[0].horizon_days == self.options.horizon_days:
            self._drift[LOGISTIC].add(np.abs(in_force - outcomes))
            self._drift[FOREST].add(np.abs(challenging - outcomes))

    def _versions(self, time: int) -> Iterator[Version]:
        recent = labelled(self.window.rows[self.options.horizon_days])[-2 * self.options.examples_per_version :]
        scorecard = self.champion.scorecard()
        verdict = judge(
            outcomes_of(recent),
            np.array([row.candidate for row in recent]),
            np.array([row.in_force for row in recent]),
            scorecard.weights,
            scorecard.names,
        )
        name, parent = self._name(LOGISTIC), self.in_force_version
        # Only a person puts a forest in force, and only a person replaces it.
        forest_in_force = isinstance(self.in_force, PublishedChallenger)
        accepted = verdict.passed and not forest_in_force
        if accepted:
            self.put_in_force(name, scorecard)
        reason = f"{parent}, a forest, stands until a person decides; {verdict.reason}"
        yield Version(
            LOGISTIC, name, parent, True, accepted, time, self.examples, CHAMPION_ALGORITHM,
            scorecard_to_bytes(scorecard), reason if forest_in_force else verdict.reason, self.options.horizon_days,
        )  # fmt: skip
        if self.challenger.ready:
            published = PublishedChallenger(self.challenger.flat(), self.champion.uncalibrated())
            yield Version(
                FOREST, self._name(FOREST), name, False, False, time, self.examples, CHALLENGER_ALGORITHM,
                challenger_to_bytes(published), "scored beside the champion", self.options.horizon_days,
            )  # fmt: skip

    def _name(self, model: str) -> str:
        """Return the name of a model's version as it is now."""
        return f"{model}-{self.options.horizon_days}-{self.examples}"

    def _report(self, time: int) -> HealthReport:
        return HealthReport(
            time,
            self.options.horizon_days,
            self.options.team_capacity_per_day,
            self.options.neutral_utility,
            self.in_force,
            self.in_force_model,
            self.in_force_version,
            self._name(FOREST),
            {model: detector.take() for model, detector in self._drift.items()},
        )
