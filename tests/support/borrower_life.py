"""A borrower's life in a few lines: events by date, sent through the engine, with what it found.

Times are Chinese local time: ``"2026-03-05"`` is noon of that day, ``"2026-03-05 02:30"`` the minute.
"""

import uuid
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any, Self

import numpy as np

from loanpulse.schemas.codec import Codec
from loanpulse.schemas.registry import LocalRegistry
from loanpulse.schemas.sources import REPAYMENT, SPENDING, UTILITY
from loanpulse.schemas.topics import EVENT_TOPICS
from loanpulse.streams.behaviours.catalogue import NAMES
from loanpulse.streams.behaviours.parameters import parameter_table
from loanpulse.streams.engine.engine import Engine, EngineOptions, record_batch_of
from loanpulse.streams.policy import policy_file
from loanpulse.streams.policy.policy_file import Policy
from tests.support.engine_logs import scores_until

LOCAL = timezone(timedelta(hours=8))
REGISTRY = LocalRegistry()
CODEC = Codec(REGISTRY)
BORROWER = b"b-life"
SECOND = 1000


def instant(text: str) -> datetime:
    return datetime.fromisoformat(text if " " in text else f"{text} 12:00").replace(tzinfo=LOCAL)


def ms(text: str) -> int:
    """The UTC milliseconds of a local date (its noon) or minute."""
    return round(instant(text).timestamp() * 1000)


def shown(time_ms: int) -> str:
    """A time as the local minute."""
    return datetime.fromtimestamp(time_ms / 1000, UTC).astimezone(LOCAL).strftime("%Y-%m-%d %H:%M")


def policy_with(name: str = "", **parameters: float) -> Policy:
    """The packaged policy, with some of a behaviour's parameters changed."""
    policy = policy_file.load(interval_seconds=1.0)
    if name:
        policy.parameters["behaviours"] = parameter_table({**policy.file.behaviours, name: parameters})
    return policy


@dataclass
class Life:
    """Events of one borrower; each method adds one or more and returns the life, so that they chain."""

    events: list[tuple[int, dict[str, Any]]] = field(default_factory=list)

    def add(self, when: str, source: int, kind: str, amount: float | None = None, **fields: Any) -> Self:
        value = {
            "event_id": str(uuid.UUID(int=len(self.events) + 1)),
            "borrower_id": BORROWER.decode(),
            "event_time": instant(when).astimezone(UTC),
            "source": "test",
            "currency": "CNY",
            "kind": kind,
            "amount": None if amount is None else Decimal(f"{amount:.2f}"),
            **fields,
        }
        self.events.append((source, value))
        return self

    # The account.

    def move(self, when: str, kind: str, amount: float, category: str | None, balance: float | None = None,
             loan: int | None = None) -> Self:  # fmt: skip
        after = None if balance is None else Decimal(f"{balance:.2f}")
        loan_id = None if loan is None else f"loan-{loan}"
        return self.add(when, SPENDING, kind, amount, category=category, balance_after=after, loan_id=loan_id)

    def spend(self, when: str, amount: float, category: str = "GROCERIES", **more: Any) -> Self:
        return self.move(when, "PURCHASE", amount, category, **more)

    def earn(self, when: str, amount: float, category: str | None = "SALARY", **more: Any) -> Self:
        return self.move(when, "INCOME", amount, category, **more)

    def advance(self, when: str, amount: float) -> Self:
        return self.move(when, "CASH_ADVANCE", amount, "CASH")

    # Loans: the loan ``n`` is of the lender ``n`` unless another is named.

    def loan(self, when: str, kind: str, loan: int, amount: float | None = None, lender: int | None = None,
             due: str | None = None, outstanding: float | None = None, **more: Any) -> Self:  # fmt: skip
        return self.add(
            when, REPAYMENT, kind, amount,
            lender_id=f"lender-{lender or loan}", loan_id=f"loan-{loan}",
            due_date=None if due is None else date.fromisoformat(due),
            outstanding_principal=None if outstanding is None else Decimal(f"{outstanding:.2f}"),
            **more,
        )  # fmt: skip

    def borrow(self, when: str, amount: float, loan: int = 1, **more: Any) -> Self:
        return self.loan(when, "DISBURSED", loan, amount, outstanding=amount, **more)

    def due(self, when: str, due: str, amount: float, loan: int = 1) -> Self:
        return self.loan(when, "INSTALMENT_DUE", loan, amount, due=due)

    def repay(self, when: str, due: str, amount: float, loan: int = 1) -> Self:
        return self.loan(when, "PAID", loan, amount, due=due)

    # The house.

    def bill(self, due: str, paid: str | None, utility: str = "ELECTRICITY") -> Self:
        more = {"utility": utility, "due_date": date.fromisoformat(due)}
        self.add(str(date.fromisoformat(due) - timedelta(days=15)), UTILITY, "BILL_ISSUED", 150.0, **more)
        return self if paid is None else self.add(paid, UTILITY, "BILL_PAID", 150.0, **more)

    def read(self, when: str, usage: float, utility: str = "ELECTRICITY") -> Self:
        return self.add(when, UTILITY, "METER_READ", utility=utility, usage=usage)

    def engine(self, policy: Policy | None = None) -> Engine:
        """An engine that has taken every event, in the order of event time, and scored nothing yet."""
        engine = Engine(EngineOptions(1), policy or policy_with(), REGISTRY)
        for source, topic in enumerate(EVENT_TOPICS):
            own = sorted((value for one, value in self.events if one == source), key=lambda value: value["event_time"])
            stamps = [round(value["event_time"].timestamp() * 1000) for value in own]
            values = [CODEC.encode(topic, value) for value in own]
            refused = engine.offer(record_batch_of(source, 0, 0, stamps, [BORROWER] * len(own), values))
            assert not refused, refused
        return engine

    def found(self, until: str, policy: Policy | None = None) -> "Found":
        """What is found when the borrower is carried to the local minute (or noon) ``until``."""
        engine = self.engine(policy)
        return Found(scores_until(engine, 0, ms(until)), engine.partition(0).store.records[0])


