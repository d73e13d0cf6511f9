"""The views agree with a recomputation from the raw records after duplicates, restatements and late data.

Records come shuffled, some twice, some restated; the recomputation here is in plain Python over the records themselves.
"""

import random
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from loanpulse.schemas.registry import LocalRegistry
from loanpulse.sinks.embedded import EmbeddedWarehouse
from loanpulse.sinks.migrate import migrate
from loanpulse.sinks.rows import RowMaker
from tests.sinks import made_records as made

pytestmark = pytest.mark.integration

SEED = 7
LEVELS = ("AMPLE", "STABLE", "WATCH", "TENSE", "CRISIS")
Values = list[dict[str, Any]]


def scorings(dice: random.Random) -> Values:
    """Scorings of a dozen borrowers over a week; one in five is restated later, some of those twice."""
    found: Values = []
    for number in range(12):
        level = "UNKNOWN"
        at = made.START + timedelta(minutes=dice.randrange(600))
        while at < made.START + timedelta(days=7):
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
    return made.snapshot(
        borrower, at, known_at=known, previous_level=before, level=level, lender_ids=sorted(lenders),
        lhi=float(dice.randrange(100)), days_past_due=dice.choice((0, 0, 5, 20, 45, 70, 120)),
        overdue_amount=Decimal(dice.randrange(1000)), open_loans=len(lenders),
    )  # fmt: skip


def borrowers_with_loans(dice: random.Random) -> Values:
    found: Values = []
    for number in range(12):
        late = [dice.choice((None, 0, 0, 3, 12, 40)) for _ in range(5)]
        found += made.loan(f"b-{number}", f"loan-{number}", made.START - timedelta(days=170 - number * 5), 5, late)
    return found


def alerts_with_feedback(dice: random.Random) -> tuple[Values, Values]:
    alerts, reports = [], []
    for number in range(60):
        at = made.START - timedelta(days=dice.randrange(1, 120), hours=dice.randrange(24))
        kind = dice.choice(("LEVEL_WORSENED", "INCOME_SHOCK", "CASH_DRAIN"))
        one = made.alert(f"b-{number % 12}", at, kind=kind, disposition=dice.choice(("SENT", "SENT", "DEFERRED")))
        alerts.append(one)
        for hours in dice.sample(range(1, 300), dice.randrange(4)):
            outcome = dice.choice(("CONTACTED", "NOT_REACHED", "PROMISED", "PAID", "FALSE_ALARM"))
            reports.append(made.feedback(one, at + timedelta(hours=hours), outcome))
    return alerts, reports


class Made:
    """The records, and the warehouse that holds them."""

    def __init__(self, warehouse: EmbeddedWarehouse) -> None:
        dice = random.Random(SEED)
        self.warehouse = warehouse
        self.scorings = scorings(dice)
        self.events = borrowers_with_loans(dice)
        self.alerts, self.reports = alerts_with_feedback(dice)
        maker = RowMaker(LocalRegistry())
        for topic, values in (
            (made.SNAPSHOTS, self.scorings), (made.REPAYMENTS, self.events), (made.FEEDBACK, self.reports),
            (made.ALERTS, self.alerts),
        ):  # fmt: skip
            sent = values + dice.sample(values, len(values) // 5)
            dice.shuffle(sent)
            records = made.records(topic, sent)
            for start in range(0, len(records), 37):
                rows = maker.rows(topic, records[start : start + 37])
                assert rows.refused is None
                warehouse.insert(rows.table, rows.rows)

    def ask(self, statement: str) -> set[tuple[Any, ...]]:
        rows = [tuple(row.values()) for row in self.warehouse.query(statement).to_pylist()]
        assert len(set(rows)) == len(rows)
        return set(rows)

    def standing(self, known_by: datetime | None = None) -> Values:
        """Of every scored moment what was known last, in order of time."""
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


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Made]:
    warehouse = EmbeddedWarehouse(tmp_path_factory.mktemp("aggregates"), "loanpulse")
    migrate(warehouse)
    yield Made(warehouse)
    warehouse.close()


def last_of(values: Values, period: Any) -> dict[tuple[str, Any], dict[str, Any]]:
    return {(value["borrower_id"], period(value["event_time"])): value for value in values}


