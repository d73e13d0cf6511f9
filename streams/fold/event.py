"""Folding one event into its borrower's record. Every function takes a record and an event and changes the record only.

Folding is idempotent (an event id or an offset folded before changes nothing) and commutes within the allowed
lateness, so that the indicators depend on what happened and not on how it arrived.
"""

import math

import numpy as np

from loanpulse.schemas.compiled import compiled
from loanpulse.schemas.contracts import (
    LoanPurpose,
    LoanStatus,
    RepaymentKind,
    SpendingCategory,
    SpendingKind,
    UtilityKind,
)
from loanpulse.schemas.sources import REPAYMENT, SPENDING
from loanpulse.streams.fold import behaviour_traces
from loanpulse.streams.record import cash_flow, decayed_sums, loan_purpose, slots, usage_forecaster
from loanpulse.streams.record.event import NO_DAY, Event
from loanpulse.streams.record.layout import (
    CASH_ADVANCES,
    DAY_MS,
    DISTRESS,
    ESSENTIAL,
    INCOME,
    INFLOW,
    NIGHT,
    NO_MOMENT,
    OUTFLOW,
    PURCHASES,
    RECENT_EVENTS,
    Record,
    seconds_of,
)
from loanpulse.streams.record.loan_purpose import REPAYMENT as USE_REPAYMENT
from loanpulse.streams.record.months import month_of

HOUR_MS = 3_600_000
NIGHT_ENDS_HOUR = 5
UTC_OFFSET_HOURS = 8
"""The borrowers' clock against UTC, for night spending: China has one time zone."""

APPLIED, DISBURSED, INSTALMENT_DUE, PAID = (
    int(RepaymentKind.APPLIED),
    int(RepaymentKind.DISBURSED),
    int(RepaymentKind.INSTALMENT_DUE),
    int(RepaymentKind.PAID),
)
DEFERRAL_REQUESTED, RESTRUCTURED, SETTLED, WRITTEN_OFF = (
    int(RepaymentKind.DEFERRAL_REQUESTED),
    int(RepaymentKind.RESTRUCTURED),
    int(RepaymentKind.SETTLED),
    int(RepaymentKind.WRITTEN_OFF),
)
STATUS_APPLIED, STATUS_ACTIVE, STATUS_RESTRUCTURED, STATUS_SETTLED, STATUS_WRITTEN_OFF = (
    int(LoanStatus.APPLIED),
    int(LoanStatus.ACTIVE),
    int(LoanStatus.RESTRUCTURED),
    int(LoanStatus.SETTLED),
    int(LoanStatus.WRITTEN_OFF),
)
PURCHASE, EARNED, TRANSFER_IN, TRANSFER_OUT = (
    int(SpendingKind.PURCHASE),
    int(SpendingKind.INCOME),
    int(SpendingKind.TRANSFER_IN),
    int(SpendingKind.TRANSFER_OUT),
)
CASH_WITHDRAWAL, CASH_ADVANCE, REFUND = (
    int(SpendingKind.CASH_WITHDRAWAL),
    int(SpendingKind.CASH_ADVANCE),
    int(SpendingKind.REFUND),
)
BILL_ISSUED, BILL_PAID, BILL_OVERDUE = (
    int(UtilityKind.BILL_ISSUED),
    int(UtilityKind.BILL_PAID),
    int(UtilityKind.BILL_OVERDUE),
)
NO_PURPOSE, NO_STATUS = int(LoanPurpose.UNKNOWN), int(LoanStatus.UNKNOWN)
BENEFITS = int(SpendingCategory.BENEFITS)
METER_READ, DISCONNECTION_NOTICE = int(UtilityKind.METER_READ), int(UtilityKind.DISCONNECTION_NOTICE)
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
def seen_before(record: Record, id_hash: int) -> bool:
    """Tell whether an event of this id is among those last folded."""
    low = np.uint64(id_hash) & np.uint64(0xFFFFFFFF)
    high = (np.uint64(id_hash) >> np.uint64(32)) & np.uint64(0xFFFF)
    for slot in range(RECENT_EVENTS):
        if record["recent_low"][slot] == low and record["recent_high"][slot] == high:
            return True
    return False