@dataclass
class Found:
    """What the scorings of a life found, and the borrower's record after them."""

    scores: np.ndarray
    record: np.void

    def opened(self) -> list[tuple[str, str]]:
        """Every episode opened: (local minute, behaviour), in order."""
        return [
            (shown(int(score["time"])), name)
            for score in self.scores
            for bit, name in enumerate(NAMES)
            if int(score["opened"]) >> bit & 1
        ]

    def missed(self) -> list[tuple[str, list[str]]]:
        """Where INSTALMENT_MISSED was opened: (local minute, the lenders whose own instalments it tells of)."""
        lenders = [bytes(lender).rstrip(b"\0").decode() for lender in self.record["loan_lender"]]
        return [
            (
                shown(int(score["time"])),
                [one for slot, one in enumerate(lenders) if int(score["missed_loans"]) >> slot & 1],
            )
            for score in self.scores
            if int(score["opened"]) >> NAMES.index("INSTALMENT_MISSED") & 1
        ]

    def names(self) -> list[str]:
        return [name for _, name in self.opened()]

    def latest(self) -> set[str]:
        """The behaviours whose episode is open at the last scoring."""
        return {name for bit, name in enumerate(NAMES) if int(self.scores[-1]["behaviours"]) >> bit & 1}

    def value(self, name: str) -> float:
        """What a behaviour measured at the last scoring."""
        return float(self.scores[-1]["behaviour_value"][NAMES.index(name)])


def months(first: str, count: int) -> list[str]:
    """The same day of ``count`` months on."""
    start = date.fromisoformat(first)
    places = [start.month - 1 + number for number in range(count)]
    return [start.replace(year=start.year + place // 12, month=place % 12 + 1).isoformat() for place in places]


def days(first: str, count: int, step: int = 1) -> list[str]:
    """``count`` days, ``step`` apart."""
    start = date.fromisoformat(first)
    return [(start + timedelta(days=step * number)).isoformat() for number in range(count)]
