"""Folding a repayment event: the loan that it is about, and the instalment that it announces or pays."""

import math

from loanpulse.schemas.compiled import compiled
from loanpulse.schemas.units import DAY_MS
from loanpulse.streams.record import slots
from loanpulse.streams.record.codes import (
    DEFERRAL_REQUESTED,
    INSTALMENT_DUE,
    INSTALMENT_PAID,
    LOAN_APPLIED,
    LOAN_DISBURSED,
    LOAN_RESTRUCTURED,
    LOAN_SETTLED,
    LOAN_WRITTEN_OFF,
    PURPOSE_UNKNOWN,
    STATUS_ACTIVE,
    STATUS_APPLIED,
    STATUS_RESTRUCTURED,
    STATUS_SETTLED,
    STATUS_UNKNOWN,
    STATUS_WRITTEN_OFF,
)
from loanpulse.streams.record.event import NO_DAY, Event
from loanpulse.streams.record.layout import Record
from loanpulse.streams.record.units import seconds_of


@compiled
def set_loan_status(record: Record, slot: int, status: int, epoch2020_s: int) -> None:
    """Set a loan's status as of ``epoch2020_s`` unless a later one is known; of two at one time the graver holds."""
    known = record["loan_status_time"][slot]
    if epoch2020_s > known or (epoch2020_s == known and status > record["loan_status"][slot]):
        record["loan_status"][slot] = status
        record["loan_status_time"][slot] = epoch2020_s


@compiled
def fold_loan_kind(record: Record, slot: int, event: Event) -> None:
    """Fold what the kind of a repayment event does to its loan."""
    kind = event["kind"]
    epoch2020_s = seconds_of(event["event_time"])
    day = event["event_time"] // DAY_MS
    if kind == LOAN_APPLIED:
        set_loan_status(record, slot, STATUS_APPLIED, epoch2020_s)
    elif kind == LOAN_DISBURSED:
        set_loan_status(record, slot, STATUS_ACTIVE, epoch2020_s)
        slots.keep_latest_credit(record, epoch2020_s)
        record["loan_disbursed"][slot] += event["amount"]
    elif kind == DEFERRAL_REQUESTED:
        record["loan_deferral_day"][slot] = max(int(record["loan_deferral_day"][slot]), day)
    elif kind == LOAN_RESTRUCTURED:
        set_loan_status(record, slot, STATUS_RESTRUCTURED, epoch2020_s)
        record["loan_restructured_day"][slot] = max(int(record["loan_restructured_day"][slot]), day)
    elif kind == LOAN_SETTLED:
        set_loan_status(record, slot, STATUS_SETTLED, epoch2020_s)
    elif kind == LOAN_WRITTEN_OFF:
        set_loan_status(record, slot, STATUS_WRITTEN_OFF, epoch2020_s)
    if 0 <= event["status"] < STATUS_UNKNOWN:
        set_loan_status(record, slot, event["status"], epoch2020_s)


@compiled
def fold_loan(record: Record, event: Event) -> None:
    """Fold what a repayment event says of its loan: lender, status, purpose, outstanding principal (currency)."""
    epoch2020_s = seconds_of(event["event_time"])
    slot = slots.loan_slot(record, event["loan_key"], epoch2020_s)
    record["loan_reference"][slot] = event["loan_reference"]
    record["loan_opened"][slot] = min(int(record["loan_opened"][slot]), epoch2020_s)
    for word in range(3):
        record["loan_lender"][slot][word] = event["lender"][word]
    if event["purpose"] != PURPOSE_UNKNOWN:
        record["loan_purpose"][slot] = max(record["loan_purpose"][slot], event["purpose"])
    record["loan_product"][slot] = max(record["loan_product"][slot], event["product"])
    fold_loan_kind(record, slot, event)
    if not math.isnan(event["outstanding"]) and epoch2020_s >= record["loan_outstanding_time"][slot]:
        if (
            epoch2020_s > record["loan_outstanding_time"][slot]
            or event["outstanding"] > record["loan_outstanding"][slot]
        ):
            record["loan_outstanding"][slot] = event["outstanding"]
        record["loan_outstanding_time"][slot] = epoch2020_s


@compiled
def fold_repayment(record: Record, event: Event) -> None:
    """Fold a repayment event: the loan, and the instalment that it announces or pays."""
    fold_loan(record, event)
    kind = event["kind"]
    time_ms = event["event_time"]
    if event["due_day"] == NO_DAY or kind not in (INSTALMENT_DUE, INSTALMENT_PAID):
        return
    slot = slots.instalment_slot(record, event["loan_key"], int(event["due_day"]), time_ms // DAY_MS)
    if kind == INSTALMENT_PAID:
        slots.keep_latest_repayment(record, seconds_of(time_ms), event["amount"])
    if slot < 0:
        return
    if kind == INSTALMENT_DUE:
        record["instalment_due"][slot] = max(record["instalment_due"][slot], event["amount"])
        if not math.isnan(event["minimum_due"]):
            record["instalment_minimum"][slot] = max(record["instalment_minimum"][slot], event["minimum_due"])
    else:
        record["instalment_paid"][slot] += event["amount"]
        if time_ms // DAY_MS <= event["due_day"]:
            record["instalment_in_time"][slot] += event["amount"]
