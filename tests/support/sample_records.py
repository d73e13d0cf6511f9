"""Records made at will: snapshots, alerts, feedback and events with what a test needs, the rest ordinary."""

import hashlib
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from loanpulse.schemas.contracts import INDICATORS
from loanpulse.schemas.topics import ALERT_FEEDBACK, LIQUIDITY_ALERTS, LIQUIDITY_SNAPSHOTS, REPAYMENT_EVENTS
from tests.support.memory_log import Record
from tests.support.processes import CODEC

START = datetime(2026, 3, 1, tzinfo=UTC)


def identity(*parts: object) -> str:
    return hashlib.blake2b(repr(parts).encode(), digest_size=16).hexdigest()


def snapshot(borrower: str, at: datetime, **changes: Any) -> dict[str, Any]:
    reading = {"value": 0.5, "utility": 0.5, "evidence": 1.0, "points": 1.25, "age_days": 2.0}
    value = {
        "snapshot_id": identity(borrower, at, changes.get("known_at")), "borrower_id": borrower, "event_time": at,
        "cause": "EVENT", "lhi": 70.0, "pd": 0.02, "level": "STABLE", "previous_level": "STABLE", "confidence": 0.8,
        "days_past_due": 0, "overdue_amount": Decimal("0.00"), "open_loans": 1, "lender_ids": ["lender-a"],
        **dict.fromkeys(INDICATORS, reading),
        "model_version": "m1", "policy_version": "p1", "known_at": at,
    }  # fmt: skip
    return value | changes


def alert(borrower: str, at: datetime, **changes: Any) -> dict[str, Any]:
    kind = changes.get("kind", "LEVEL_WORSENED")
    value = {
        "alert_id": identity("alert", borrower, at, kind), "episode_id": identity("episode", borrower, at, kind),
        "borrower_id": borrower, "lender_id": "lender-a", "kind": kind, "level_from": "WATCH", "level_to": "TENSE",
        "lhi": 40.0, "pd": 0.2, "confidence": 0.9,
        "reasons": [{"code": "arrears", "points": 9.5, "text_en": "Behind", "text_zh": "逾期"}], "actions": ["REMIND"],
        "event_time": at, "detection_time": at, "known_at": at, "model_version": "m1", "policy_version": "p1",
    }  # fmt: skip
    return value | changes


def feedback(of: dict[str, Any], at: datetime, outcome: str) -> dict[str, Any]:
    return {
        "feedback_id": str(UUID(identity("feedback", of["alert_id"], at, outcome))), "borrower_id": of["borrower_id"],
        "event_time": at, "source": "desk", "lender_id": of["lender_id"], "alert_id": of["alert_id"],
        "episode_id": of["episode_id"], "outcome": outcome,
    }  # fmt: skip


def repayment(borrower: str, loan: str, kind: str, at: datetime, **changes: Any) -> dict[str, Any]:
    value = {
        "event_id": str(UUID(identity(borrower, loan, kind, at, changes.get("due_date"), changes.get("amount")))),
        "borrower_id": borrower, "event_time": at, "source": "core", "lender_id": "lender-a", "loan_id": loan,
        "kind": kind, "currency": "CNY",
    }  # fmt: skip
    return value | changes


def loan(borrower: str, number: str, disbursed: datetime, months: int, paid_late_days: list[int | None]) -> list[Any]:
    """A loan's events: disbursed, then an instalment a month, paid so many days late (None: never)."""
    made = [repayment(borrower, number, "DISBURSED", disbursed, amount=Decimal("1200.00"), product="CASH_LOAN",
                      region="500103")]  # fmt: skip
    for month in range(months):
        due: date = (disbursed + timedelta(days=30 * (month + 1))).date()
        at = datetime(due.year, due.month, due.day, tzinfo=UTC)
        made.append(repayment(borrower, number, "INSTALMENT_DUE", at - timedelta(days=5), amount=Decimal("100.00"),
                              due_date=due))  # fmt: skip
        late = paid_late_days[month]
        if late is not None:
            made += [
                repayment(borrower, number, "PAID", at + timedelta(days=late, hours=h), amount=amount, due_date=due)
                for h, amount in ((1, Decimal("40.00")), (2, Decimal("60.00")))
            ]
    return made


def records(topic: str, values: list[dict[str, Any]], partition: int = 0, first: int = 0) -> list[Record]:
    return [
        Record(topic, first + n, value.get("borrower_id", "").encode(), CODEC.encode(topic, value), None, partition)
        for n, value in enumerate(values)
    ]


SNAPSHOTS, ALERTS, FEEDBACK, REPAYMENTS = LIQUIDITY_SNAPSHOTS, LIQUIDITY_ALERTS, ALERT_FEEDBACK, REPAYMENT_EVENTS