@compiled
def remember(record: Record, event: Event) -> None:
    """Note the event's id, time and source."""
    slot = int(record["recent_next"])
    record["recent_low"][slot] = event["id_hash"] & np.uint64(0xFFFFFFFF)
    record["recent_high"][slot] = (event["id_hash"] >> np.uint64(32)) & np.uint64(0xFFFF)
    record["recent_next"] = (slot + 1) % RECENT_EVENTS
    record["first_seen"] = min(record["first_seen"], event["event_time"])
    source = event["source"]
    record["last_seen"][source] = max(record["last_seen"][source], event["event_time"])


@compiled
def set_loan_status(record: Record, slot: int, status: int, moment: int) -> None:
    """Set a loan's status as of ``moment`` unless a later one is known; of one moment the graver one stands."""
    known = record["loan_status_time"][slot]
    if moment > known or (moment == known and status > record["loan_status"][slot]):
        record["loan_status"][slot] = status
        record["loan_status_time"][slot] = moment


@compiled
def fold_loan_kind(record: Record, slot: int, event: Event) -> None:
    """Fold what the kind of a repayment event does to its loan."""
    kind = event["kind"]
    moment = seconds_of(event["event_time"])
    day = event["event_time"] // DAY_MS
    if kind == APPLIED:
        set_loan_status(record, slot, STATUS_APPLIED, moment)
    elif kind == DISBURSED:
        set_loan_status(record, slot, STATUS_ACTIVE, moment)
        slots.keep_latest_credit(record, moment)
        record["loan_disbursed"][slot] += event["amount"]
    elif kind == DEFERRAL_REQUESTED:
        record["loan_deferral_day"][slot] = max(int(record["loan_deferral_day"][slot]), day)
    elif kind == RESTRUCTURED:
        set_loan_status(record, slot, STATUS_RESTRUCTURED, moment)
        record["loan_restructured_day"][slot] = max(int(record["loan_restructured_day"][slot]), day)
    elif kind == SETTLED:
        set_loan_status(record, slot, STATUS_SETTLED, moment)
    elif kind == WRITTEN_OFF:
        set_loan_status(record, slot, STATUS_WRITTEN_OFF, moment)
    if 0 <= event["status"] < NO_STATUS:
        set_loan_status(record, slot, event["status"], moment)


@compiled
def fold_loan(record: Record, event: Event) -> None:
    """Fold what a repayment event says of its loan: lender, status, purpose, outstanding principal (currency)."""
    moment = seconds_of(event["event_time"])
    slot = slots.loan_slot(record, event["loan_key"], moment)
    record["loan_reference"][slot] = event["loan_reference"]
    record["loan_opened"][slot] = min(int(record["loan_opened"][slot]), moment)
    for word in range(3):
        record["loan_lender"][slot][word] = event["lender"][word]
    if event["purpose"] != NO_PURPOSE:
        record["loan_purpose"][slot] = max(record["loan_purpose"][slot], event["purpose"])
    record["loan_product"][slot] = max(record["loan_product"][slot], event["product"])
    fold_loan_kind(record, slot, event)
    if not math.isnan(event["outstanding"]) and moment >= record["loan_outstanding_time"][slot]:
        if moment > record["loan_outstanding_time"][slot] or event["outstanding"] > record["loan_outstanding"][slot]:
            record["loan_outstanding"][slot] = event["outstanding"]
        record["loan_outstanding_time"][slot] = moment


