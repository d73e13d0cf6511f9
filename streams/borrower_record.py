"""The fixed-layout record of one borrower: what the table holds and what the changelog carries.

A record is one element of a numpy structured array, so that reading it costs nothing, writing it is a copy of its
bytes, and the fold (``fold.py``) and the indicators (``indicators/``) address it by field names, compiled or not.

Times are UTC milliseconds, days are days since 1970-01-01, amounts are units of the deployment's currency as
float64 (never compared for equality). An empty ledger slot has key 0.
"""

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

Record: TypeAlias = np.void
"""One borrower's record: an element of an array of ``BORROWER``."""
Records: TypeAlias = npt.NDArray[np.void]
Integers: TypeAlias = npt.NDArray[np.integer[Any]]
Reals: TypeAlias = npt.NDArray[np.float64]

VERSION = 1

DAY_MS = 86_400_000
NEVER = np.iinfo(np.int64).max
LONG_AGO = np.iinfo(np.int64).min

SOURCES = 3
REPAYMENT, SPENDING, UTILITY = 0, 1, 2

RECENT_EVENTS = 32
MONTHS = 12
LOANS = 8
INSTALMENTS = 16
BILLS = 8
CREDITS = 6
REPAYMENTS = 8
UTILITIES = 4
CONTACTS = 8
USAGE_MONTHS = 4

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
        ("contact_at", "i8", (CONTACTS,)),  # contacts that alerts have advised, 0 = none
        ("contact_lender", "u4", (CONTACTS,)),  # hash of the lender that each is of
    ]
)
"""The layout. A change needs a new ``VERSION`` and a path from the old one."""


def empty_records(count: int) -> Records:
    """Return ``count`` records of borrowers of whom nothing is known."""
    records = np.zeros(count, BORROWER)
    records["version"] = VERSION
    records["level"] = 1
    records["offsets"] = -1
    records["first_seen"] = NEVER
    for field in ("last_seen", "reference_time", "balance_time", "disconnection_at"):
        records[field] = LONG_AGO
    for field in ("pending_at", "timer_at"):
        records[field] = NEVER
    return records


def upgrade(raw: bytes) -> bytes:
    """Bring the bytes of a record of any released layout to the current one.

    Raises:
        ValueError: the bytes are not a record of a layout that this version knows.
    """
    if len(raw) == BORROWER.itemsize and raw[0] == VERSION:
        return raw
    raise ValueError(
        f"a borrower record of {len(raw)} bytes, layout {raw[0] if raw else 'none'}, is not known to this version "
        f"(layout {VERSION}, {BORROWER.itemsize} bytes): rebuild the state with a replay from the topics' start"
    )
