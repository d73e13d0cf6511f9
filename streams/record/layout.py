"""The fixed-layout record of one borrower: what the store holds and what the changelog stores.

A record is one element of a numpy structured array, so that reading it costs nothing, writing it is a copy of its
bytes, and compiled and interpreted functions alike address it by field names.

Times named ``*_at``, ``*_time``, ``*_seen`` or ``*_since`` are UTC milliseconds in 8 bytes and seconds since 2020
in 4 bytes (``units.seconds_of``, ``units.ms_of``). Days are counted since 1970-01-01. Amounts are units of the
deployment's currency as float64, never compared for equality. An empty slot has key 0.
"""

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from loanpulse.schemas.sources import SOURCES

Record: TypeAlias = np.void
"""One borrower's record: an element of an array of ``BORROWER``."""
Records: TypeAlias = npt.NDArray[np.void]
Integers: TypeAlias = npt.NDArray[np.integer[Any]]
Reals: TypeAlias = npt.NDArray[np.float64]

VERSION = 2

NEVER = np.iinfo(np.int64).max
"""Later than any time (ms)."""
LONG_AGO = np.iinfo(np.int64).min
"""Earlier than any time (ms): of a feed that was never heard."""
NO_TIME_S = np.iinfo(np.int32).min
"""No time, in a field that holds seconds since 2020."""

RECENT_EVENTS = 32
MONTHS = 7
LOANS = 8
INSTALMENTS = 16
BILLS = 8
CREDITS = 8
REPAYMENTS = 8
UTILITIES = 4
WAITING_READINGS = 10
TRACED = 9
PAYS = 7
BILLS_IN_A_ROW = 3
PEAKS = 6
PEAK_BUCKET_DAYS = 5
ADVANCES = 3
BEHAVIOURS = 12
OPEN_DAYS = 8
PINS = 2
CONTACTS = 6

# The decayed sums, kept over a short (30 days) and a long (180 days) time constant.
INCOME, INFLOW, OUTFLOW, ESSENTIAL, PURCHASES, DISTRESS, NIGHT, CASH_ADVANCES = range(8)
SUMS = 8
SHORT_DAYS = 30.0
LONG_DAYS = 180.0

