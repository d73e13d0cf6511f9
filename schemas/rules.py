"""The contracts' rules beyond Avro's types, as one compiled pass that the stream and the publisher share."""

from typing import Any, NamedTuple

import numpy as np

from loanpulse.schemas.arrays import Bytes, Flags, Float64s, Int64s
from loanpulse.schemas.columns import ColumnArrays, Columns
from loanpulse.schemas.compiled import compiled
from loanpulse.schemas.contracts import Contract, RepaymentKind, SpendingKind, Utility, UtilityKind
from loanpulse.schemas.sources import EVENT_CONTRACTS, REPAYMENT, SPENDING, UTILITY
from loanpulse.schemas.spans import SpanArrays, Spans
from loanpulse.schemas.violations import Violation

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


class Places(NamedTuple):
    """Where an event's fields are in its columns, -1 where its contract has no such field.

    A field's place is its column among those of its kind; a name that ends in ``_shown`` gives the column of
    ``present`` that tells whether the field is not null.
    """

    event_id: int
    borrower_id: int
    lender_id: int
    loan_id: int
    loan_id_shown: int
    currency: int
    event_time: int
    kind: int
    utility: int
    amount: int
    amount_shown: int
    due_date: int
    due_date_shown: int
    outstanding_principal: int
    outstanding_principal_shown: int
    credit_limit: int
    credit_limit_shown: int
    category: int
    category_shown: int
    loan_status: int
    loan_status_shown: int
    balance_after: int
    balance_after_shown: int
    usage: int
    usage_shown: int
    minimum_due: int
    minimum_due_shown: int
    declared_purpose: int
    declared_purpose_shown: int
    product: int
    product_shown: int


def places_of(columns: Columns) -> Places:
    """Return where the fields of events are in ``columns``."""
    known = columns.layout.columns

    def place(name: str) -> int:
        field = name.removesuffix("_shown")
        if field not in known:
            return -1
        return known[field].place if field == name else known[field].number

    return Places(*(place(name) for name in Places._fields))


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
def ids_are_valid(data: Bytes, starts: Int64s, lengths: Int64s, places: Places) -> bool:
    """Tell whether a row's ids have their forms."""
    if not is_uuid(data, starts[places.event_id], lengths[places.event_id]):
        return False
    if not is_token(data, starts[places.borrower_id], lengths[places.borrower_id], ID_LONGEST):
        return False
    lender = places.lender_id
    if lender >= 0:
        loan = places.loan_id
        return is_token(data, starts[lender], lengths[lender], LENDER_LONGEST) and is_token(
            data, starts[loan], lengths[loan], ID_LONGEST
        )
    return True


@compiled
def money_violation(source: int, kind: int, integers: Int64s, present: Flags, places: Places) -> int:
    """Return what is wrong with a row's amount and due date."""
    needs_amount = source == SPENDING
    needs_date = False
    if source == REPAYMENT:
        needs_amount = kind <= LAST_PAYING_KIND
        needs_date = kind in (DUE, PAID)
    elif source == UTILITY:
        needs_amount = kind <= LAST_BILL_KIND
        needs_date = needs_amount
    shown = present[places.amount_shown]
    if needs_amount and not shown:
        return AMOUNT_MISSING
    if shown and integers[places.amount] < 0:
        return AMOUNT_NEGATIVE
    if needs_date and not present[places.due_date_shown]:
        return DUE_DATE_MISSING
    return NONE


@compiled
def usage_violation(source: int, kind: int, reals: Float64s, present: Flags, places: Places) -> int:
    """Return what is wrong with a meter reading."""
    if source == UTILITY and kind == METER_READ:
        usage = reals[places.usage]
        if not present[places.usage_shown] or not (0.0 <= usage < 1e12):
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
def is_unknown(source: int, kind: int, utility: int) -> bool:
    """Tell whether a row's kind or utility is none that this version of the contract knows."""
    return bool(kind == UNKNOWN_KINDS[source] or (source == UTILITY and utility == UNKNOWN_UTILITY))


@compiled
def check_rows(source: int, columns: ColumnArrays, places: Places, keys: SpanArrays, currency: Bytes) -> None:
    """Mark each row that breaks a rule with the first rule that it breaks."""
    errors, data, integers, reals, starts, lengths, present = columns  # once: each access to a tuple's array costs
    names, name_starts, name_lengths = keys
    borrower, money = places.borrower_id, places.currency
    for row in range(len(errors)):
        if errors[row] != 0:
            continue
        kind = integers[row, places.kind]
        if not same_text(
            data, starts[row, borrower], lengths[row, borrower], names, name_starts[row], name_lengths[row]
        ):
            errors[row] = KEY_MISMATCH
        elif not ids_are_valid(data, starts[row], lengths[row], places):
            errors[row] = ID_INVALID
        elif is_unknown(source, kind, integers[row, places.utility]):
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
        EVENT_CONTRACTS.index(contract),
        columns.arrays,
        places_of(columns),
        keys.arrays,
        np.frombuffer(currency.encode("ascii"), np.uint8),
    )
