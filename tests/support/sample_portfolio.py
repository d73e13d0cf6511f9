"""A made portfolio in a warehouse after duplicates, restatements and late data, and its recomputation in plain Python.

Records come shuffled, some twice, some restated; what is recomputed is recomputed from the records themselves.
"""

import random
from collections import Counter, defaultdict
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from loanpulse.schemas.registry import LocalRegistry
from loanpulse.schemas.topics import MODEL_HEALTH
from loanpulse.sinks.embedded import EmbeddedWarehouse
from loanpulse.sinks.rows import RowMaker
from tests.support import sample_records

SEED = 7
LEVELS = ("AMPLE", "STABLE", "WATCH", "TENSE", "CRISIS")
Values = list[dict[str, Any]]


def scorings(dice: random.Random) -> Values:
    """Scorings of a dozen borrowers over a week; one in five is restated later, some of those twice."""
    found: Values = []
    for number in range(12):
        level = "UNKNOWN"
        at = sample_records.START + timedelta(minutes=dice.randrange(600))
        while at < sample_records.START + timedelta(days=7):
            following = dice.choice(LEVELS)
            found.append(scoring(f"b-{number}", at, at, level, following, dice))
            for delay in (6, 50)[: dice.choice((0, 0, 0, 0, 1, 2))]:
                following = dice.choice(LEVELS)
                known = at + timedelta(hours=delay + dice.random())
                found.append(scoring(f"b-{number}", at, known, level, following, dice) | {"restated": True})
            level = following
            at += timedelta(minutes=dice.choice((1, 30, 240, 900)), milliseconds=dice.randrange(1000))
    return found


def scoring(
    borrower: str, at: datetime, known: datetime, before: str, level: str, dice: random.Random
) -> dict[str, Any]:
    lenders = dice.sample(["lender-a", "lender-b", "lender-c"], dice.randrange(1, 4))
    return sample_records.snapshot(
        borrower, at, known_at=known, previous_level=before, level=level, lender_ids=sorted(lenders),
        lhi=float(dice.randrange(100)), days_past_due=dice.choice((0, 0, 5, 20, 45, 70, 120)),
        overdue_amount=Decimal(dice.randrange(1000)), open_loans=len(lenders),
        shortfall_days_p50=dice.choice((None, 0.0, 7.5, 8.0, 14.9, 15.0, 30.5, 31.0, 60.0, 61.0, 89.5, 90.0)),
    )  # fmt: skip


PRODUCTS, REGIONS = ("CASH_LOAN", "CREDIT_CARD", "AUTO_LOAN"), ("500101", "500103", "500108")


