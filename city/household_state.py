"""A household's accounts and the journal of what happened: the state that its days change.

The modules beside it (income, spending, bills, borrowing, repaying, life_events) each change their part of it.
"""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from loanpulse.city import household_profile
from loanpulse.city.days import date_of
from loanpulse.city.dice import Dice
from loanpulse.city.loan import Loan
from loanpulse.city.plan import CityPlan
from loanpulse.city.truth import LifeEvent, OnTruth
from loanpulse.schemas.topics import REPAYMENT_EVENTS, SPENDING_EVENTS, UTILITY_EVENTS
from loanpulse.schemas.units import MINUTE_MS

Record = tuple[int, str, dict[str, Any]]
"""Event time (UTC ms), bare topic name, native value."""


def borrower_id(seed: int, number: int) -> str:
    """The pseudonym of a household."""
    return "b-" + uuid.uuid5(uuid.NAMESPACE_OID, f"{seed}/{number}").hex[:12]


def money(cents: int) -> Decimal:
    """Cents as an amount of the contract's scale."""
    return Decimal(cents).scaleb(-2)


def days_until_life_event(dice: Dice, plan: CityPlan) -> int:
    """Draw the days until the next adverse life event."""
    return int(min(100_000, dice.days_until(plan.life_event_rate / 365.0)))


class HouseholdState:
    """What a household has, owes and goes through now, in cents and local days, and today's records."""

    def __init__(self, plan: CityPlan, number: int, first_day: int, on_truth: OnTruth) -> None:
        self.id = borrower_id(plan.seed, number)
        self.plan = plan
        self.dice = dice = Dice(plan.seed, number)
        self.profile = household_profile.draw(plan.seed, number, first_day)
        self.on_truth = on_truth
        self.ids = uuid.uuid5(uuid.NAMESPACE_OID, f"{plan.seed}/{number}/events").int
        self.events = 0
        self.income = round(700_000 * dice.spread(0.45))
        self.cycle = dice.pick(("monthly", "monthly", "monthly", "biweekly", "weekly", "irregular"))
        self.pay_day = dice.whole(1, 28)
        self.pay_phase = dice.whole(0, 13)
        self.rent = round(self.income * dice.between(0.15, 0.28))
        self.rent_day = dice.whole(1, 28)
        self.thrift = dice.between(0.72, 1.02)
        self.bill_day = dice.whole(1, 28)
        self.balance = round(self.income * dice.between(0.1, 1.4))
        self.home = dice.between(0.7, 1.5)
        self.honest = dice.between(0.0, 1.0)
        self.bills: list[list[Any]] = []
        self.loans: list[Loan] = []
        self.planned = [first_day + dice.whole(0, 9) for _ in range(1 if dice.chance(0.65) else 2)]
        self.loan_number = 0
        self.next_life_event = first_day + 20 + days_until_life_event(dice, plan)
        self.life_event: LifeEvent | None = None
        self.life_event_ends = 0
        self.recovered_until = 0
        self.severity = 1.0
        self.advanced = 0
        self.days_to_next_pay = 15
        self.budget = 0.0
        self.records: list[Record] = []
        self.clock = 0

    def tick(self, minutes: float) -> int:
        """Let some minutes pass; returns the new time (UTC ms)."""
        self.clock += 1 + int(minutes * MINUTE_MS * self.dice.between(0.2, 1.0))
        return self.clock

    def _value(self, at: int, **fields: Any) -> dict[str, Any]:
        self.events += 1
        identity = uuid.UUID(int=(self.ids + self.events * 0x9E3779B97F4A7C15F39CC0605CEDC835) % (1 << 128), version=4)
        return {
            "event_id": str(identity),
            "borrower_id": self.id,
            "event_time": datetime.fromtimestamp(at / 1000, UTC).replace(microsecond=at % 1000 * 1000),
            "currency": self.plan.currency,
            **fields,
        }

    def record_movement(self, kind: str, cents: int, category: str | None = None, loan_id: str | None = None) -> None:
        """Record a movement of the account, which the caller has made."""
        value = self._value(
            self.tick(6),
            source="bank",
            kind=kind,
            amount=money(cents),
            category=category,
            balance_after=money(self.balance) if self.dice.chance(0.9) else None,
            loan_id=loan_id,
        )
        self.records.append((self.clock, SPENDING_EVENTS, value))

    def record_loan(self, loan: Loan, kind: str, cents: int | None = None, due: int | None = None, **more: Any) -> None:
        """Record what a lender publishes of a loan; ``due`` is a local day."""
        value = self._value(
            self.tick(4),
            source=loan.lender,
            lender_id=loan.lender,
            loan_id=loan.loan_id,
            kind=kind,
            amount=None if cents is None else money(cents),
            due_date=None if due is None else date_of(due),
            outstanding_principal=money(loan.outstanding),
            credit_limit=money(loan.principal) if loan.is_revolving else None,
            declared_purpose=more.get("purpose"),
            loan_status=more.get("status"),
            minimum_due=more.get("minimum"),
            annual_rate=loan.annual_rate if kind in ("DISBURSED", "RESTRUCTURED") else None,
            product=loan.product,
            region=self.profile.region,
        )
        self.records.append((self.clock, REPAYMENT_EVENTS, value))

    def record_utility(self, utility: str, kind: str, cents: int | None, due: int | None, usage: float | None) -> None:
        """Record what a utility publishes; ``due`` is a local day."""
        value = self._value(
            self.tick(4),
            source="utility",
            utility=utility,
            kind=kind,
            amount=None if cents is None else money(cents),
            due_date=None if due is None else date_of(due),
            usage=usage,
        )
        self.records.append((self.clock, UTILITY_EVENTS, value))
