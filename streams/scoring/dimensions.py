"""The credit and scenario dimensions of a borrower, and the CQ-PLM score that joins them with liquidity.

Credit asks whether what falls due is paid in time, and what happens when income fails. Scenario asks whether proceeds
were spent on what the loan was for. Where a part is not known the score rests on the others.
"""

import math
from dataclasses import dataclass

from loanpulse.schemas.compiled import compiled
from loanpulse.schemas.delinquency import DEFAULT_DAYS
from loanpulse.schemas.units import DAY_MS
from loanpulse.streams.record import debt
from loanpulse.streams.record.income import full_months, month_income
from loanpulse.streams.record.layout import INSTALMENTS, Reals, Record
from loanpulse.streams.record.slots import CENT
from loanpulse.streams.record.units import month_of, month_start_ms

NAN = math.nan
TIMELINESS_DAYS = 180
SHOCK = 0.8
"""A month's income at or below this share of the mean of the months before it is a shock."""
SHOCK_MONTHS = 2
"""The months whose instalments a shock bears on: its own and the one after."""
ASKED_IN_TIME = 0.5
"""What an instalment counts for that was not paid by its due date, where a deferral was asked for before default."""


@dataclass(frozen=True, slots=True)
class Dimension:
    """One published part of the CQ-PLM score."""

    name: str
    meaning: str
    unit: str


DIMENSIONS: tuple[Dimension, ...] = (
    Dimension(
        "timeliness", "of what fell due in 180 days (of revolving credit the minimum), the share paid by its due date",
        "share",
    ),
    Dimension(
        "elasticity",
        "of what fell due in the month of an income shock (20% or more under the mean of the months before) and the "
        "month after: 1 where the minimum was paid by its due date, 0.5 where it was not but a deferral was asked for "
        "before 30 days past due, else 0; by amount",
        "share",
    ),
    Dimension(
        "purpose_share",
        "share of the proceeds of loans with a declared purpose that was traced to that purpose",
        "share",
    ),
    Dimension(
        "purpose_deviation",
        "share of those proceeds that was traced to another use or drawn as cash",
        "share",
    ),
    Dimension(
        "credit_score", "timeliness and elasticity by the policy's weights, timeliness alone without a shock", "0..100"
    ),
    Dimension(
        "scenario_score", "purpose_share and 1 - purpose_deviation by the policy's weights", "0..100"
    ),
    Dimension(
        "cqplm_score", "liquidity (the LHI), credit and scenario by the policy's weights over those that are known",
        "0..100",
    ),
)  # fmt: skip


@compiled
def timeliness(record: Record, time_ms: int) -> float:
    """Return the share of what fell due in 180 days that was paid by its due date, NaN without instalments."""
    due = 0.0
    in_time = 0.0
    for slot in range(INSTALMENTS):
        if not debt.has_fallen_due(record, slot, time_ms):
            continue
        if time_ms - debt.past_due_at_ms(record["instalment_day"][slot]) > TIMELINESS_DAYS * DAY_MS:
            continue
        amount = debt.asked(record, slot)
        due += amount
        in_time += min(amount, record["instalment_in_time"][slot])
    return in_time / due if due > 0.0 else NAN


@compiled
def is_shock(record: Record, month: int, known: int) -> bool:
    """Tell whether a month's income fell by a fifth or more under the mean of the ``known`` months before it."""
    before = 0.0
    for back in range(1, known + 1):
        before += month_income(record, month - back)
    return before > 0.0 and month_income(record, month) <= SHOCK * before / known


@compiled
def shocked_days(record: Record, time_ms: int) -> tuple[int, int]:
    """Return the first and last day that a shock in the full months kept bears on; (0, -1) where there was none."""
    months = full_months(record, time_ms)
    current = month_of(time_ms)
    first = 0
    last = -1
    # A month can be judged where two before it are known.
    for back in range(months - 2, 0, -1):
        month = current - back
        if is_shock(record, month, months - back):
            if last < 0:
                first = month_start_ms(month) // DAY_MS
            last = month_start_ms(month + SHOCK_MONTHS) // DAY_MS - 1
    return first, last


@compiled
def conduct(record: Record, slot: int) -> float:
    """Return what an instalment says of its borrower under strain, 0..1."""
    if record["instalment_in_time"][slot] >= debt.asked(record, slot) - CENT:
        return 1.0
    loan = debt.loan_of(record, slot)
    if loan < 0 or record["loan_deferral_day"][loan] == 0:
        return 0.0
    asked_after = int(record["loan_deferral_day"][loan]) - int(record["instalment_day"][slot])
    return ASKED_IN_TIME if -2 * DEFAULT_DAYS <= asked_after < DEFAULT_DAYS else 0.0


@compiled
def elasticity(record: Record, time_ms: int) -> float:
    """Return how the borrower kept faith under an income shock, NaN where none was seen or nothing fell due in it."""
    first, last = shocked_days(record, time_ms)
    due = 0.0
    kept = 0.0
    for slot in range(INSTALMENTS):
        if first <= record["instalment_day"][slot] <= last and record["instalment_due"][slot] > 0.0:
            if debt.past_due_at_ms(record["instalment_day"][slot]) > time_ms:
                continue
            amount = debt.asked(record, slot)
            due += amount
            kept += amount * conduct(record, slot)
    return kept / due if due > 0.0 else NAN


@compiled
def joined(first: float, second: float, weights: Reals) -> float:
    """Return 100 times the weighted mean of two parts, the other alone where one is NaN."""
    if math.isnan(second):
        return 100.0 * first
    if math.isnan(first):
        return 100.0 * second
    return float(100.0 * (weights[0] * first + weights[1] * second) / (weights[0] + weights[1]))


@compiled
def cqplm(lhi: float, credit: float, scenario: float, weights: Reals) -> float:
    """Return the CQ-PLM score: liquidity, credit and scenario (0..100) by weights over those that are known."""
    total = weights[0] * lhi
    weight = weights[0]
    if not math.isnan(credit):
        total += weights[1] * credit
        weight += weights[1]
    if not math.isnan(scenario):
        total += weights[2] * scenario
        weight += weights[2]
    return float(total / weight)
