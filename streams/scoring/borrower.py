"""Scoring one borrower at one moment: indicators to index to level, and when time alone calls for the next scoring."""

import math
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from loanpulse.schemas.compiled import compiled
from loanpulse.schemas.contracts import Level, LoanStatus, ScoringCause
from loanpulse.schemas.sources import SOURCES
from loanpulse.streams.behaviours import episodes
from loanpulse.streams.behaviours.catalogue import INCOME_STOPPED, INSTALMENT_MISSED, MOST_PARAMETERS
from loanpulse.streams.behaviours.repayment import loans_newly_missed
from loanpulse.streams.forecast.calibration import learn_ahead
from loanpulse.streams.forecast.runway import look_ahead
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
from loanpulse.streams.record import debt, usage_forecaster
from loanpulse.streams.record.layout import (
    BEHAVIOURS,
    DAY_MS,
    INSTALMENTS,
    LOANS,
    LONG_AGO,
    NEVER,
    NO_MOMENT,
    Reals,
    Record,
    ms_of,
)
from loanpulse.streams.scoring import dimensions
from loanpulse.streams.scoring.forest import FEATURES, FOREST, features_of, forest_points, probability_of_default

SCORE = np.dtype(
    [
        ("row", "i4"),
        ("cause", "i1"),
        ("level", "i1"),
        ("previous_level", "i1"),
        ("hard_event", "i1"),
        ("restated", "i1"),
        ("kept", "i4"),  # place of the borrower's record as it was then, among those kept for alerts; -1 without
        ("days_past_due", "i4"),
        ("open_loans", "i4"),
        ("behaviours", "u4"),  # bits of the behaviours whose episode is open
        ("opened", "u4"),  # bits of those that this scoring opened, INSTALMENT_MISSED also for a further lender
        ("missed_loans", "u1"),  # bits of the loans (by slot) of the lenders for whom it opened INSTALMENT_MISSED
        ("unmet_day", "i4"),  # due day of the oldest instalment past due that the balance can't meet, -1 for none
        ("time", "i8"),
        ("known_at", "i8"),
        ("lhi", "f8"),
        ("pd", "f8"),
        ("confidence", "f8"),
        ("runway_days", "f8"),
        ("overdue_amount", "f8"),
        ("balance", "f8"),
        ("shortfall_days", "f8", (3,)),  # quantiles 10, 50 and 90
        ("timeliness", "f8"),
        ("elasticity", "f8"),
        ("purpose_share", "f8"),
        ("purpose_deviation", "f8"),
        ("credit_score", "f8"),
        ("scenario_score", "f8"),
        ("cqplm_score", "f8"),
        ("behaviour_value", "f8", (BEHAVIOURS,)),  # what each behaviour measures, NaN where it can't be told
        ("value", "f8", (COUNT,)),
        ("utility", "f8", (COUNT,)),
        ("evidence", "f8", (COUNT,)),
        ("points", "f8", (COUNT,)),
        ("age_days", "f8", (COUNT,)),  # since the newest data behind it, -1 where there is none
        ("lender", "u8", (LOANS, 3)),
    ]
)
"""One scoring of one borrower; ``row`` is its place in the slab, ``time`` the moment in event time (ms)."""

Score: TypeAlias = np.void
Scores: TypeAlias = npt.NDArray[np.void]

SCORING_PARAMETERS = np.dtype(
    [
        ("weight", "f8", (COUNT,)),
        ("healthy", "f8", (COUNT,)),
        ("unhealthy", "f8", (COUNT,)),
        ("neutral_log_odds", "f8"),
        ("neutral_utility", "f8"),
        ("offset", "f8"),
        ("factor", "f8"),  # points per unit of log-odds: PDO / ln 2
        ("level_floor", "f8", (4,)),  # lowest index of AMPLE, STABLE, WATCH, TENSE
        ("hysteresis", "f8"),
        ("hard_floor", "i1", (4,)),  # the best level that each hard event allows
        ("dwell_ms", "i8"),
        ("improvement_dwell_ms", "i8"),
        ("relapse_dwell_ms", "i8"),
        ("grace_ms", "i8"),
        ("behaviours", "f8", (BEHAVIOURS, MOST_PARAMETERS)),  # the parameters of each
        ("cqplm_weight", "f8", (3,)),  # liquidity, credit, scenario
        ("credit_weight", "f8", (2,)),  # timeliness, elasticity
        ("scenario_weight", "f8", (2,)),  # purpose_share, 1 - purpose_deviation
        ("interval_ms", "i8"),
        ("lateness_ms", "i8"),  # how long earlier events may still come
        *FOREST,
    ]
)
"""The policy with the model in force, as the compiled functions read it; built by ``policy.py``."""

