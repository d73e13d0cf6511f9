"""Scoring one borrower at one time: indicators to index to level, behaviours, the forecast, and the next timer."""

import math

from loanpulse.schemas.compiled import compiled
from loanpulse.streams.behaviours import episodes
from loanpulse.streams.behaviours.catalogue import INCOME_STOPPED, INSTALMENT_MISSED
from loanpulse.streams.behaviours.repayment import loans_newly_missed
from loanpulse.streams.forecast.calibration import learn_ahead
from loanpulse.streams.forecast.runway import look_ahead
from loanpulse.streams.record import debt, usage_forecaster
from loanpulse.streams.record.codes import LEVEL_UNKNOWN, STATUS_NONE, STATUS_SETTLED
from loanpulse.streams.record.layout import (
    LOANS,
    LONG_AGO,
    NEVER,
    Record,
)
from loanpulse.streams.record.loan_purpose import purpose_shares
from loanpulse.streams.scoring import dimensions
from loanpulse.streams.scoring.index import fill_ages, read_indicators, weigh
from loanpulse.streams.scoring.levels import hard_event, next_level
from loanpulse.streams.scoring.parameters import ScoringParameters
from loanpulse.streams.scoring.score import Score
from loanpulse.streams.scoring.timers import next_timer


@compiled
def fill_dimensions(record: Record, time_ms: int, parameters: ScoringParameters, score: Score) -> None:
    """Fill the credit and scenario dimensions and the CQ-PLM score."""
    timeliness = dimensions.timeliness(record, time_ms)
    elasticity = dimensions.elasticity(record, time_ms)
    share, deviation = purpose_shares(record)
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
        shown = record["loan_key"][slot] != 0 and record["loan_status"][slot] not in (STATUS_NONE, STATUS_SETTLED)
        for word in range(3):
            # Not a conditional expression: its two integer types would meet as a float and lose the low bytes.
            score["lender"][slot][word] = 0
            if shown:
                score["lender"][slot][word] = record["loan_lender"][slot][word]


@compiled
def fill_behaviours(record: Record, time_ms: int, parameters: ScoringParameters, score: Score) -> int:
    """Fill what the behaviours measure, the episodes that are open, and the forecast of the next shortfall.

    Returns the bits of the behaviours whose condition holds.
    """
    holds = episodes.read_behaviours(
        record,
        time_ms,
        score["purpose_deviation"],
        parameters["grace_ms"],
        parameters["behaviours"],
        score["behaviour_value"],
    )
    score["behaviours"] = record["behaviours"]
    score["opened"] = 0
    score["missed_loans"] = 0
    stopped = holds & (1 << INCOME_STOPPED) != 0
    score["runway_days"], score["unmet_day"] = look_ahead(record, time_ms, stopped, score["shortfall_days"])
    return holds


@compiled
def describe(record: Record, time_ms: int, parameters: ScoringParameters, score: Score) -> int:
    """Fill all of a scoring that the record alone decides at ``time_ms``, and change nothing of the record.

    Level, cause and episodes are left to the caller. Returns the bits of the behaviours whose condition holds.
    """
    read_indicators(record, time_ms, score["value"], score["evidence"])
    weigh(score, parameters)
    fill_ages(record, time_ms, score)
    days_past_due, overdue, _ = debt.arrears_now(record, time_ms)
    score["time"] = time_ms
    score["hard_event"] = hard_event(record, days_past_due, time_ms)
    score["days_past_due"] = days_past_due
    score["overdue_amount"] = overdue
    score["open_loans"] = debt.open_loans(record)
    score["balance"] = record["balance"] if record["balance_time"] != LONG_AGO else math.nan
    fill_dimensions(record, time_ms, parameters, score)
    fill_lenders(record, score)
    return fill_behaviours(record, time_ms, parameters, score)


@compiled
def open_behaviours(record: Record, time_ms: int, holds: int, parameters: ScoringParameters, score: Score) -> None:
    """Update the record's episodes to ``time_ms`` and fill what it opens; of a missed instalment, for which lenders."""
    was_open = int(record["behaviours"]) & (1 << INSTALMENT_MISSED) != 0
    score["opened"] = episodes.update_episodes(record, time_ms, holds, parameters["behaviours"])
    if holds & (1 << INSTALMENT_MISSED):
        before_ms = record["scored_at"] if was_open else LONG_AGO
        score["missed_loans"] = loans_newly_missed(record, before_ms, time_ms, parameters["grace_ms"])
        if score["missed_loans"] != 0:
            score["opened"] |= 1 << INSTALMENT_MISSED
    score["behaviours"] = record["behaviours"]


@compiled
def score_borrower(record: Record, time_ms: int, cause: int, parameters: ScoringParameters, score: Score) -> None:
    """Score the record at ``time_ms`` into ``score``, and update its level, episodes, calibration and timers."""
    usage_forecaster.settle(record, time_ms - parameters["lateness_ms"])
    holds = describe(record, time_ms, parameters, score)
    open_behaviours(record, time_ms, holds, parameters, score)
    learn_ahead(record, time_ms, score["unmet_day"], score["shortfall_days"])
    level = next_level(record, score["lhi"], score["hard_event"], time_ms, parameters)
    score["cause"] = cause
    score["known_at"] = time_ms
    score["restated"] = 0
    score["previous_level"] = record["level"] if record["scored"] == 1 else LEVEL_UNKNOWN
    score["level"] = level
    if level != record["level"] or record["scored"] == 0:
        record["level_since"] = time_ms
        record["improved"] = 1 if record["scored"] == 1 and level < record["level"] else 0
    record["level"] = level
    record["scored"] = 1
    record["lhi"] = score["lhi"]
    record["scored_at"] = time_ms
    if record["pending_at"] <= time_ms:
        record["pending_at"] = NEVER
    record["timer_at"] = next_timer(record, score["days_past_due"], time_ms, parameters)