def borrowers_with_loans(dice: random.Random) -> Values:
    """Loans of lender-a with instalments; beside them one of lender-b for every second borrower, some of them settled.

    Every fourth loan of lender-a is told later to be of another region.
    """
    found: Values = []
    for number in range(12):
        late = [dice.choice((None, 0, 0, 3, 12, 40)) for _ in range(5)]
        disbursed = sample_records.START - timedelta(days=170 - number * 5)
        events = sample_records.loan(f"b-{number}", f"loan-{number}", disbursed, 5, late)
        events[0] |= {"product": PRODUCTS[number % 3], "region": REGIONS[number // 2 % 3]}
        if number % 4 == 0:
            events[-1] |= {"region": REGIONS[(number // 2 + 1) % 3]}
        found += events
        if number % 2 == 0:
            other = {"lender_id": "lender-b", "product": "CREDIT_CARD", "region": "500101"}
            at, loan = disbursed + timedelta(days=9), f"card-{number}"
            found.append(
                sample_records.repayment(f"b-{number}", loan, "DISBURSED", at, amount=Decimal("500.00"), **other)
            )
            if number % 3 == 0:
                found.append(sample_records.repayment(f"b-{number}", loan, "SETTLED", at + timedelta(days=50), **other))
    return found


KINDS = ("LEVEL_WORSENED", "LEVEL_IMPROVED", "INCOME_SHOCK", "CASH_DRAIN", "MULTI_LENDER_SURGE")
DISPOSITIONS = ("SENT", "SENT", "SENT", "DEFERRED", "SUPPRESSED", "HOLD_OUT")


def alerts_with_feedback(dice: random.Random) -> tuple[Values, Values]:
    alerts, reports = [], []
    for number in range(150):
        at = sample_records.START - timedelta(
            days=dice.randrange(1, 120), hours=dice.randrange(24), minutes=dice.randrange(60)
        )
        kind = dice.choice(KINDS)
        level = dice.choice(("AMPLE", "STABLE", "WATCH") if kind == "LEVEL_IMPROVED" else ("TENSE", "CRISIS"))
        lender = dice.choice(("lender-a", "lender-a", "lender-b"))
        one = sample_records.alert(
            f"b-{number % 12}", at, kind=kind, level_to=level, lender_id=lender,
            lhi=float(dice.randrange(100)), disposition=dice.choice(DISPOSITIONS),
        )  # fmt: skip
        alerts.append(one)
        for minutes in dice.sample(range(1, 20_000), dice.randrange(4)):
            outcome = dice.choice(("CONTACTED", "NOT_REACHED", "PROMISED", "PAID", "FALSE_ALARM"))
            reports.append(sample_records.feedback(one, at + timedelta(minutes=minutes), outcome))
    return alerts, reports


def measures_of_models(dice: random.Random) -> Values:
    """Weekly measures by role, horizon and group; they come in any order."""
    found: Values = []
    for week in range(6):
        end = sample_records.START - timedelta(weeks=6 - week)
        for role in ("CHAMPION", "CHALLENGER"):
            for horizon, group in ((30, None), (90, None), (30, "urban")):
                if dice.random() < 0.8:
                    found.append({
                        "model_id": "lhi", "model_version": f"m{week}", "role": role, "event_time": end,
                        "horizon_days": horizon, "window_start": end - timedelta(weeks=4), "window_end": end,
                        "audited_group": group, "examples": dice.randrange(1000), "positives": 3, "auc": dice.random(),
                    })  # fmt: skip
    return found


class Made:
    """The records, and the warehouse that holds them."""

    def __init__(self, warehouse: EmbeddedWarehouse) -> None:
        dice = random.Random(SEED)
        self.warehouse = warehouse
        self.scorings = scorings(dice)
        self.events = borrowers_with_loans(dice)
        self.alerts, self.reports = alerts_with_feedback(dice)
        self.measures = measures_of_models(dice)
        maker = RowMaker(LocalRegistry())
        for topic, values in (
            (sample_records.SNAPSHOTS, self.scorings), (sample_records.REPAYMENTS, self.events),
            (sample_records.FEEDBACK, self.reports), (sample_records.ALERTS, self.alerts),
            (MODEL_HEALTH, self.measures),
        ):  # fmt: skip
            sent = values + dice.sample(values, len(values) // 5)
            dice.shuffle(sent)
            records = sample_records.records(topic, sent)
            for start in range(0, len(records), 37):
                rows = maker.rows(topic, records[start : start + 37])
                assert rows.refused is None
                warehouse.insert(rows.table, rows.rows)

    def ask(self, statement: str) -> set[tuple[Any, ...]]:
        rows = [tuple(row.values()) for row in self.warehouse.query(statement).to_pylist()]
        assert len(set(rows)) == len(rows)
        return set(rows)

    def latest(self, known_by: datetime | None = None) -> Values:
        """The last known scoring of every event time, in their order."""
        found: dict[tuple[str, datetime], dict[str, Any]] = {}
        for value in sorted(self.scorings, key=lambda value: value["known_at"]):
            if known_by is None or value["known_at"] <= known_by:
                found[value["borrower_id"], value["event_time"]] = value
        return sorted(found.values(), key=lambda value: value["event_time"])

    def instalments(self) -> dict[tuple[str, str, date], list[tuple[datetime, Decimal]]]:
        found: dict[Any, Any] = {}
        for value in self.events:
            key = value["borrower_id"], value["loan_id"], value.get("due_date")
            if value["kind"] == "INSTALMENT_DUE":
                found.setdefault(key, [])
        for value in self.events:
            if value["kind"] == "PAID":
                found[value["borrower_id"], value["loan_id"], value["due_date"]].append(
                    (value["event_time"], value["amount"])
                )
        return found

    def segments(self) -> dict[tuple[str, str], set[tuple[str, str]]]:
        """Region and product of the open loans, as last told, by lender and borrower."""
        told: dict[Any, dict[str, str]] = defaultdict(dict)
        ended = set()
        for value in sorted(self.events, key=lambda value: value["event_time"]):
            key = value["lender_id"], value["borrower_id"], value["loan_id"]
            told[key] |= {name: value[name] for name in ("region", "product") if name in value}
            if value["kind"] in ("SETTLED", "WRITTEN_OFF"):
                ended.add(key)
        found: dict[tuple[str, str], set[tuple[str, str]]] = defaultdict(set)
        for key, said in told.items():
            if key not in ended:
                found[key[:2]].add((said["region"], said["product"]))
        return found

    @property
    def clock(self) -> date:
        return max(value["event_time"] for value in self.scorings).date()

    def defaults(self) -> dict[tuple[str, str], date]:
        found: dict[tuple[str, str], date] = {}
        for (borrower, number, due), payments in self.instalments().items():
            limit = due + timedelta(days=30)
            in_time = sum(amount for at, amount in payments if at.date() <= limit) >= 100
            if not in_time and limit <= self.clock:
                found[borrower, number] = min(limit, found.get((borrower, number), limit))
        return found


PERIODS = {
    "minute": lambda at: at.replace(second=0, microsecond=0),
    "hour": lambda at: at.replace(minute=0, second=0, microsecond=0),
    "day": lambda at: at.date(),
}


def last_of(values: Values, period: Any) -> dict[tuple[str, Any], dict[str, Any]]:
    return {(value["borrower_id"], period(value["event_time"])): value for value in values}


def moves(scorings: Values) -> Counter[tuple[date, str, str, str]]:
    """Count borrowers by day, lender, level before the day's first scoring and level after its last, as last known.

    To a lender those scorings count at which it had an open loan.
    """
    days: dict[Any, Values] = defaultdict(list)
    for value in scorings:
        for lender in value["lender_ids"]:
            days[value["event_time"].date(), lender, value["borrower_id"]].append(value)
    found: Counter[tuple[date, str, str, str]] = Counter()
    for (day, lender, _), values in days.items():
        first = min(values, key=lambda value: (value["event_time"], sample_records.START - value["known_at"]))
        last = max(values, key=lambda value: (value["event_time"], value["known_at"]))
        found[day, lender, first["previous_level"], last["level"]] += 1
    return found


def months(first: date, last: date) -> int:
    """Calendar months from one day to another."""
    return (last.year - first.year) * 12 + last.month - first.month
