"""The contracts' rules beyond Avro's types, as one compiled pass that the stream and the publisher share."""

from typing import Any

import numpy as np

from loanpulse.schemas import sources
from loanpulse.schemas.columns import Bytes, Columns, Flags, Float64s, Int64s
from loanpulse.schemas.compiled import compiled
from loanpulse.schemas.contracts import Contract, RepaymentKind, SpendingKind, Utility, UtilityKind
from loanpulse.schemas.spans import Spans
from loanpulse.schemas.violations import Violation

# Positions in the array of places: where a contract's fields are in its columns; -1 where it has no such field.
(
    EVENT_ID, BORROWER_ID, LENDER_ID, LOAN_ID, CURRENCY,
    EVENT_TIME, KIND, UTILITY, AMOUNT, DUE_DATE, OUTSTANDING, CREDIT_LIMIT, CATEGORY, STATUS, BALANCE, USAGE,
    AMOUNT_SHOWN, DUE_DATE_SHOWN, OUTSTANDING_SHOWN, CREDIT_LIMIT_SHOWN, CATEGORY_SHOWN, STATUS_SHOWN,
    BALANCE_SHOWN, USAGE_SHOWN,
    MINIMUM_DUE, PURPOSE, PRODUCT, MINIMUM_DUE_SHOWN, PURPOSE_SHOWN, PRODUCT_SHOWN, LOAN_ID_SHOWN,
) = range(31)  # fmt: skip
_FIELDS = (
    "event_id", "borrower_id", "lender_id", "loan_id", "currency",
    "event_time", "kind", "utility", "amount", "due_date", "outstanding_principal", "credit_limit", "category",
    "loan_status", "balance_after", "usage",
)  # fmt: skip

ID_LONGEST = 64
LENDER_LONGEST = 24
UUID_LENGTH = 36
DASH = ord("-")

NONE, KEY_MISMATCH, AMOUNT_MISSING, AMOUNT_NEGATIVE, DUE_DATE_MISSING, USAGE_MISSING = (
    int(Violation.NONE),
    int(Violation.KEY_MISMATCH),
    int(Violation.AMOUNT_MISSING),
    int(Violation.AMOUNT_NEGATIVE),
    int(Violation.DUE_DATE_MISSING),
    int(Violation.USAGE_MISSING),
)
UNKNOWN_KIND, ID_INVALID, CURRENCY_NOT_TAKEN = (
    int(Violation.UNKNOWN_KIND),
    int(Violation.ID_INVALID),
    int(Violation.CURRENCY_NOT_TAKEN),
)
LAST_PAYING_KIND = int(RepaymentKind.PAID)
DUE, PAID = int(RepaymentKind.INSTALMENT_DUE), int(RepaymentKind.PAID)
LAST_BILL_KIND = int(UtilityKind.BILL_OVERDUE)
METER_READ = int(UtilityKind.METER_READ)
UNKNOWN_KINDS = (int(RepaymentKind.UNKNOWN), int(SpendingKind.UNKNOWN), int(UtilityKind.UNKNOWN))
UNKNOWN_UTILITY = int(Utility.UNKNOWN)

FIELD_OF = {
    Violation.KEY_MISMATCH: "borrower_id",
    Violation.AMOUNT_MISSING: "amount",
    Violation.AMOUNT_NEGATIVE: "amount",
    Violation.DUE_DATE_MISSING: "due_date",
    Violation.USAGE_MISSING: "usage",
    Violation.UNKNOWN_KIND: "kind",
    Violation.ID_INVALID: "event_id",
    Violation.CURRENCY_NOT_TAKEN: "currency",
    Violation.TIME_IN_FUTURE: "event_time",
    Violation.TOO_LATE: "event_time",
}
"""The field that a violation is about, for messages to the sender."""


def places_of(columns: Columns) -> Int64s:
    """Return where the fields of events are in ``columns``."""
    known = columns.layout.columns
    places = [known[name].place if name in known else -1 for name in _FIELDS]
    shown = ("amount", "due_date", "outstanding_principal", "credit_limit", "category", "loan_status")
    places += [known[name].number if name in known else -1 for name in (*shown, "balance_after", "usage")]
    optional = ("minimum_due", "declared_purpose", "product")
    places += [known[name].place if name in known else -1 for name in optional]
    places += [known[name].number if name in known else -1 for name in (*optional, "loan_id")]
    return np.array(places, np.int64)


@compiled
def hex_digit(byte: Any) -> Any:
    """Return the value of a hexadecimal digit, -1 for another character."""
    if 48 <= byte <= 57:
        return byte - 48
    if 97 <= byte <= 102:
        return byte - 87
    if 65 <= byte <= 70:
        return byte - 55
    return -1


@compiled
def is_uuid(data: Bytes, start: int, length: int) -> bool:
    """Tell whether a text is a UUID in its usual form."""
    if length != UUID_LENGTH:
        return False
    for place in range(UUID_LENGTH):
        byte = np.int64(data[start + place])
        if place in (8, 13, 18, 23):
            if byte != DASH:
                return False
        elif hex_digit(byte) < 0:
            return False
    return True