ScoringParameters: TypeAlias = np.void

AMPLE, STABLE, WATCH, TENSE, CRISIS = (
    int(Level.AMPLE),
    int(Level.STABLE),
    int(Level.WATCH),
    int(Level.TENSE),
    int(Level.CRISIS),
)
UNKNOWN = int(Level.UNKNOWN)
EVENT_CAME, TIME_PASSED = int(ScoringCause.EVENT), int(ScoringCause.TIME_PASSED)
WRITTEN_OFF, SETTLED = int(LoanStatus.WRITTEN_OFF), int(LoanStatus.SETTLED)
NO_HARD_EVENT, HARD_30_DPD, HARD_WRITE_OFF, HARD_DISCONNECTION = range(4)
HARD_EVENT_NAMES = (None, "DPD_30", "WRITTEN_OFF", "DISCONNECTION_NOTICE")
_FEEDS = tuple(sum(1 << feed for feed in indicator.feeds) for indicator in INDICATORS)
DISCONNECTION_STANDS_DAYS = 30
QUIET_DAYS = 90
"""A borrower without an open loan is no longer scored by time once silent for so long."""


@compiled
def utility_of(value: float, healthy: float, unhealthy: float) -> float:
    """Return the utility of an indicator's value: 1 at ``healthy``, 0 at ``unhealthy``, linear between."""
    return min(1.0, max(0.0, (value - unhealthy) / (healthy - unhealthy)))


@compiled
def read_indicators(record: Record, time: int, values: Reals, evidences: Reals) -> None:
    """Fill the values and evidences of the twelve indicators, in the catalogue's order."""
    values[0], evidences[0] = net_cash_flow.read(record, time)
    values[1], evidences[1] = savings_coverage.read(record, time)
    values[2], evidences[2] = debt_concentration.read(record, time)
    values[3], evidences[3] = income_volatility.read(record, time)
    values[4], evidences[4] = income_trend.read(record, time)
    values[5], evidences[5] = debt_service.read(record, time)
    values[6], evidences[6] = arrears.read(record, time)
    values[7], evidences[7] = payment_shortfall.read(record, time)
    values[8], evidences[8] = borrow_to_repay.read(record, time)
    values[9], evidences[9] = utility_arrears.read(record, time)
    values[10], evidences[10] = usage_shock.read(record, time)
    values[11], evidences[11] = spending_stress.read(record, time)


@compiled
def index_of(log_odds: float, parameters: ScoringParameters) -> float:
    """Return the LHI (0..100) of the log-odds of staying current."""
    points: float = parameters["offset"] + parameters["factor"] * log_odds
    return min(100.0, max(0.0, points))


@compiled
def weigh(score: Score, parameters: ScoringParameters) -> None:
    """Fill utilities, points lost, PD, index and confidence from the values and evidences.

    Without evidence an indicator counts as neutral; between, in proportion. Points lost are against a perfect reading.
    By a forest, confidence goes by the weights of its champion.
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
def level_of(lhi: float, parameters: ScoringParameters) -> int:
    """Return the level whose band holds the index."""
    for level in range(CRISIS):
        if lhi >= parameters["level_floor"][level]:
            return level
    return CRISIS


@compiled
def level_with_hysteresis(lhi: float, level: int, parameters: ScoringParameters) -> int:
    """Return the level that the index asks for: worse at a band's floor, better only well above it."""
    worse = level_of(lhi, parameters)
    if worse >= level:
        return worse
    better = level_of(lhi - parameters["hysteresis"], parameters)
    return min(level, better)


@compiled
def hard_event(record: Record, days_past_due: int, time: int) -> int:
    """Return the gravest hard event that stands at ``time``."""
    for slot in range(LOANS):
        if record["loan_key"][slot] != 0 and record["loan_status"][slot] == WRITTEN_OFF:
            return HARD_WRITE_OFF
    if days_past_due >= 30:
        return HARD_30_DPD
    noticed = int(record["disconnection_at"])
    if noticed != NO_MOMENT and 0 <= time - ms_of(noticed) < DISCONNECTION_STANDS_DAYS * DAY_MS:
        return HARD_DISCONNECTION
    return NO_HARD_EVENT