def portfolio(values: Any) -> set[tuple[Any, ...]]:
    """Return (period, lender, level, borrowers, past due, overdue) of the last scorings by borrower and period."""
    groups: dict[Any, list[Any]] = defaultdict(list)
    for (_, period), value in values.items():
        for lender in value["lender_ids"]:
            groups[period, lender, value["level"]].append(value)
    return {
        (*key, len(of), sum(v["days_past_due"] > 0 for v in of), sum(v["overdue_amount"] for v in of))
        for key, of in groups.items()
    }


PERIODS = {
    "minute": lambda at: at.replace(second=0, microsecond=0),
    "hour": lambda at: at.replace(minute=0, second=0, microsecond=0),
    "day": lambda at: at.date(),
}


@pytest.mark.parametrize("period", PERIODS)
def test_portfolio_by_period(filled: Made, period: str) -> None:
    found = filled.ask(
        f"SELECT {period}, lender_id, level, borrowers, borrowers_past_due, overdue_amount FROM portfolio_by_{period}"
    )
    assert found == portfolio(last_of(filled.standing(), PERIODS[period]))
    assert len(found) > 50


def test_portfolio_now(filled: Made) -> None:
    found = filled.ask(
        "SELECT 'now', lender_id, level, borrowers, borrowers_past_due, overdue_amount FROM portfolio_now"
    )
    assert found == portfolio(last_of(filled.standing(), lambda _: "now"))


def test_the_portfolio_as_it_was_believed(filled: Made) -> None:
    for days in range(9):
        as_of = (made.START + timedelta(days=days)).date()
        midnight = made.START + timedelta(days=days + 1) - timedelta(milliseconds=1)
        found = filled.ask(
            "SELECT 'now', lender_id, level, borrowers, borrowers_past_due, overdue_amount "
            f"FROM portfolio_as_believed(as_of = '{as_of}')"
        )
        assert found == portfolio(last_of(filled.standing(midnight), lambda _: "now")), as_of


def test_what_we_knew(filled: Made) -> None:
    changed = 0
    for hours in range(5, 200, 13):
        moment = made.START + timedelta(hours=hours)
        found = filled.ask(
            f"SELECT borrower_id, scored_at, level FROM what_we_knew(as_of = '{moment:%Y-%m-%d %H:%M:%S}')"
        )
        then = last_of(filled.standing(moment), lambda _: "now").values()
        assert found == {(value["borrower_id"], value["event_time"], value["level"]) for value in then}
        now = last_of([v for v in filled.standing() if v["event_time"] <= moment], lambda _: "now").values()
        changed += len({value["snapshot_id"] for value in now} - {value["snapshot_id"] for value in then})
    assert changed > 5, "restatements made no difference, so this proves nothing"


def test_level_changes_and_roll_rates(filled: Made) -> None:
    standing = filled.standing()
    changes = [v for v in standing if v["level"] != v["previous_level"]]
    wanted = Counter(
        (v["event_time"].date(), lender, v["previous_level"], v["level"])
        for v in changes if v["previous_level"] != "UNKNOWN" for lender in v["lender_ids"]
    )  # fmt: skip
    found = filled.ask("SELECT day, lender_id, level_from, level_to, changes FROM level_changes_daily")
    assert found == {(*key, count) for key, count in wanted.items()}

    opening = last_of(changes[::-1], PERIODS["day"])
    matrix: Counter[Any] = Counter()
    for (borrower, day), value in last_of(standing, PERIODS["day"]).items():
        before = opening.get((borrower, day), {"previous_level": value["level"]})["previous_level"]
        matrix.update((day, lender, before, value["level"]) for lender in value["lender_ids"])
    found = filled.ask("SELECT day, lender_id, level_from, level_to, borrowers FROM roll_rates_daily")
    assert found == {(*key, count) for key, count in matrix.items()}
    shares = filled.ask(
        "SELECT day, lender_id, level_from, round(sum(share), 2) FROM roll_rates_daily GROUP BY 1, 2, 3"
    )
    assert {row[3] for row in shares} == {1.0}