@compiled
def is_token(data: Bytes, start: int, length: int, longest: int) -> bool:
    """Tell whether a text is 1 to ``longest`` printable ASCII characters without a space."""
    if not 1 <= length <= longest:
        return False
    for place in range(start, start + length):  # noqa: SIM110 - a generator does not compile
        if not 0x21 <= data[place] <= 0x7E:
            return False
    return True


@compiled
def ids_are_valid(data: Bytes, starts: Int64s, lengths: Int64s, places: Int64s) -> bool:
    """Tell whether a row's ids have their forms."""
    if not is_uuid(data, starts[places[EVENT_ID]], lengths[places[EVENT_ID]]):
        return False
    if not is_token(data, starts[places[BORROWER_ID]], lengths[places[BORROWER_ID]], ID_LONGEST):
        return False
    lender = places[LENDER_ID]
    if lender >= 0:
        loan = places[LOAN_ID]
        return is_token(data, starts[lender], lengths[lender], LENDER_LONGEST) and is_token(
            data, starts[loan], lengths[loan], ID_LONGEST
        )
    return True


@compiled
def money_violation(source: int, kind: int, integers: Int64s, present: Flags, places: Int64s) -> int:
    """Return what is wrong with a row's amount and due date."""
    needs_amount = source == sources.SPENDING
    needs_date = False
    if source == sources.REPAYMENT:
        needs_amount = kind <= LAST_PAYING_KIND
        needs_date = kind in (DUE, PAID)
    elif source == sources.UTILITY:
        needs_amount = kind <= LAST_BILL_KIND
        needs_date = needs_amount
    shown = present[places[AMOUNT_SHOWN]]
    if needs_amount and not shown:
        return AMOUNT_MISSING
    if shown and integers[places[AMOUNT]] < 0:
        return AMOUNT_NEGATIVE
    if needs_date and not present[places[DUE_DATE_SHOWN]]:
        return DUE_DATE_MISSING
    return NONE


@compiled
def usage_violation(source: int, kind: int, reals: Float64s, present: Flags, places: Int64s) -> int:
    """Return what is wrong with a meter reading."""
    if source == sources.UTILITY and kind == METER_READ:
        usage = reals[places[USAGE]]
        if not present[places[USAGE_SHOWN]] or not (0.0 <= usage < 1e12):
            return USAGE_MISSING
    return NONE


@compiled
def same_text(data: Bytes, start: int, length: int, other: Bytes, other_start: int, other_length: int) -> bool:
    """Tell whether two texts are the same bytes."""
    if length != other_length:
        return False
    for place in range(length):  # noqa: SIM110 - a generator does not compile
        if data[start + place] != other[other_start + place]:
            return False
    return True


@compiled
def check_rows(
    source: int,
    data: Bytes,
    integers: Int64s,
    reals: Float64s,
    starts: Int64s,
    lengths: Int64s,
    present: Flags,
    places: Int64s,
    keys: Bytes,
    key_starts: Int64s,
    key_lengths: Int64s,
    currency: Bytes,
    errors: Bytes,
) -> None:
    """Mark each row that breaks a rule with the first rule that it breaks."""
    for row in range(len(errors)):
        if errors[row] != 0:
            continue
        borrower = places[BORROWER_ID]
        money = places[CURRENCY]
        kind = integers[row, places[KIND]]
        if not same_text(data, starts[row, borrower], lengths[row, borrower], keys, key_starts[row], key_lengths[row]):
            errors[row] = KEY_MISMATCH
        elif not ids_are_valid(data, starts[row], lengths[row], places):
            errors[row] = ID_INVALID
        elif kind == UNKNOWN_KINDS[source] or (
            source == sources.UTILITY and integers[row, places[UTILITY]] == UNKNOWN_UTILITY
        ):
            errors[row] = UNKNOWN_KIND
        elif not same_text(data, starts[row, money], lengths[row, money], currency, 0, len(currency)):
            errors[row] = CURRENCY_NOT_TAKEN
        else:
            wrong = money_violation(source, kind, integers[row], present[row], places)
            if wrong == NONE:
                wrong = usage_violation(source, kind, reals[row], present[row], places)
            errors[row] = wrong


def check(columns: Columns, contract: Contract, keys: Spans, currency: str) -> None:
    """Mark in ``columns.errors`` each event that breaks a rule; ``keys`` are the records' keys."""
    check_rows(
        sources.EVENT_CONTRACTS.index(contract),
        columns.data,
        columns.integers,
        columns.reals,
        columns.starts,
        columns.lengths,
        columns.present,
        places_of(columns),
        keys.data,
        keys.starts,
        keys.lengths,
        np.frombuffer(currency.encode("ascii"), np.uint8),
        columns.errors,
    )
