"""A book of borrowers whose bad readings come before missed instalments, as a worker and a lender publish it."""

import random
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from loanpulse.schemas.topics import LIQUIDITY_SNAPSHOTS, REPAYMENT_EVENTS
from loanpulse.streams.indicators.catalogue import NAMES
from loanpulse.streams.learning import contract_values

FIRST_DAY = 20_000
Record = tuple[int, str, dict[str, Any]]


def book(borrowers: int = 50, days: int = 210) -> list[Record]:
    """A book in which a bad reading comes before missed instalments: (time in ms, topic, value)."""
    dice = random.Random(7)
    records: list[Record] = []
    for number in range(borrowers):
        borrower, frail = f"b{number}", dice.random()
        for day in range(0, days, 7):
            at = (FIRST_DAY + day) * 86_400_000 + number
            records.append((at, LIQUIDITY_SNAPSHOTS, snapshot(borrower, at, frail, dice)))
        for month in range(days // 30):
            due = FIRST_DAY + 30 * month + 5
            records.append(repayment(borrower, "INSTALMENT_DUE", due - 4, due))
            if dice.random() > 0.5 * frail:
                records.append(repayment(borrower, "PAID", due - 1, due))
    return sorted(records, key=lambda record: record[0])


def snapshot(borrower: str, at: int, frail: float, dice: random.Random) -> dict[str, Any]:
    def reading() -> dict[str, float]:
        utility = min(1.0, max(0.0, 1.0 - frail + dice.gauss(0, 0.2)))
        return {"value": utility, "utility": utility, "evidence": 1.0, "points": 0.0, "age_days": 1.0}

    return {
        "snapshot_id": f"{borrower}-{at}", "borrower_id": borrower, "event_time": contract_values.instant(at),
        "cause": "EVENT",
        "lhi": 50.0, "pd": 0.1, "level": "WATCH", "previous_level": "WATCH", "confidence": 1.0, "days_past_due": 0,
        "overdue_amount": Decimal("0.00"), "open_loans": 1, "lender_ids": ["lender-a"], "model_version": "expert-1",
        "policy_version": "1", "known_at": contract_values.instant(at), **{name: reading() for name in NAMES},
    }  # fmt: skip


def repayment(borrower: str, kind: str, day: int, due: int) -> Record:
    at = day * 86_400_000
    value = {
        "event_id": f"{borrower}-{kind}-{due}", "borrower_id": borrower, "event_time": contract_values.instant(at),
        "source": "test", "lender_id": "lender-a", "loan_id": "loan", "kind": kind, "amount": Decimal("100.00"),
        "currency": "CNY", "due_date": date(1970, 1, 1) + timedelta(days=due),
    }  # fmt: skip
    return at, REPAYMENT_EVENTS, value
