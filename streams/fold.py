"""Folding one event into its borrower's record. Every function takes a record and an event and changes the record only.

Folding is idempotent (an event id or an offset folded before changes nothing) and commutes within the allowed
lateness, so that the indicators depend on what happened and not on how it arrived.
"""

import math

from loanpulse.schemas.contracts import LoanStatus, RepaymentKind, SpendingCategory, SpendingKind, UtilityKind
from loanpulse.streams import decay, ledgers
from loanpulse.streams.borrower_record import (
    CASH_ADVANCES,
    DAY_MS,
    DISTRESS,
    ESSENTIAL,
    INCOME,
    INFLOW,
    NIGHT,
    OUTFLOW,
    PURCHASES,
    RECENT_EVENTS,
    REPAYMENT,
    SPENDING,
    Record,
)
from loanpulse.streams.compiled import compiled
from loanpulse.streams.event_columns import NO_DAY, Event

HOUR_MS = 3_600_000
NIGHT_ENDS_HOUR = 5
UTC_OFFSET_HOURS = 8
"""The borrowers' clock against UTC, for night spending: China has one time zone."""
BUCKET_DAYS = 30

APPLIED, DISBURSED, INSTALMENT_DUE, PAID = (
    int(RepaymentKind.APPLIED),
    int(RepaymentKind.DISBURSED),
    int(RepaymentKind.INSTALMENT_DUE),
    int(RepaymentKind.PAID),
)
RESTRUCTURED, SETTLED, WRITTEN_OFF = (
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
    for slot in range(RECENT_EVENTS):  # noqa: SIM110 - a generator does not compile
        if record["recent_ids"][slot] == id_hash:
            return True
    return False


@compiled
def remember(record: Record, event: Event) -> None:
    """Note the event's id, time and source."""
    record["recent_ids"][record["recent_next"]] = event["id_hash"]
    record["recent_next"] = (record["recent_next"] + 1) % RECENT_EVENTS
    record["first_seen"] = min(record["first_seen"], event["event_time"])
    source = event["source"]
    record["last_seen"][source] = max(record["last_seen"][source], event["event_time"])


@compiled
def set_loan_status(record: Record, slot: int, status: int, time: int) -> None:
    """Set a loan's status as of ``time`` unless a later one is known; at the same moment the graver one stands."""
    known = record["loan_status_time"][slot]
    if time > known or (time == known and status > record["loan_status"][slot]):
        record["loan_status"][slot] = status
        record["loan_status_time"][slot] = time


@compiled
def fold_loan(record: Record, event: Event) -> None:
    """Fold what a repayment event says of its loan: lender, status, outstanding principal (currency)."""
    time = event["event_time"]
    kind = event["kind"]
    slot = ledgers.loan_slot(record, event["loan_key"], time)
    record["loan_opened"][slot] = min(record["loan_opened"][slot], time)
    for word in range(3):
        record["loan_lender"][slot][word] = event["lender"][word]
    if kind == APPLIED:
        set_loan_status(record, slot, STATUS_APPLIED, time)
    elif kind == DISBURSED:
        set_loan_status(record, slot, STATUS_ACTIVE, time)
        ledgers.keep_latest_credit(record, time)
    elif kind == RESTRUCTURED:
        set_loan_status(record, slot, STATUS_RESTRUCTURED, time)
    elif kind == SETTLED:
        set_loan_status(record, slot, STATUS_SETTLED, time)
    elif kind == WRITTEN_OFF:
        set_loan_status(record, slot, STATUS_WRITTEN_OFF, time)
    if not math.isnan(event["outstanding"]) and time >= record["loan_outstanding_time"][slot]:
        if time > record["loan_outstanding_time"][slot] or event["outstanding"] > record["loan_outstanding"][slot]:
            record["loan_outstanding"][slot] = event["outstanding"]
        record["loan_outstanding_time"][slot] = time


@compiled
def fold_repayment(record: Record, event: Event) -> None:
    """Fold a repayment event: the loan, and the instalment that it announces or pays."""
    fold_loan(record, event)
    if event["due_day"] == NO_DAY:
        return
    if event["kind"] == INSTALMENT_DUE:
        slot = ledgers.instalment_slot(record, event["loan_key"], event["due_day"])
        if slot >= 0:
            record["instalment_due"][slot] = max(record["instalment_due"][slot], event["amount"])
    elif event["kind"] == PAID:
        slot = ledgers.instalment_slot(record, event["loan_key"], event["due_day"])
        if slot >= 0:
            record["instalment_paid"][slot] += event["amount"]
        ledgers.keep_latest_repayment(record, event["event_time"], event["amount"])


@compiled
def fold_purchase(record: Record, event: Event) -> None:
    """Fold a purchase into the sums of its kind, and of distress and night spending."""
    time = event["event_time"]
    amount = event["amount"]
    decay.add(record, OUTFLOW, amount, time)
    decay.add(record, PURCHASES, amount, time)
    if event["category"] in ESSENTIAL_CATEGORIES:
        decay.add(record, ESSENTIAL, amount, time)
    if event["category"] in DISTRESS_CATEGORIES:
        decay.add(record, DISTRESS, amount, time)
    if (time // HOUR_MS + UTC_OFFSET_HOURS) % 24 < NIGHT_ENDS_HOUR:
        decay.add(record, NIGHT, amount, time)


@compiled
def fold_spending(record: Record, event: Event) -> None:
    """Fold a movement of the borrower's account."""
    time = event["event_time"]
    kind = event["kind"]
    amount = event["amount"]
    record["spending_events"] += 1
    if kind == PURCHASE:
        fold_purchase(record, event)
    elif kind == EARNED:
        decay.add(record, INCOME, amount, time)
        decay.add(record, INFLOW, amount, time)
        ledgers.add_income_month(record, time // (BUCKET_DAYS * DAY_MS), amount)
    elif kind == TRANSFER_IN:
        decay.add(record, INFLOW, amount, time)
    elif kind in (TRANSFER_OUT, CASH_WITHDRAWAL):
        decay.add(record, OUTFLOW, amount, time)
        if event["category"] in ESSENTIAL_CATEGORIES:
            decay.add(record, ESSENTIAL, amount, time)
    elif kind == CASH_ADVANCE:
        decay.add(record, CASH_ADVANCES, amount, time)
        ledgers.keep_latest_credit(record, time)
    elif kind == REFUND:
        decay.add(record, OUTFLOW, -amount, time)
    newer = time - record["balance_time"] if record["balance_time"] > 0 else 1
    if not math.isnan(event["balance"]) and (newer > 0 or (newer == 0 and event["id_hash"] > record["balance_id"])):
        record["balance"] = event["balance"]
        record["balance_time"] = time
        record["balance_id"] = event["id_hash"]


@compiled
def fold_utility(record: Record, event: Event) -> None:
    """Fold a bill, its payment, a reading or a notice of a utility."""
    utility = event["utility"]
    kind = event["kind"]
    time = event["event_time"]
    if kind == METER_READ:
        ledgers.add_usage_month(record, utility, time // (BUCKET_DAYS * DAY_MS), event["usage"])
    elif kind == DISCONNECTION_NOTICE:
        record["disconnection_at"] = max(record["disconnection_at"], time)
    elif event["due_day"] != NO_DAY:
        slot = ledgers.bill_slot(record, utility, event["due_day"])
        if slot >= 0 and kind == BILL_PAID:
            paid_at = record["bill_paid_at"][slot]
            record["bill_paid_at"][slot] = time if paid_at == 0 else min(paid_at, time)
        elif slot >= 0 and kind == BILL_OVERDUE:
            record["bill_overdue"][slot] = 1


@compiled
def fold_event(record: Record, event: Event) -> None:
    """Fold one event that has not been folded before."""
    remember(record, event)
    decay.move_reference(record, event["event_time"])
    if event["source"] == REPAYMENT:
        fold_repayment(record, event)
    elif event["source"] == SPENDING:
        fold_spending(record, event)
    else:
        fold_utility(record, event)
