"""The borrower record of the first release (layout 1), kept so that its stored state can be read."""

import numpy as np

from loanpulse.schemas.units import DAY_MS
from loanpulse.streams.record import slots
from loanpulse.streams.record.layout import LONG_AGO, NO_TIME_S, Record, empty_records
from loanpulse.streams.record.units import month_of, seconds_of

VERSION = 1
RECENT_EVENTS, MONTHS, LOANS, INSTALMENTS, BILLS, CREDITS, REPAYMENTS, UTILITIES, USAGE_MONTHS = (
    32,
    12,
    8,
    16,
    8,
    6,
    8,
    4,
    4,
)
SOURCES, SUMS = 3, 8

BORROWER_V1 = np.dtype(
    [
        ("version", "u1"),
        ("level", "i1"),
        ("scored", "i1"),  # 1 once the borrower has been scored
        ("disconnection", "i1"),  # 1 while a disconnection notice stands
        ("spending_events", "i4"),
        ("recent_next", "i4"),
        ("reserved", "i4"),
        ("offsets", "i8", (SOURCES,)),  # last folded offset per source partition
        ("recent_ids", "u8", (RECENT_EVENTS,)),  # hashes of the event ids last folded
        ("first_seen", "i8"),
        ("last_seen", "i8", (SOURCES,)),  # latest event time per source
        ("level_since", "i8"),
        ("scored_at", "i8"),
        ("pending_at", "i8"),  # when the newest folded events are to be scored
        ("timer_at", "i8"),  # when time alone calls for a scoring
        ("disconnection_at", "i8"),
        ("lhi", "f8"),
        ("reference_time", "i8"),  # to which the decayed sums are brought
        ("short_sums", "f8", (SUMS,)),
        ("long_sums", "f8", (SUMS,)),
        ("income_month", "i4", (MONTHS,)),
        ("income_amount", "f8", (MONTHS,)),
        ("balance", "f8"),
        ("balance_time", "i8"),
        ("balance_id", "u8"),
        ("loan_key", "u8", (LOANS,)),
        ("loan_lender", "u8", (LOANS, 3)),  # the lender's id, 24 bytes
        ("loan_opened", "i8", (LOANS,)),
        ("loan_status", "i1", (LOANS,)),
        ("loan_status_time", "i8", (LOANS,)),
        ("loan_outstanding", "f8", (LOANS,)),
        ("loan_outstanding_time", "i8", (LOANS,)),
        ("instalment_loan", "u8", (INSTALMENTS,)),
        ("instalment_day", "i4", (INSTALMENTS,)),
        ("instalment_due", "f8", (INSTALMENTS,)),
        ("instalment_paid", "f8", (INSTALMENTS,)),
        ("bill_utility", "i1", (BILLS,)),  # 1 + the utility, 0 = empty
        ("bill_day", "i4", (BILLS,)),
        ("bill_paid_at", "i8", (BILLS,)),  # 0 = not paid
        ("bill_overdue", "i1", (BILLS,)),  # 1 = the utility called it overdue
        ("usage_month", "i4", (UTILITIES, USAGE_MONTHS)),
        ("usage_amount", "f8", (UTILITIES, USAGE_MONTHS)),
        ("credit_time", "i8", (CREDITS,)),
        ("repayment_time", "i8", (REPAYMENTS,)),
        ("repayment_amount", "f8", (REPAYMENTS,)),
    ]
)
"""The layout of the first release."""

SAME = (
    "level", "scored", "offsets", "first_seen", "last_seen", "level_since", "scored_at", "pending_at", "timer_at",
    "lhi", "reference_time", "short_sums", "long_sums", "balance", "balance_time", "balance_id", "loan_key",
    "loan_lender", "loan_status", "loan_outstanding", "instalment_day", "instalment_due", "instalment_paid",
    "bill_utility", "bill_day", "bill_overdue",
)  # fmt: skip
"""Fields that mean the same in both layouts."""
MONTH_DAYS = 30
LOW, HIGH = np.uint64(0xFFFFFFFF), np.uint64(32)


def upgraded(raw: bytes) -> bytes:
    """Return the bytes of a record of layout 1 in the layout after it.

    What layout 1 did not keep is unknown in the new record, except that what had been paid of an instalment counts as
    paid in time, and that a utility's months stand in for readings: their mean is its forecast.
    """
    old = np.frombuffer(raw, BORROWER_V1)[0]
    records = empty_records(1)
    new = records[0]
    for field in SAME:
        new[field] = old[field]
    new["spending_events"] = min(int(old["spending_events"]), 65_535)
    new["recent_next"] = old["recent_next"]
    new["recent_low"] = old["recent_ids"] & LOW
    new["recent_high"] = (old["recent_ids"] >> HIGH) & np.uint64(0xFFFF)
    new["disconnection_at"] = seconds_or_none(int(old["disconnection_at"]), LONG_AGO)
    fill_loans(old, new)
    new["bill_paid_at"] = [seconds_or_none(int(time), 0) for time in old["bill_paid_at"]]
    fill_months(old, new)
    fill_usage(old, new)
    for slot, time in enumerate(sorted(old["credit_time"].tolist(), reverse=True)):
        new["credit_time"][slot] = seconds_or_none(time, 0)
    new["repayment_time"] = [seconds_or_none(int(time), 0) for time in old["repayment_time"]]
    new["repayment_amount"] = old["repayment_amount"]
    return records.tobytes()


def seconds_or_none(time: int, absent: int) -> int:
    """Return a time of layout 1 (ms) in seconds, ``absent`` as ``NO_TIME_S."""
    return NO_TIME_S if time == absent else seconds_of(time)


def fill_loans(old: Record, new: Record) -> None:
    """Fill the times of the loans and the instalments' loans."""
    for slot in np.flatnonzero(old["loan_key"]).tolist():
        new["loan_opened"][slot] = seconds_of(int(old["loan_opened"][slot]))
        new["loan_status_time"][slot] = seconds_or_none(int(old["loan_status_time"][slot]), LONG_AGO)
        new["loan_outstanding_time"][slot] = seconds_or_none(int(old["loan_outstanding_time"][slot]), LONG_AGO)
    new["instalment_loan"] = old["instalment_loan"] & LOW
    new["instalment_in_time"] = old["instalment_paid"]


def fill_months(old: Record, new: Record) -> None:
    """Fill income by months of 30 days; each counts as one payment in its middle: no more was kept."""
    for number, amount in sorted(zip(old["income_month"].tolist(), old["income_amount"].tolist(), strict=True)):
        if number == 0:
            continue
        slot = slots.month_slot(new, month_of((MONTH_DAYS * number + MONTH_DAYS // 2) * DAY_MS))
        if slot >= 0:
            new["income_amount"][slot] += amount
            new["income_credits"][slot] += 1
            new["income_time"] = seconds_of((MONTH_DAYS * number + MONTH_DAYS // 2) * DAY_MS)


def fill_usage(old: Record, new: Record) -> None:
    """Start each utility's forecast from the mean of its months before the newest."""
    for utility in range(UTILITIES):
        known = sorted(
            (int(month), float(amount) / MONTH_DAYS)
            for month, amount in zip(old["usage_month"][utility], old["usage_amount"][utility], strict=True)
            if month
        )
        if len(known) < 2:
            continue
        rates = [rate for _, rate in known]
        new["usage_level"][utility] = sum(rates[:-1]) / len(rates[:-1])
        new["usage_readings"][utility] = len(rates) - 1
        new["usage_day"][utility] = (int(old["last_seen"][2]) // DAY_MS) if old["last_seen"][2] != LONG_AGO else 0
