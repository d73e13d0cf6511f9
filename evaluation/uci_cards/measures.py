"""How good the predictions of a credit card run were, month by month and for October's outcome."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from loanpulse.evaluation.uci_cards.file import MONTHS, CardFile
from loanpulse.evaluation.uci_cards.learning import CHALLENGER, CHAMPION, Prediction
from loanpulse.streams.learning.quality.intervals import Interval, bootstrap
from loanpulse.streams.learning.quality.metrics import auc, calibration_error
from loanpulse.streams.models.inputs import Labels, Reals

OCTOBER = "2005-10"


@dataclass(frozen=True, slots=True)
class Measure:
    """One model over one month's predictions: everybody, and those never late before (early warning)."""

    as_of: str
    outcome_month: str
    model: str
    clients: int
    early_clients: int
    auc: Interval
    early_auc: Interval
    calibration_error: float


def measure(month: int, model: str, outcomes: Labels, pd: Reals, never_late: Labels) -> Measure:
    """Measure one model's predictions as of a month."""
    return Measure(
        MONTHS[month],
        MONTHS[month + 1] if month + 1 < len(MONTHS) else OCTOBER,
        model,
        len(outcomes),
        int(never_late.sum()),
        bootstrap(auc, outcomes, pd),
        bootstrap(auc, outcomes[never_late], pd[never_late]),
        calibration_error(outcomes, pd),
    )


def outcomes_of(score: CardFile, month: int) -> Labels | None:
    """Return what became of clients after a month, where the file tells; used to measure only."""
    if month + 1 < len(MONTHS):
        return score.months[month + 1].status >= 1
    return score.outcome


def measured(predictions: Iterable[Prediction], score: CardFile) -> Iterator[Measure]:
    """Yield the measures of both models on the scored clients, for the months whose outcome the file tells."""
    for one in predictions:
        outcomes = outcomes_of(score, one.month)
        if outcomes is None or not len(outcomes):
            continue
        for model, pd in ((CHAMPION, one.champion), (CHALLENGER, one.challenger)):
            yield measure(one.month, model, outcomes, pd, one.never_late)


def measured_before_learning(
    progressive: Iterable[tuple[int, Labels, Reals, Reals, Labels]],
) -> Iterator[Measure]:
    """Yield the measures of what was predicted of the training clients before each outcome was learned."""
    for month, outcomes, champion, challenger, never_late in progressive:
        for model, pd in ((CHAMPION, champion), (CHALLENGER, challenger)):
            yield measure(month, model, outcomes, pd, never_late)


def folds(clients: int, count: int, seed: int = 0) -> Iterator[Labels]:
    """Yield, for each of ``count`` parts, which clients are in it; every client is in one."""
    part = np.random.default_rng(seed).permutation(clients) % count
    for number in range(count):
        yield part == number
