"""Why a model says what it says: a champion's exact points, or a score beside others' by a sampled Shapley value.

Both speak in index points lost, per indicator, so that they can be laid beside each other.
"""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from loanpulse.streams.indicators.catalogue import COUNT
from loanpulse.streams.models.inputs import Integers, Reals
from loanpulse.streams.models.scorecard import Scorecard

Model = Callable[[Reals], Reals]
"""Takes rows of features, gives log-odds of default."""

CONSISTENCY_WANTED = 0.91


def champion_points(scorecard: Scorecard, counted: Reals, perfect: Reals, factor: float) -> Reals:
    """Return the points that each indicator costs against a perfect reading; exact, because the index is a sum.

    ``perfect`` is the counted utility of a perfect reading, ``factor`` the points per unit of log-odds.
    """
    points: Reals = factor * scorecard.weights * (perfect - counted)
    return points


@dataclass(frozen=True, slots=True)
class Contributions:
    """What each indicator adds to a borrower's log-odds of default against the background, and how it was found."""

    values: Reals
    background: float
    permutations: int


def shapley(
    model: Model,
    row: Reals,
    background: Reals,
    groups: list[list[int]],
    *,
    permutations: int = 64,
    seconds: float = 0.05,
    seed: int = 0,
    clock: Callable[[], float] = time.monotonic,
) -> Contributions:
    """Return sampled Shapley values of groups of features, within a time budget.

    Each permutation is walked forwards and back (antithetic) from a drawn background row to ``row``, indicator by
    indicator; the walks' sums are exact, so the values always add up to the prediction over the drawn backgrounds.
    ``groups`` are the columns of each indicator: value, utility and evidence move together.
    """
    dice = np.random.default_rng(seed)
    found = np.zeros(len(groups))
    base, walked, began = 0.0, 0, clock()
    while walked < permutations and (walked == 0 or clock() - began < seconds):
        start = background[dice.integers(len(background))]
        order = dice.permutation(len(groups))
        for one in (order, order[::-1]):
            path = np.tile(start, (len(groups) + 1, 1))
            for step, group in enumerate(one, start=1):
                path[step:, groups[group]] = row[groups[group]]
            answers = model(path)
            found[one] += np.diff(answers)
            base += float(answers[0])
        walked += 1
    return Contributions(found / (2 * walked), base / (2 * walked), walked)


def indicator_groups() -> list[list[int]]:
    """Return the columns of each indicator in the trainer's full vector: counted utilities, values, evidences."""
    return [[place, COUNT + place, 2 * COUNT + place] for place in range(COUNT)]


def first_reasons(points: Reals) -> Integers:
    """Return each row's dearest indicator."""
    dearest: Integers = np.argmax(points, axis=1)
    return dearest


def consistency(
    explain: Callable[[Reals], Reals], rows: Reals, *, noise: float = 0.02, draws: int = 10, seed: int = 0
) -> float:
    """Return how often a borrower keeps the first reason when the utilities are moved within ``noise``.

    ``explain`` gives points lost per indicator of rows of counted utilities.
    """
    dice = np.random.default_rng(seed)
    first = first_reasons(explain(rows))
    kept = [
        (first_reasons(explain(rows + dice.normal(0.0, noise, rows.shape) * (rows != 0.0))) == first).mean()
        for _ in range(draws)
    ]
    return float(np.mean(kept))


def reason_consistency(weights: Reals, counted: Reals, perfect: float) -> float:
    """Return how often borrowers keep their first reason by a scorecard's weights; NaN where there are none.

    ``counted`` are rows of counted utilities, 0 where there is no evidence: of such an indicator no reason speaks.
    ``perfect`` is the counted utility of a perfect reading.
    """

    def explain(rows: Reals) -> Reals:
        points: Reals = np.where(rows == 0.0, -np.inf, weights * (perfect - rows))
        return points

    return consistency(explain, counted) if len(counted) else math.nan