def test_buckets_co_debt_and_segments(filled: Made) -> None:
    now = list(last_of(filled.standing(), lambda _: "now").values())

    def bucket(days: int) -> str:
        bounds = ((0, "0"), (7, "1-7"), (29, "8-29"), (59, "30-59"), (89, "60-89"))
        return next((name for bound, name in bounds if days <= bound), "90+")

    wanted = Counter((lender, bucket(v["days_past_due"])) for v in now for lender in v["lender_ids"])
    found = filled.ask("SELECT lender_id, bucket, borrowers FROM dpd_buckets_now")
    assert found == {(*key, count) for key, count in wanted.items()}
    found = filled.ask("SELECT active_lenders, borrowers FROM co_debt_now")
    assert found == set(Counter(len(v["lender_ids"]) for v in now).items())
    in_segments = Counter(v["level"] for v in now if "lender-a" in v["lender_ids"])
    found = filled.ask("SELECT region, product, level, borrowers FROM segments_now WHERE lender_id = 'lender-a'")
    assert found == {("500103", "CASH_LOAN", level, count) for level, count in in_segments.items()}


def test_instalments_defaults_and_vintages(filled: Made) -> None:
    wanted = {
        (borrower, number, due, sum(amount for _, amount in payments) or Decimal(0),
         sorted(payments)[1][0] if payments else None)
        for (borrower, number, due), payments in filled.instalments().items()
    }  # fmt: skip
    assert filled.ask("SELECT borrower_id, loan_id, due_date, paid, paid_up_at FROM instalments") == wanted
    defaults = filled.defaults()
    assert filled.ask("SELECT borrower_id, loan_id, defaulted_on FROM defaults") == {
        (*key, day) for key, day in defaults.items()
    }
    assert 2 < len(defaults) < 12
    paid_out = {v["loan_id"]: v["event_time"].date() for v in filled.events if v["kind"] == "DISBURSED"}
    curves = set()
    for vintage in {day.replace(day=1) for day in paid_out.values()}:
        loans = {number for number, day in paid_out.items() if day.replace(day=1) == vintage}
        for month in range(months(vintage, filled.clock) + 1):
            bad = sum(number in loans and months(vintage, day) <= month for (_, number), day in defaults.items())
            curves.add((vintage, month, len(loans), bad))
    assert filled.ask("SELECT vintage, months_on_book, loans, loans_defaulted FROM vintage_curves") == curves


def months(first: date, last: date) -> int:
    return (last.year - first.year) * 12 + last.month - first.month


def test_alert_precision(filled: Made) -> None:
    defaults: dict[str, list[date]] = defaultdict(list)
    for (borrower, _), day in filled.defaults().items():
        defaults[borrower].append(day)
    rows: dict[Any, list[Any]] = defaultdict(list)
    for one in filled.alerts:
        if one["disposition"] != "SENT":
            continue
        day = one["event_time"].date()
        later = sorted(other for other in defaults[one["borrower_id"]] if other > day)
        is_true = bool(later) and later[0] <= day + timedelta(days=60)
        matured = is_true or day + timedelta(days=60) <= filled.clock
        reports = sorted(
            (r for r in filled.reports if r["alert_id"] == one["alert_id"]), key=lambda report: report["event_time"]
        )
        last = reports[-1]["outcome"] if reports else ""
        key = day - timedelta(days=day.weekday()), one["kind"]
        rows[key].append((matured, is_true, last not in ("", "NOT_REACHED"), last == "FALSE_ALARM"))
    wanted = {(*key, len(of), *(sum(row[n] for row in of) for n in range(3))) for key, of in rows.items()}
    found = filled.ask("SELECT week, kind, episodes, matured, came_true, reported FROM alert_precision_weekly")
    assert found == wanted
    assert sum(row[4] for row in found) > 0


def test_time_to_first_contact(filled: Made) -> None:
    contacts = ("CONTACTED", "PROMISED", "DEFERRED", "RESTRUCTURED", "PAID")
    wanted = set()
    for one in filled.alerts:
        times = [
            r["event_time"] for r in filled.reports if r["alert_id"] == one["alert_id"] and r["outcome"] in contacts
        ]
        hours = (min(times) - one["event_time"]).total_seconds() / 3600 if times else None
        wanted.add((one["episode_id"], hours))
    assert filled.ask("SELECT episode_id, hours_to_first_contact FROM alert_episodes") == wanted