@compiled
def wanted_level(lhi: float, level: int, behaviours: int, parameters: ScoringParameters) -> int:
    """Return the level that the index asks for, one worse where behaviours compound each other."""
    worse = 1 if episodes.compounded(behaviours) else 0
    return min(CRISIS, level_with_hysteresis(lhi, max(AMPLE, level - worse), parameters) + worse)


@compiled
def next_level(record: Record, lhi: float, hard: int, time: int, parameters: ScoringParameters) -> int:
    """Return the level at ``time``: bands with hysteresis and a dwell, and the floor of a hard event at once."""
    level: int = record["level"]
    wanted = wanted_level(lhi, level, int(record["behaviours"]), parameters)
    floor = int(parameters["hard_floor"][hard])
    if floor > level:
        return max(floor, wanted)
    wanted = max(wanted, floor)
    if record["scored"] == 0:
        return wanted
    dwell = parameters["improvement_dwell_ms"]
    if wanted > level:
        dwell = parameters["relapse_dwell_ms"] if record["improved"] == 1 else parameters["dwell_ms"]
    if wanted != level and time - record["level_since"] < dwell:
        return level
    return wanted


@compiled
def next_timer(record: Record, days_past_due: int, time: int, parameters: ScoringParameters) -> int:
    """Return when time alone calls for the next scoring: a due date passing, a day in arrears, a quiet week."""
    timer = NEVER
    for slot in range(INSTALMENTS):
        if debt.unpaid(record, slot) > 0.0:
            moment = debt.due_moment(record["instalment_day"][slot]) + parameters["grace_ms"]
            if moment > time:
                timer = min(timer, moment)
    if days_past_due > 0 or record["level"] >= WATCH:
        timer = min(timer, time + DAY_MS)
    heard = record["last_seen"][0]
    for source in range(1, SOURCES):
        heard = max(heard, record["last_seen"][source])
    if debt.open_loans(record) > 0 and time - heard < 4 * QUIET_DAYS * DAY_MS:
        timer = min(timer, time + 7 * DAY_MS)
    elif time - heard > QUIET_DAYS * DAY_MS:
        timer = NEVER
    return min(timer, episodes.next_moment(record, time, parameters["behaviours"]))


@compiled
def fill_ages(record: Record, time: int, score: Score) -> None:
    """Fill the days since the newest data behind each indicator, the older of two feeds; -1 where there is none."""
    for indicator in range(COUNT):
        age = -1.0
        if score["evidence"][indicator] > 0.0:
            for feed in range(SOURCES + 1):
                if (_FEEDS[indicator] >> feed) & 1:
                    heard = record["balance_time"] if feed == BALANCE else record["last_seen"][feed]
                    age = max(age, (time - heard) / DAY_MS)
            age = max(0.0, age)
        score["age_days"][indicator] = age


@compiled
def calls_for_alert(score: Score) -> bool:
    """Tell whether a scoring is to be told to lenders: a level moved or a behaviour opened, and not in restatement.

    A borrower's first scoring is told only where it is worse than the level that a stranger starts from.
    """
    if score["restated"] != 0:
        return False
    if score["previous_level"] == UNKNOWN:
        return bool(score["level"] > STABLE or score["opened"] != 0)
    return bool(score["level"] != score["previous_level"] or score["opened"] != 0)


@compiled
def fill_dimensions(record: Record, time: int, parameters: ScoringParameters, score: Score) -> None:
    """Fill the credit and scenario dimensions and the CQ-PLM score."""
    timeliness = dimensions.timeliness(record, time)
    elasticity = dimensions.elasticity(record, time)
    share, deviation = dimensions.purpose(record)
    score["timeliness"] = timeliness
    score["elasticity"] = elasticity
    score["purpose_share"] = share
    score["purpose_deviation"] = deviation
    score["credit_score"] = dimensions.joined(timeliness, elasticity, parameters["credit_weight"])
    score["scenario_score"] = dimensions.joined(share, 1.0 - deviation, parameters["scenario_weight"])
    score["cqplm_score"] = dimensions.cqplm(
        score["lhi"], score["credit_score"], score["scenario_score"], parameters["cqplm_weight"]
    )


