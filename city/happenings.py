"""What happens in a household, kept small until it is published, and its form as an event of the contracts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple, TypeAlias

from loanpulse.city.days import date_of
from loanpulse.city.published import Value
from loanpulse.schemas.contracts import (
    LoanPurpose,
    LoanStatus,
    RepaymentKind,
    SpendingCategory,
    SpendingKind,
    Utility,
    UtilityKind,
)
from loanpulse.schemas.topics import REPAYMENT_EVENTS, SPENDING_EVENTS, UTILITY_EVENTS

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Repayment(NamedTuple):
    """Something about a loan. Times are UTC ms, money is in cents, `due` is a day number."""

    at_ms: int
    kind: RepaymentKind
    lender_id: str
    loan_id: str
    cents: int | None
    due: int | None
    outstanding: int | None
    limit: int | None
    purpose: LoanPurpose | None
    status: LoanStatus | None


class Movement(NamedTuple):
    """Money in or out of the account; `balance` None where the bank does not tell it."""

    at_ms: int
    kind: SpendingKind
    category: SpendingCategory
    cents: int
    balance: int | None
    loan_id: str | None


class Supply(NamedTuple):
    """A bill, a reading or a notice of a utility."""

    at_ms: int
    kind: UtilityKind
    utility: Utility
    cents: int | None
    due: int | None
    usage: float | None


Happening: TypeAlias = Repayment | Movement | Supply

_SUPPLIERS = {
    Utility.ELECTRICITY: "power-grid",
    Utility.WATER: "water-works",
    Utility.GAS: "gas-works",
    Utility.TELECOM: "telecom-one",
}


def topic_of(happening: Happening) -> str:
    """The bare name of the topic on which `happening` is told."""
    if isinstance(happening, Movement):
        return SPENDING_EVENTS
    return REPAYMENT_EVENTS if isinstance(happening, Repayment) else UTILITY_EVENTS


def value_of(happening: Happening, event_id: str, borrower_id: str, bank: str, currency: str) -> Value:
    """The event of the contracts that tells `happening`."""
    value: Value = {
        "event_id": event_id,
        "borrower_id": borrower_id,
        "event_time": moment_of(happening.at_ms),
        "source": bank,
    }
    if isinstance(happening, Movement):
        value.update(_movement(happening, currency))
    elif isinstance(happening, Repayment):
        value["source"] = happening.lender_id
        value.update(_repayment(happening, currency))
    else:
        value["source"] = _SUPPLIERS[happening.utility]
        value.update(_supply(happening, currency))
    return value


def moment_of(at_ms: int) -> datetime:
    """The aware UTC datetime of a moment in UTC ms."""
    return _EPOCH + timedelta(milliseconds=at_ms)


def money(cents: int | None) -> Decimal | None:
    """A Decimal with two places; made from a whole number because quantizing is slow."""
    return None if cents is None else Decimal(cents).scaleb(-2)


def _movement(movement: Movement, currency: str) -> dict[str, Any]:
    return {
        "kind": movement.kind.name,
        "amount": money(movement.cents),
        "currency": currency,
        "category": movement.category.name,
        "balance_after": money(movement.balance),
        "loan_id": movement.loan_id,
    }


def _repayment(repayment: Repayment, currency: str) -> dict[str, Any]:
    return {
        "lender_id": repayment.lender_id,
        "loan_id": repayment.loan_id,
        "kind": repayment.kind.name,
        "amount": money(repayment.cents),
        "currency": currency,
        "due_date": None if repayment.due is None else date_of(repayment.due),
        "outstanding_principal": money(repayment.outstanding),
        "credit_limit": money(repayment.limit),
        "declared_purpose": None if repayment.purpose is None else repayment.purpose.name,
        "loan_status": None if repayment.status is None else repayment.status.name,
    }


def _supply(supply: Supply, currency: str) -> dict[str, Any]:
    return {
        "utility": supply.utility.name,
        "kind": supply.kind.name,
        "amount": money(supply.cents),
        "currency": currency,
        "due_date": None if supply.due is None else date_of(supply.due),
        "usage": supply.usage,
    }
