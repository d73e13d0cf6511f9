"""From a record to the index: the twelve indicators, their utilities, the probability of default and the LHI."""

import math

import numpy as np

from loanpulse.schemas.compiled import compiled
from loanpulse.schemas.sources import SOURCES
from loanpulse.schemas.units import DAY_MS
from loanpulse.streams.indicators import (
    arrears,
    borrow_to_repay,
    debt_concentration,
    debt_service,
    income_trend,
    income_volatility,
    net_cash_flow,
    payment_shortfall,
    savings_coverage,
    spending_stress,
    usage_shock,
    utility_arrears,
)
from loanpulse.streams.indicators.base import BALANCE
from loanpulse.streams.indicators.catalogue import COUNT, INDICATORS
from loanpulse.streams.record.layout import Reals, Record
from loanpulse.streams.scoring.forest import FEATURES, features_of, forest_points, probability_of_default
from loanpulse.streams.scoring.parameters import ScoringParameters
from loanpulse.streams.scoring.score import Score

_FEEDS = tuple(sum(1 << feed for feed in indicator.feeds) for indicator in INDICATORS)
"""Of each indicator the bits of the feeds that it reads."""


@compiled
def utility_of(value: float, healthy: float, unhealthy: float) -> float:
    """Return the utility of an indicator's value: 1 at ``healthy``, 0 at ``unhealthy``, linear between.

    Examples:
        >>> utility_of(10.0, healthy=0.0, unhealthy=20.0), utility_of(-5.0, 0.0, 20.0)
        (0.5, 1.0)
    """
    return min(1.0, max(0.0, (value - unhealthy) / (healthy - unhealthy)))


@compiled
def read_indicators(record: Record, time_ms: int, values: Reals, evidences: Reals) -> None:
    """Fill the values and evidences of the twelve indicators, in the catalogue's order.

    The list repeats the catalogue because a compiled function can't loop over functions; a test holds the order.
    """
    values[0], evidences[0] = net_cash_flow.read(record, time_ms)
    values[1], evidences[1] = savings_coverage.read(record, time_ms)
    values[2], evidences[2] = debt_concentration.read(record, time_ms)
    values[3], evidences[3] = income_volatility.read(record, time_ms)
    values[4], evidences[4] = income_trend.read(record, time_ms)
    values[5], evidences[5] = debt_service.read(record, time_ms)
    values[6], evidences[6] = arrears.read(record, time_ms)
    values[7], evidences[7] = payment_shortfall.read(record, time_ms)
    values[8], evidences[8] = borrow_to_repay.read(record, time_ms)
    values[9], evidences[9] = utility_arrears.read(record, time_ms)
    values[10], evidences[10] = usage_shock.read(record, time_ms)
    values[11], evidences[11] = spending_stress.read(record, time_ms)


@compiled
def index_of(log_odds: float, parameters: ScoringParameters) -> float:
    """Return the LHI (0..100) of the log-odds of staying current: linear, as a scorecard's points are."""
    points: float = parameters["offset"] + parameters["factor"] * log_odds
    return min(100.0, max(0.0, points))


@compiled
def weigh(score: Score, parameters: ScoringParameters) -> None:
    """Fill utilities, points lost, PD, index and confidence from the values and evidences.

    An indicator without evidence counts as neutral, one with some evidence in proportion between neutral and its
    own utility. Points lost are against a borrower whose every indicator is healthy and fully evident. Confidence is
    the share of the weights that has evidence; of a forest, the weights of its champion.
    """
    log_odds = parameters["neutral_log_odds"]
    weights = 0.0
    known = 0.0
    for indicator in range(COUNT):
        evidence = score["evidence"][indicator]
        weight = parameters["weight"][indicator]
        own = parameters["neutral_utility"]
        if evidence > 0.0:
            own = utility_of(
                score["value"][indicator], parameters["healthy"][indicator], parameters["unhealthy"][indicator]
            )
        counted = evidence * own + (1.0 - evidence) * parameters["neutral_utility"]
        score["utility"][indicator] = own
        score["points"][indicator] = parameters["factor"] * weight * (1.0 - counted)
        log_odds += weight * (counted - parameters["neutral_utility"])
        weights += weight
        known += weight * evidence
    score["pd"] = 1.0 / (1.0 + math.exp(log_odds))
    if parameters["forest"] == 1:
        features = np.empty(FEATURES)
        features_of(score["value"], score["utility"], score["evidence"], parameters["neutral_utility"], features)
        log_odds = forest_points(features, parameters, score["points"])
        score["pd"] = probability_of_default(log_odds)
    score["lhi"] = index_of(log_odds, parameters)
    score["confidence"] = known / weights


@compiled
def fill_ages(record: Record, time_ms: int, score: Score) -> None:
    """Fill the days since the newest data behind each indicator, the older of two feeds; -1 where there is none."""
    for indicator in range(COUNT):
        age = -1.0
        if score["evidence"][indicator] > 0.0:
            for feed in range(SOURCES + 1):
                if (_FEEDS[indicator] >> feed) & 1:
                    heard = record["balance_time"] if feed == BALANCE else record["last_seen"][feed]
                    age = max(age, (time_ms - heard) / DAY_MS)
            age = max(0.0, age)
        score["age_days"][indicator] = age
