"""From a closed month of a credit card to the events that its bank would have sent.

A credit card's instalment is the minimum payment; the bill is in outstanding_principal. The file tells how
many months a client is late but not which instalment is unpaid, so where the two differ the status is followed and
the event's source says that it was derived. Spending is derived from two bills and the payment between them.
"""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from loanpulse.schemas.contracts import LoanProduct, RepaymentKind, SpendingKind
from loanpulse.schemas.topics import REPAYMENT_EVENTS, SPENDING_EVENTS

LENDER = "card-bank"
REPORTED, FROM_STATUS, FROM_BILLS = "card-months", "derived-from-status", "derived-from-bills"
YEAR, FIRST_MONTH = 2005, 4
DUE_DAY, PAYMENT_DAY, SPENDING_DAY = 25, 20, 15
MINIMUM_SHARE, MINIMUM_LEAST = 0.05, 1000.0
"""The derived least payment: a share of the bill, at least so much (or the bill if smaller)."""
CENT = Decimal("0.01")
NAMESPACE = uuid.UUID("8f1ae1f0-54c5-4d1e-9a53-6f0d6f0f7c1b")

Event = tuple[str, dict[str, Any]]


def month_start(month: int) -> datetime:
    """Return the start of a month, counted from April 2005 as 0; earlier months are negative."""
    years, place = divmod(FIRST_MONTH - 1 + month, 12)
    return datetime(YEAR + years, place + 1, 1, tzinfo=UTC)


def due_date(month: int) -> date:
    """Return the day of a month on which its instalment is due."""
    return month_start(month).date().replace(day=DUE_DAY)


def minimum_due(bill: float) -> float:
    """Return the least payment that keeps a bill current."""
    return min(max(bill, 0.0), max(MINIMUM_LEAST, MINIMUM_SHARE * bill))


def money(amount: float) -> Decimal:
    """Return an amount as the contract carries it."""
    return Decimal(amount).quantize(CENT)


@dataclass(slots=True)
class CardAccount:
    """One client's credit card account, for making events: due and paid per month, and the last bill."""

    borrower_id: str
    limit: float
    bill: float | None = None
    due: dict[int, float] = field(default_factory=dict)
    paid: dict[int, float] = field(default_factory=dict)

    def close(self, month: int, status: int, bill: float, paid: float) -> Iterator[Event]:
        """Yield the events of a month that has closed, in the order of their times."""
        previous, self.bill = self.bill, bill
        if previous is not None and abs(bill - previous + paid) >= 1.0:
            yield self._spending(month, bill - previous + paid)
        if paid > 0.0:
            self.paid[month] = self.paid.get(month, 0.0) + paid
            yield self._repayment(month, PAYMENT_DAY, 12, RepaymentKind.PAID, month, paid, REPORTED)
        yield from self._follow(month, max(0, status), minimum_due(bill))
        least = minimum_due(bill)
        self.due[month + 1] = least
        yield self._repayment(month, 0, 22, RepaymentKind.INSTALMENT_DUE, month + 1, least, REPORTED)
        for old in [one for one in self.due if one < month - 10]:
            del self.due[old]
            self.paid.pop(old, None)

    def _follow(self, month: int, late: int, least: float) -> Iterator[Event]:
        """Bring the instalments to what the status says: those of the last ``late`` months are unpaid, no others."""
        unpaid = range(month - late + 1, month + 1)
        for one in sorted({*self.due, *unpaid}):
            rest = self.due.get(one, 0.0) - self.paid.get(one, 0.0)
            if one in unpaid and rest <= 0.0:
                self.due[one] = self.paid.get(one, 0.0) + max(least, 1.0)
                yield self._repayment(
                    month, 0, 20, RepaymentKind.INSTALMENT_DUE, one, self.due[one], FROM_STATUS
                )  # fmt: skip
            elif one not in unpaid and one <= month and rest > 0.0:
                self.paid[one] = self.due[one]
                yield self._repayment(month, 0, 20, RepaymentKind.PAID, one, rest, FROM_STATUS)

    def _base(self, month: int, day: int, hour: int, source: str, name: str) -> dict[str, Any]:
        start = month_start(month)
        at = start + timedelta(days=day - 1, hours=hour)
        if day == 0:
            # The month's last day.
            at = month_start(month + 1) - timedelta(hours=24 - hour)
        return {
            "event_id": str(uuid.uuid5(NAMESPACE, f"{self.borrower_id}|{month}|{name}")),
            "borrower_id": self.borrower_id,
            "event_time": at,
            "source": source,
            "currency": "CNY",
        }

    def _repayment(
        self, month: int, day: int, hour: int, kind: RepaymentKind, instalment: int, amount: float, source: str
    ) -> Event:
        announced = kind is RepaymentKind.INSTALMENT_DUE
        return REPAYMENT_EVENTS, {
            **self._base(month, day, hour, source, f"{kind.name}|{instalment}|{source}"),
            "lender_id": LENDER,
            "loan_id": self.borrower_id,
            "kind": kind.name,
            "amount": money(amount),
            "due_date": due_date(instalment),
            "minimum_due": money(amount) if announced else None,
            "outstanding_principal": money(max(0.0, self.bill or 0.0)) if announced else None,
            "credit_limit": money(self.limit),
            "product": LoanProduct.CREDIT_CARD.name,
        }

    def _spending(self, month: int, amount: float) -> Event:
        kind = SpendingKind.PURCHASE if amount > 0 else SpendingKind.REFUND
        return SPENDING_EVENTS, {
            **self._base(month, SPENDING_DAY, 12, FROM_BILLS, kind.name),
            "kind": kind.name,
            "amount": money(abs(amount)),
            "loan_id": self.borrower_id,
        }
