"""How good the forecast of the days to shortfall was: coverage of its interval, side by side with what it claims."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from loanpulse.streams.forecast.shortfall import HORIZON_DAYS
from loanpulse.streams.record.layout import DAY_MS, Reals
from loanpulse.streams.record.months import UTC_OFFSET_MS
from loanpulse.streams.scoring.borrower import Scores


@dataclass(frozen=True, slots=True)
class Coverage:
    """Coverage over many forecasts.

    ``interval`` is over the forecasts that see a shortfall within the horizon (their first quantile is below 90 days)
    and what the calibration aims at 0.8; ``before`` and ``after`` are the shares of their outcomes outside it.
    ``everyone`` is over all forecasts: of those whose whole interval is "90 days or more", covered are the borrowers
    without a shortfall within 90 days. ``mean_absolute_error`` is of the median, in days, over the former.
    """

    forecasts: int
    foreseen: int
    interval: float
    before: float
    after: float
    everyone: float
    mean_absolute_error: float


@dataclass(frozen=True, slots=True)
class Judged:
    """Forecasts (quantiles 10, 50 and 90, days, one row each) with what then happened (days; 90 is 90 or more)."""

    quantiles: Reals
    outcomes: Reals


def judge(scores: Scores, until_ms: int, every_days: int = 7) -> Judged:
    """Return one borrower's forecasts, at most one in ``every_days``, with their outcomes.

    ``scores`` are the borrower's scorings in the order of time, ``until_ms`` how far its events go: a forecast
    whose 90 days are not over by then is left out, whatever came of it. So is one made while the balance already
    can't meet what is due.
    """
    days = (scores["time"] + UTC_OFFSET_MS) // DAY_MS
    known_until = (until_ms + UTC_OFFSET_MS) // DAY_MS
    unmet = np.flatnonzero(scores["unmet_day"] >= 0)
    quantiles: list[Reals] = []
    outcomes: list[float] = []
    last = -every_days
    for place, day in enumerate(days.tolist()):
        foreseen = scores["shortfall_days"][place]
        if day - last < every_days or np.isnan(foreseen[0]) or scores["unmet_day"][place] >= 0:
            continue
        if known_until - day <= HORIZON_DAYS:
            break
        after = unmet[unmet > place]
        ahead = max(0, int(scores["unmet_day"][after[0]]) - day) if len(after) else HORIZON_DAYS
        last = day
        quantiles.append(foreseen)
        outcomes.append(float(min(HORIZON_DAYS, ahead)))
    return Judged(np.array(quantiles).reshape(-1, 3), np.array(outcomes))


def coverage(judged: Sequence[Judged]) -> Coverage:
    """Return the coverage over many borrowers' forecasts; shares are NaN where there is none to count."""
    quantiles = np.concatenate([one.quantiles for one in judged]) if judged else np.zeros((0, 3))
    outcomes = np.concatenate([one.outcomes for one in judged]) if judged else np.zeros(0)
    low, median, high = quantiles.T
    inside = (low <= outcomes) & (outcomes <= high)
    foreseen = low < HORIZON_DAYS
    return Coverage(
        forecasts=len(outcomes),
        foreseen=int(foreseen.sum()),
        interval=_share(inside[foreseen]),
        before=_share((outcomes < low)[foreseen]),
        after=_share((outcomes > high)[foreseen]),
        everyone=_share(inside),
        mean_absolute_error=_share(np.abs(outcomes - median)[foreseen]),
    )


def _share(values: Reals) -> float:
    return float(values.mean()) if len(values) else float("nan")