@compiled
def fill_lenders(record: Record, score: Score) -> None:
    """Fill the ids of the lenders whose loans are not settled."""
    for slot in range(LOANS):
        shown = record["loan_key"][slot] != 0 and record["loan_status"][slot] not in (-1, SETTLED)
        for word in range(3):
            # Not a conditional expression: its two integer types would meet as a float and lose the low bytes.
            score["lender"][slot][word] = 0
            if shown:
                score["lender"][slot][word] = record["loan_lender"][slot][word]


@compiled
def fill_behaviours(record: Record, time: int, parameters: ScoringParameters, score: Score) -> int:
    """Fill what the behaviours measure, the episodes that stand, and when the money runs out.

    Returns the bits of the behaviours whose condition holds.
    """
    holds = episodes.read_behaviours(
        record,
        time,
        score["purpose_deviation"],
        parameters["grace_ms"],
        parameters["behaviours"],
        score["behaviour_value"],
    )
    score["behaviours"] = record["behaviours"]
    score["opened"] = 0
    score["missed_loans"] = 0
    stopped = holds & (1 << INCOME_STOPPED) != 0
    score["runway_days"], score["unmet_day"] = look_ahead(record, time, stopped, score["shortfall_days"])
    return holds


@compiled
def describe(record: Record, time: int, parameters: ScoringParameters, score: Score) -> int:
    """Fill of a scoring what the record tells of the moment ``time``; the level is the caller's.

    Returns the bits of the behaviours whose condition holds; to carry their episodes is the caller's too.
    """
    read_indicators(record, time, score["value"], score["evidence"])
    weigh(score, parameters)
    fill_ages(record, time, score)
    days_past_due, overdue, _ = debt.arrears_now(record, time)
    score["time"] = time
    score["hard_event"] = hard_event(record, days_past_due, time)
    score["days_past_due"] = days_past_due
    score["overdue_amount"] = overdue
    score["open_loans"] = debt.open_loans(record)
    score["balance"] = record["balance"] if record["balance_time"] != LONG_AGO else math.nan
    fill_dimensions(record, time, parameters, score)
    fill_lenders(record, score)
    return fill_behaviours(record, time, parameters, score)


@compiled
def open_behaviours(record: Record, time: int, holds: int, parameters: ScoringParameters, score: Score) -> None:
    """Carry the record's episodes to ``time`` and fill what it opens; of a missed instalment, for which lenders."""
    stood = int(record["behaviours"]) & (1 << INSTALMENT_MISSED) != 0
    score["opened"] = episodes.carry_episodes(record, time, holds, parameters["behaviours"])
    if holds & (1 << INSTALMENT_MISSED):
        before = record["scored_at"] if stood else LONG_AGO
        score["missed_loans"] = loans_newly_missed(record, before, time, parameters["grace_ms"])
        if score["missed_loans"] != 0:
            score["opened"] |= 1 << INSTALMENT_MISSED
    score["behaviours"] = record["behaviours"]


@compiled
def score_borrower(record: Record, time: int, cause: int, parameters: ScoringParameters, score: Score) -> None:
    """Score the record at ``time`` into ``score`` and move its level, its due scoring and its timer."""
    usage_forecaster.settle(record, time - parameters["lateness_ms"])
    holds = describe(record, time, parameters, score)
    open_behaviours(record, time, holds, parameters, score)
    learn_ahead(record, time, score["unmet_day"], score["shortfall_days"])
    level = next_level(record, score["lhi"], score["hard_event"], time, parameters)
    score["cause"] = cause
    score["known_at"] = time
    score["restated"] = 0
    score["previous_level"] = record["level"] if record["scored"] == 1 else UNKNOWN
    score["level"] = level
    if level != record["level"] or record["scored"] == 0:
        record["level_since"] = time
        record["improved"] = 1 if record["scored"] == 1 and level < record["level"] else 0
    record["level"] = level
    record["scored"] = 1
    record["lhi"] = score["lhi"]
    record["scored_at"] = time
    if record["pending_at"] <= time:
        record["pending_at"] = NEVER
    record["timer_at"] = next_timer(record, score["days_past_due"], time, parameters)
