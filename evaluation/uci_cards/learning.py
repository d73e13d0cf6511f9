"""Learning from credit card months and scoring by what was learned, in the order in which the months closed."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np

from loanpulse.evaluation.uci_cards.file import MONTHS, CardFile, CardMonth
from loanpulse.evaluation.uci_cards.history import CARD_INPUTS, CardHistory
from loanpulse.evaluation.uci_cards.stream import CardStream
from loanpulse.streams.learning.challenger import Challenger, ChallengerOptions
from loanpulse.streams.learning.champion import Champion
from loanpulse.streams.learning.forest import ForestOptions
from loanpulse.streams.learning.quality.guards import Verdict, compare
from loanpulse.streams.models.calibration import probability
from loanpulse.streams.models.inputs import INDEX_INPUTS, Integers, Labels, Reals, counted
from loanpulse.streams.policy.policy_file import Policy
from loanpulse.streams.scoring.index import index_of
from loanpulse.streams.scoring.levels import level_with_hysteresis

LESSON = 256
READINGS = (*INDEX_INPUTS, *CARD_INPUTS)
MONTHLY = ChallengerOptions()
FINAL = ChallengerOptions(
    forest=ForestOptions(trees=25, patch=0.5, bag=6.0, grace_period=60, delta=0.01, tau=0.05, max_depth=12)
)
"""October's outcome is another thing than a month's status and is seen once: a larger forest pays there."""
CHAMPION, CHALLENGER = "champion", "challenger"

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class MonthInputs:
    """What the models read of every client at the end of a month."""

    counted: Reals
    features: Reals
    hard_events: Integers
    never_late: Labels

    def first(self, count: int) -> "MonthInputs":
        """Return those of the first clients."""
        return MonthInputs(
            self.counted[:count], self.features[:count], self.hard_events[:count], self.never_late[:count]
        )


@dataclass(frozen=True, slots=True)
class Prediction:
    """Both models' probabilities at the end of a month, and which of them was served."""

    month: int
    champion: Reals
    challenger: Reals
    served: str
    never_late: Labels
    lhi: Reals
    level: Integers

    @property
    def pd(self) -> Reals:
        """The probabilities of the model that was served."""
        return self.champion if self.served == CHAMPION else self.challenger