BORROWER = np.dtype(
    [
        ("version", "u1"),
        ("level", "i1"),
        ("scored", "i1"),  # 1 once the borrower has been scored
        ("restate", "i1"),  # 1 while a late event waits to restate earlier scorings
        ("free_1", "i1"),
        ("improved", "i1"),  # 1 while the level is one that an improvement led to
        ("free_2", "i1"),
        ("recent_next", "u1"),
        ("spending_events", "u2"),  # movements seen, at most 65,535
        ("offsets", "i8", (SOURCES,)),  # last folded offset per source partition
        ("last_seen", "i8", (SOURCES,)),  # latest event time per source
        ("first_seen", "i8"),
        ("level_since", "i8"),
        ("scored_at", "i8"),
        ("pending_at", "i8"),  # when the newest folded events are to be scored
        ("timer_at", "i8"),  # when time alone calls for a scoring
        ("reference_time", "i8"),  # to which the decayed sums are brought
        ("balance_time", "i8"),
        ("balance_id", "u8"),
        ("balance", "f8"),
        ("lhi", "f8"),
        ("free_3", "i4"),
        ("income_time", "i4"),  # seconds since 2020: the latest payment of income, benefits aside
        ("disconnection_at", "i4"),  # seconds since 2020: the latest disconnection notice
        ("recent_low", "u4", (RECENT_EVENTS,)),  # 48 bits of the hashes of the event ids last folded
        ("recent_high", "u2", (RECENT_EVENTS,)),
        ("short_sums", "f8", (SUMS,)),
        ("long_sums", "f8", (SUMS,)),
        ("month", "i2", (MONTHS,)),  # calendar months since January 1970
        ("income_amount", "f8", (MONTHS,)),
        ("income_credits", "u1", (MONTHS,)),  # payments of income in the month
        ("balance_most", "f4", (MONTHS,)),  # extremes of the balances reported in the month
        ("balance_least", "f4", (MONTHS,)),
        ("loan_key", "u8", (LOANS,)),
        ("loan_lender", "u8", (LOANS, 3)),  # the lender's id, 24 bytes
        ("loan_outstanding", "f8", (LOANS,)),
        ("loan_disbursed", "f8", (LOANS,)),
        ("loan_reference", "u4", (LOANS,)),  # the loan's id without its lender, by which spending names it
        ("loan_opened", "i4", (LOANS,)),  # seconds since 2020
        ("loan_status_time", "i4", (LOANS,)),
        ("loan_outstanding_time", "i4", (LOANS,)),
        ("loan_deferral_day", "i2", (LOANS,)),  # when a deferral was last asked for
        ("loan_restructured_day", "i2", (LOANS,)),
        ("loan_status", "i1", (LOANS,)),
        ("loan_purpose", "i1", (LOANS,)),
        ("loan_product", "i1", (LOANS,)),
        ("instalment_due", "f8", (INSTALMENTS,)),
        ("instalment_paid", "f8", (INSTALMENTS,)),
        ("instalment_in_time", "f8", (INSTALMENTS,)),  # of what was paid, paid by the end of the due date
        ("instalment_loan", "u4", (INSTALMENTS,)),  # the low half of the loan's key
        ("instalment_minimum", "f4", (INSTALMENTS,)),  # least amount that keeps the loan current, 0 = all of it
        ("instalment_day", "i2", (INSTALMENTS,)),
        ("bill_paid_at", "i4", (BILLS,)),  # seconds since 2020
        ("bill_day", "i2", (BILLS,)),
        ("bill_utility", "i1", (BILLS,)),  # 1 + the utility, 0 = empty
        ("bill_overdue", "i1", (BILLS,)),  # 1 = the utility called it overdue
        ("usage_level", "f8", (UTILITIES,)),  # the forecaster's level: usage a day
        ("usage_error", "f8", (UTILITIES,)),  # its mean squared error, exponentially weighted
        ("usage_sum", "f8", (UTILITIES,)),  # read since ``usage_day``, not yet learned
        ("usage_forecast", "f4", (UTILITIES,)),  # for the period last learned, and what was used: usage a day
        ("usage_rate", "f4", (UTILITIES,)),
        ("usage_day", "i2", (UTILITIES,)),  # the last day learned, 0 = none
        ("usage_readings", "u1", (UTILITIES,)),  # periods learned, at most 255
        ("reading_amount", "f8", (WAITING_READINGS,)),  # readings that wait for earlier ones, by utility and day
        ("reading_day", "i2", (WAITING_READINGS,)),
        ("reading_utility", "i1", (WAITING_READINGS,)),  # 1 + the utility, 0 = empty
        ("credit_time", "i4", (CREDITS,)),  # seconds since 2020
        ("repayment_time", "i4", (REPAYMENTS,)),  # seconds since 2020
        ("repayment_amount", "f8", (REPAYMENTS,)),
        ("traced_amount", "f8", (TRACED,)),  # proceeds spent, by loan and class of use
        ("traced_loan", "u4", (TRACED,)),
        ("traced_day", "i2", (TRACED,)),
        ("traced_class", "i1", (TRACED,)),
        # What the behaviours remember (fold/behaviour_traces.py), and their episodes; days are local, 0 = none.
        ("pay_amount", "i4", (PAYS,)),  # whole units of the currency; negative: income other than salary and benefits
        ("pay_day", "u2", (PAYS,)),
        ("late_bill_day", "u2", (UTILITIES, BILLS_IN_A_ROW)),  # due days of each utility's newest bills
        ("late_bill_signs", "u1", (UTILITIES, BILLS_IN_A_ROW)),
        ("balance_peak", "f4", (PEAKS,)),  # highest balance and largest purchase of each five days
        ("largest_purchase", "f4", (PEAKS,)),
        ("peak_newest", "u2"),  # the newest of these five days, counted since 1970
        ("advance_day", "u2", (ADVANCES,)),
        ("behaviours", "u2"),  # bits of the episodes that are open
        ("clear_day", "u1", (BEHAVIOURS,)),  # since when an open one's condition is false
        # The borrower's cash-flow model (cash_flow.py) and the forecast's calibration.
        ("flow_mean", "f8"),
        ("flow_square", "f8"),
        ("flow_day", "i4", (OPEN_DAYS,)),  # net flow of the days not yet closed, whole units of the currency
        ("flow_newest", "u2"),
        ("flow_first", "u2"),
        ("flow_days", "u1"),  # days learned, at most 255
        ("level_shift", "f4", (2,)),  # how far calibration has moved the outer quantiles' levels
        ("pin_day", "u2", (PINS,)),  # when a forecast was pinned to learn from, and its quantiles
        ("pin_low", "u1", (PINS,)),
        ("pin_high", "u1", (PINS,)),
        ("contact_at", "i4", (CONTACTS,)),  # seconds since 2020 of the contacts that alerts have advised
        ("contact_lender", "u2", (CONTACTS,)),  # hash of the lender that each is of, 0 = none
    ]
)
"""The layout. A change needs a new ``VERSION`` and a path from the old one."""


def empty_records(count: int) -> Records:
    """Return ``count`` records of borrowers without data."""
    records = np.zeros(count, BORROWER)
    records["version"] = VERSION
    records["level"] = 1
    records["offsets"] = -1
    records["first_seen"] = NEVER
    for field in ("last_seen", "reference_time", "balance_time"):
        records[field] = LONG_AGO
    for field in ("pending_at", "timer_at"):
        records[field] = NEVER
    for field in (
        "income_time", "disconnection_at", "loan_status_time", "loan_outstanding_time",
        "bill_paid_at", "credit_time", "repayment_time",
    ):  # fmt: skip
        records[field] = NO_TIME_S
    for field in ("loan_status", "loan_purpose", "loan_product"):
        records[field] = -1
    records["balance_most"] = -np.inf
    records["balance_least"] = np.inf
    return records