@compiled
def fold_repayment(record: Record, event: Event) -> None:
    """Fold a repayment event: the loan, and the instalment that it announces or pays."""
    fold_loan(record, event)
    kind = event["kind"]
    time = event["event_time"]
    if event["due_day"] == NO_DAY or kind not in (INSTALMENT_DUE, PAID):
        return
    slot = slots.instalment_slot(record, event["loan_key"], int(event["due_day"]), time // DAY_MS)
    if kind == PAID:
        slots.keep_latest_repayment(record, seconds_of(time), event["amount"])
    if slot < 0:
        return
    if kind == INSTALMENT_DUE:
        record["instalment_due"][slot] = max(record["instalment_due"][slot], event["amount"])
        if not math.isnan(event["minimum_due"]):
            record["instalment_minimum"][slot] = max(record["instalment_minimum"][slot], event["minimum_due"])
    else:
        record["instalment_paid"][slot] += event["amount"]
        if time // DAY_MS <= event["due_day"]:
            record["instalment_in_time"][slot] += event["amount"]


@compiled
def fold_purchase(record: Record, event: Event, sign: float) -> None:
    """Fold a purchase (``sign`` 1) or what came back of one (-1) into the sums of its kind."""
    time = event["event_time"]
    amount = sign * event["amount"]
    decayed_sums.add(record, OUTFLOW, amount, time)
    decayed_sums.add(record, PURCHASES, amount, time)
    if event["category"] in ESSENTIAL_CATEGORIES:
        decayed_sums.add(record, ESSENTIAL, amount, time)
    if event["category"] in DISTRESS_CATEGORIES:
        decayed_sums.add(record, DISTRESS, amount, time)
    if sign > 0.0 and (time // HOUR_MS + UTC_OFFSET_HOURS) % 24 < NIGHT_ENDS_HOUR:
        decayed_sums.add(record, NIGHT, amount, time)


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
    return kind == TRANSFER_IN or (use >= 0 and use != USE_REPAYMENT)


@compiled
def fold_income(record: Record, event: Event) -> None:
    """Fold an income into the sums and its month."""
    time = event["event_time"]
    decayed_sums.add(record, INCOME, event["amount"], time)
    decayed_sums.add(record, INFLOW, event["amount"], time)
    slot = slots.month_slot(record, month_of(time))
    if slot >= 0:
        record["income_amount"][slot] += event["amount"]
        if event["category"] != BENEFITS:
            record["income_credits"][slot] = min(255, int(record["income_credits"][slot]) + 1)
    if event["category"] != BENEFITS:
        record["income_time"] = max(int(record["income_time"]), seconds_of(time))


@compiled
def fold_balance(record: Record, event: Event) -> None:
    """Fold the balance that a movement reports: the latest, and the extremes of its month."""
    time = event["event_time"]
    known = record["balance_time"]
    if time > known or (time == known and event["id_hash"] > record["balance_id"]):
        record["balance"] = event["balance"]
        record["balance_time"] = time
        record["balance_id"] = event["id_hash"]
    slot = slots.month_slot(record, month_of(time))
    if slot >= 0:
        record["balance_most"][slot] = max(record["balance_most"][slot], event["balance"])
        record["balance_least"][slot] = min(record["balance_least"][slot], event["balance"])


@compiled
def fold_spending(record: Record, event: Event) -> None:
    """Fold a movement of the borrower's account."""
    time = event["event_time"]
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
        decayed_sums.add(record, INFLOW, event["amount"], time)
    elif kind in (TRANSFER_OUT, CASH_WITHDRAWAL):
        decayed_sums.add(record, OUTFLOW, event["amount"], time)
        if event["category"] in ESSENTIAL_CATEGORIES:
            decayed_sums.add(record, ESSENTIAL, event["amount"], time)
    elif kind == CASH_ADVANCE:
        decayed_sums.add(record, CASH_ADVANCES, event["amount"], time)
        slots.keep_latest_credit(record, seconds_of(time))


@compiled
def fold_utility(record: Record, event: Event) -> None:
    """Fold a bill, its payment, a reading or a notice of a utility."""
    utility = event["utility"]
    kind = event["kind"]
    moment = seconds_of(event["event_time"])
    behaviour_traces.note_utility(record, event)
    if kind == METER_READ:
        usage_forecaster.wait(record, utility, event["event_time"] // DAY_MS, event["usage"])
    elif kind == DISCONNECTION_NOTICE:
        record["disconnection_at"] = max(int(record["disconnection_at"]), moment)
    elif event["due_day"] != NO_DAY:
        slot = slots.bill_slot(record, utility, int(event["due_day"]))
        if slot >= 0 and kind == BILL_PAID:
            paid_at = int(record["bill_paid_at"][slot])
            record["bill_paid_at"][slot] = moment if paid_at == NO_MOMENT else min(paid_at, moment)
        elif slot >= 0 and kind == BILL_OVERDUE:
            record["bill_overdue"][slot] = 1


@compiled
def fold_event(record: Record, event: Event) -> None:
    """Fold one event that has not been folded before."""
    remember(record, event)
    decayed_sums.move_reference(record, event["event_time"])
    if event["source"] == REPAYMENT:
        fold_repayment(record, event)
    elif event["source"] == SPENDING:
        fold_spending(record, event)
    else:
        fold_utility(record, event)
