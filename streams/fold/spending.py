"""Folding a movement of the borrower's account: sums of its kind, income by month, the balance, loan proceeds."""

import math

from loanpulse.schemas.compiled import compiled
from loanpulse.schemas.contracts import SpendingCategory
from loanpulse.schemas.units import DAY_MS, HOUR_MS, UTC_OFFSET_MS
from loanpulse.streams.fold import behaviour_traces
from loanpulse.streams.record import cash_flow, decayed_sums, loan_purpose, slots
from loanpulse.streams.record.codes import (
    CASH_ADVANCE,
    CASH_WITHDRAWAL,
    CATEGORY_BENEFITS,
    EARNED,
    PURCHASE,
    REFUND,
    TRANSFER_IN,
    TRANSFER_OUT,
)
from loanpulse.streams.record.event import Event
from loanpulse.streams.record.layout import (
    CASH_ADVANCES,
    DISTRESS,
    ESSENTIAL,
    INCOME,
    INFLOW,
    NIGHT,
    OUTFLOW,
    PURCHASES,
    Record,
)
from loanpulse.streams.record.units import month_of, seconds_of

NIGHT_ENDS_HOUR = 5
"""Spending before this hour of the borrowers' clock counts as night spending."""
ESSENTIAL_CATEGORIES = tuple(
    int(category)
    for category in (
        SpendingCategory.GROCERIES,
        SpendingCategory.DISCOUNT_STORES,
        SpendingCategory.TRANSPORT,
        SpendingCategory.HOUSING,
        SpendingCategory.UTILITIES,
        SpendingCategory.TELECOM,
        SpendingCategory.HEALTH,
        SpendingCategory.EDUCATION,
        SpendingCategory.INSURANCE,
        SpendingCategory.LOAN_REPAYMENT,
    )
)
DISTRESS_CATEGORIES = tuple(
    int(category) for category in (SpendingCategory.DISCOUNT_STORES, SpendingCategory.PAWN, SpendingCategory.GAMBLING)
)


@compiled
def fold_purchase(record: Record, event: Event, sign: float) -> None:
    """Fold a purchase (``sign`` 1) or what came back of one (-1) into the sums of its kind."""
    time_ms = event["event_time"]
    amount = sign * event["amount"]
    decayed_sums.add(record, OUTFLOW, amount, time_ms)
    decayed_sums.add(record, PURCHASES, amount, time_ms)
    if event["category"] in ESSENTIAL_CATEGORIES:
        decayed_sums.add(record, ESSENTIAL, amount, time_ms)
    if event["category"] in DISTRESS_CATEGORIES:
        decayed_sums.add(record, DISTRESS, amount, time_ms)
    if sign > 0.0 and (time_ms + UTC_OFFSET_MS) // HOUR_MS % 24 < NIGHT_ENDS_HOUR:
        decayed_sums.add(record, NIGHT, amount, time_ms)


@compiled
def fold_proceeds(record: Record, event: Event) -> bool:
    """Fold a movement that names a loan; returns whether it moved the loan's proceeds, not the borrower's own money.

    Proceeds are no income when they come and no outflow when they are spent, except on what shows distress. Paying
    the loan's instalments is the borrower's own money.
    """
    kind = event["kind"]
    refund = kind == REFUND
    use = loan_purpose.use_of(PURCHASE if refund else kind, event["category"])
    if use >= 0:
        amount = -event["amount"] if refund else event["amount"]
        slots.trace(record, event["loan_reference"], use, amount, event["event_time"] // DAY_MS)
    if kind == PURCHASE and event["category"] in DISTRESS_CATEGORIES:
        return False
    return kind == TRANSFER_IN or (use >= 0 and use != loan_purpose.USE_REPAYMENT)


@compiled
def fold_income(record: Record, event: Event) -> None:
    """Fold an income into the sums and its month."""
    time_ms = event["event_time"]
    decayed_sums.add(record, INCOME, event["amount"], time_ms)
    decayed_sums.add(record, INFLOW, event["amount"], time_ms)
    slot = slots.month_slot(record, month_of(time_ms))
    if slot >= 0:
        record["income_amount"][slot] += event["amount"]
        if event["category"] != CATEGORY_BENEFITS:
            record["income_credits"][slot] = min(255, int(record["income_credits"][slot]) + 1)
    if event["category"] != CATEGORY_BENEFITS:
        record["income_time"] = max(int(record["income_time"]), seconds_of(time_ms))


@compiled
def fold_balance(record: Record, event: Event) -> None:
    """Fold the balance that a movement reports: the latest, and the extremes of its month."""
    time_ms = event["event_time"]
    known = record["balance_time"]
    if time_ms > known or (time_ms == known and event["id_hash"] > record["balance_id"]):
        record["balance"] = event["balance"]
        record["balance_time"] = time_ms
        record["balance_id"] = event["id_hash"]
    slot = slots.month_slot(record, month_of(time_ms))
    if slot >= 0:
        record["balance_most"][slot] = max(record["balance_most"][slot], event["balance"])
        record["balance_least"][slot] = min(record["balance_least"][slot], event["balance"])


@compiled
def fold_spending(record: Record, event: Event) -> None:
    """Fold a movement of the borrower's account."""
    time_ms = event["event_time"]
    kind = event["kind"]
    record["spending_events"] = min(65_535, int(record["spending_events"]) + 1)
    if not math.isnan(event["balance"]):
        fold_balance(record, event)
    behaviour_traces.note_spending(record, event)
    if event["loan_reference"] != 0 and fold_proceeds(record, event):
        return
    cash_flow.note_movement(record, event)
    if kind == PURCHASE:
        fold_purchase(record, event, 1.0)
    elif kind == REFUND:
        fold_purchase(record, event, -1.0)
    elif kind == EARNED:
        fold_income(record, event)
    elif kind == TRANSFER_IN:
        decayed_sums.add(record, INFLOW, event["amount"], time_ms)
    elif kind in (TRANSFER_OUT, CASH_WITHDRAWAL):
        decayed_sums.add(record, OUTFLOW, event["amount"], time_ms)
        if event["category"] in ESSENTIAL_CATEGORIES:
            decayed_sums.add(record, ESSENTIAL, event["amount"], time_ms)
    elif kind == CASH_ADVANCE:
        decayed_sums.add(record, CASH_ADVANCES, event["amount"], time_ms)
        slots.keep_latest_credit(record, seconds_of(time_ms))