@dataclass(slots=True)
class Learner:
    """Champion and challenger of one outcome, with what they predicted before each outcome was known."""

    options: ChallengerOptions
    champion: Champion
    challenger: Challenger | None = None
    verdict: Verdict | None = None

    def learn(self, inputs: MonthInputs, outcomes: Labels, seed: int) -> tuple[Reals, Reals]:
        """Learn in batches; returns both models' probabilities as they stood before each batch.

        All outcomes of a month become known at once, so their order is drawn by ``seed``.
        """
        if self.challenger is None:
            self.challenger = Challenger(inputs.features.shape[1], self.options)
        before = np.full(len(outcomes), np.nan), np.full(len(outcomes), np.nan)
        order = np.random.default_rng(seed).permutation(len(outcomes))
        for start in range(0, len(order), LESSON):
            places = order[start : start + LESSON]
            one, two = self.predict(inputs, places)
            before[0][places], before[1][places] = one, two
            raw = self.champion.raw_log_odds(inputs.counted[places])
            self.challenger.learn(inputs.features[places], raw, outcomes[places])
            self.champion.learn(inputs.counted[places], outcomes[places])
        later = order[len(order) // 2 :]
        self.verdict = compare(outcomes[later], before[1][later], before[0][later])
        return before

    def predict(self, inputs: MonthInputs, places: Integers) -> tuple[Reals, Reals]:
        """Return both models' probabilities of some clients; a challenger not yet ready says the champion's."""
        counted_utilities = inputs.counted[places]
        one = probability(self.champion.log_odds(counted_utilities))
        if self.challenger is None or not self.challenger.ready:
            return one, one
        raw = self.champion.raw_log_odds(counted_utilities)
        return one, probability(self.challenger.flat().log_odds(inputs.features[places], raw))

    @property
    def served(self) -> str:
        """Which model is served: the challenger once it is no worse on outcomes that it had not seen."""
        promoted = self.verdict is not None and self.verdict.passed
        return CHALLENGER if promoted and self.challenger is not None and self.challenger.ready else CHAMPION


@dataclass(slots=True)
class CardScoring:
    """Index and level of clients by the probabilities served, month after month."""

    policy: Policy
    _level: Integers | None = None

    def score(self, pd: Reals, hard: Integers) -> tuple[Reals, Integers]:
        """Return index and level at a month's end; the months are further apart than any dwell."""
        parameters = self.policy.parameters
        lhi = np.array([index_of(float(odds), parameters) for odds in np.log((1.0 - pd) / pd)])
        before = np.zeros(len(pd), np.int8) if self._level is None else self._level
        level = [
            max(
                level_with_hysteresis(float(points), int(last), parameters),
                int(parameters["override_level"][int(event)]),
            )
            for points, last, event in zip(lhi.tolist(), before.tolist(), hard.tolist(), strict=True)
        ]
        self._level = np.array(level, np.int8)
        return lhi, self._level


def joined(first: CardMonth, second: CardMonth) -> CardMonth:
    """Return a month of both files' clients, one after the other."""
    return CardMonth(
        np.concatenate([first.status, second.status]),
        np.concatenate([first.bill, second.bill]),
        np.concatenate([first.paid, second.paid]),
    )


@dataclass(slots=True)
class CardRun:
    """Streams two files' months together; learns from ``train`` only, so that no score depends on who else is scored.

    ``progressive`` gathers, per outcome, what was predicted of ``train`` before it was known:
    (month, outcomes, champion, challenger, never late before).
    """

    policy: Policy
    train: CardFile
    score: CardFile
    serve: str = "best"
    progress: Progress = lambda text: None
    progressive: list[tuple[int, Labels, Reals, Reals, Labels]] = field(default_factory=list)
    monthly: Learner = field(init=False)
    final: Learner | None = None

    def __post_init__(self) -> None:
        self.monthly = Learner(MONTHLY, Champion(READINGS, self.policy.file.index.neutral_pd))

    def months(self) -> Iterator[Prediction]:
        """Yield the predictions of ``score`` at each month's end, the earliest first."""
        limit = np.concatenate([self.train.limit, self.score.limit])
        stream, history = CardStream(self.policy, limit), CardHistory(limit)
        scoring, last = CardScoring(self.policy), None
        for month, name in enumerate(MONTHS):
            closed = joined(self.train.months[month], self.score.months[month])
            if last is not None:
                self.progress(f"{name}: learning which of {len(self.train):,} clients came late")
                self._learn(self.monthly, month - 1, last, closed.status[: len(self.train)] >= 1)
            self.progress(f"{name}: streaming {len(limit):,} clients through the engine")
            last = self._inputs(stream, history, month, closed)
            learner = self.monthly
            if month == len(MONTHS) - 1 and self.train.outcome is not None:
                self.progress(f"learning October's outcome of {len(self.train):,} clients")
                learner = self.final = Learner(FINAL, self.monthly.champion.successor())
                self._learn(learner, month, last, self.train.outcome)
            yield self._predict(learner, scoring, month, last)

    def _inputs(self, stream: CardStream, history: CardHistory, month: int, closed: CardMonth) -> MonthInputs:
        scores = stream.close(month, closed)
        history.add(closed)
        neutral = self.policy.file.index.neutral_utility
        index = counted(scores["utility"], scores["evidence"], neutral)
        card = history.counted_utilities(neutral)
        return MonthInputs(
            np.column_stack([index, card]),
            np.column_stack([history.features(), index, scores["days_past_due"]]),
            scores["hard_event"].astype(np.int8),
            history.never_late(),
        )

    def _learn(self, learner: Learner, month: int, inputs: MonthInputs, outcomes: Labels) -> None:
        own = inputs.first(len(self.train))
        one, two = learner.learn(own, outcomes, seed=month)
        self.progressive.append((month, outcomes, one, two, own.never_late))

    def _predict(self, learner: Learner, scoring: CardScoring, month: int, inputs: MonthInputs) -> Prediction:
        places = np.arange(len(self.train), len(self.train) + len(self.score))
        one, two = learner.predict(inputs, places)
        served = learner.served if self.serve == "best" else self.serve
        lhi, level = scoring.score(one if served == CHAMPION else two, inputs.hard_events[places])
        return Prediction(month, one, two, served, inputs.never_late[places], lhi, level)
