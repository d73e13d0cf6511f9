"""Explanations of a score: a champion's exact points, or sampled Shapley values against a background.

Both are index points lost per indicator, so that they can be compared.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from loanpulse.streams.indicators.catalogue import COUNT
from loanpulse.streams.models.inputs import Integers, Reals
from loanpulse.streams.models.scorecard import Scorecard

Model = Callable[[Reals], Reals]
"""Maps rows of features to log-odds of default."""


def champion_points(scorecard: Scorecard, counted: Reals, perfect: Reals, factor: float) -> Reals:
    """Return the points that each indicator costs against a perfect reading; exact, because the index is a sum.

    ``perfect`` is the counted utility of a perfect reading, ``factor`` the points per unit of log-odds.
    """
    points: Reals = factor * scorecard.weights * (perfect - counted)
    return points


@dataclass(frozen=True, slots=True)
class Contributions:
    """What each indicator adds to a borrower's log-odds of default against the background.

    ``background`` is the mean log-odds of the drawn background rows, ``permutations`` how many were walked.
    """

    values: Reals
    background: float
    permutations: int


def shapley(
    model: Model,
    row: Reals,
    background: Reals,
    groups: list[list[int]],
    *,
    clock: Callable[[], float],
    seconds: float = 0.05,
    permutations: int = 64,
    seed: int = 0,
) -> Contributions:
    """Return sampled Shapley values of groups of features, within ``seconds`` by ``clock`` (at least one permutation).

    Each permutation is walked forwards and back (antithetic) from a drawn background row to ``row``, indicator by
    indicator; the walks' sums are exact, so the values always add up to the prediction over the drawn backgrounds.
    ``groups`` are the columns of each indicator: value, utility and evidence move together.
    """
    rng = np.random.default_rng(seed)
    totals = np.zeros(len(groups))
    base, walked, began = 0.0, 0, clock()
    while walked < permutations and (walked == 0 or clock() - began < seconds):
        start = background[rng.integers(len(background))]
        permutation = rng.permutation(len(groups))
        for order in (permutation, permutation[::-1]):
            path = np.tile(start, (len(groups) + 1, 1))
            for step, group in enumerate(order, start=1):
                path[step:, groups[group]] = row[groups[group]]
            log_odds = model(path)
            totals[order] += np.diff(log_odds)
            base += float(log_odds[0])
        walked += 1
    return Contributions(totals / (2 * walked), base / (2 * walked), walked)


def indicator_groups() -> list[list[int]]:
    """Return the columns of each indicator in the trainer's full vector: counted utilities, values, evidences."""
    return [[index, COUNT + index, 2 * COUNT + index] for index in range(COUNT)]


def first_reasons(points: Reals) -> Integers:
    """Return the indicator that costs most points in each row."""
    costliest: Integers = np.argmax(points, axis=1)
    return costliest


def consistency(
    explain: Callable[[Reals], Reals], rows: Reals, *, noise: float = 0.02, draws: int = 10, seed: int = 0
) -> float:
    """Return how often a borrower keeps the first reason when the utilities are moved within ``noise``.

    ``explain`` gives points lost per indicator of rows of counted utilities.
    """
    rng = np.random.default_rng(seed)
    first = first_reasons(explain(rows))
    kept = [
        (first_reasons(explain(rows + rng.normal(0.0, noise, rows.shape) * (rows != 0.0))) == first).mean()
        for _ in range(draws)
    ]
    return float(np.mean(kept))


def reason_consistency(weights: Reals, counted: Reals, perfect: float) -> float:
    """Return how often borrowers keep their first reason by a scorecard's weights; NaN where there are none.

    ``counted`` are rows of counted utilities, 0 where there is no evidence: such an indicator is never a reason.
    ``perfect`` is the counted utility of a perfect reading.
    """

    def explain(rows: Reals) -> Reals:
        points: Reals = np.where(rows == 0.0, -np.inf, weights * (perfect - rows))
        return points

    return consistency(explain, counted) if len(counted) else math.nan
