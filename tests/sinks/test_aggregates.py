"""The views of the portfolio agree with a recomputation from records that come twice, restated and late."""

from collections import Counter, defaultdict
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from tests.support import sample_records
from tests.support.sample_portfolio import PERIODS, Made, last_of, months, moves

pytestmark = pytest.mark.integration


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


@pytest.mark.parametrize("period", PERIODS)
def test_portfolio_by_period(filled: Made, period: str) -> None:
    found = filled.ask(
        f"SELECT {period}, lender_id, level, borrowers, borrowers_past_due, overdue_amount FROM portfolio_by_{period}"
    )
    assert found == portfolio(last_of(filled.latest(), PERIODS[period]))
    assert len(found) > 50


def test_portfolio_now(filled: Made) -> None:
    found = filled.ask(
        "SELECT 'now', lender_id, level, borrowers, borrowers_past_due, overdue_amount FROM portfolio_now"
    )
    assert found == portfolio(last_of(filled.latest(), lambda _: "now"))


def test_the_portfolio_as_known_then(filled: Made) -> None:
    for days in range(9):
        as_of = (sample_records.START + timedelta(days=days)).date()
        midnight = sample_records.START + timedelta(days=days + 1) - timedelta(milliseconds=1)
        found = filled.ask(
            "SELECT 'now', lender_id, level, borrowers, borrowers_past_due, overdue_amount "
            f"FROM portfolio_as_believed(as_of = '{as_of}')"
        )
        assert found == portfolio(last_of(filled.latest(midnight), lambda _: "now")), as_of


def test_what_we_knew(filled: Made) -> None:
    changed = 0
    for hours in range(5, 200, 13):
        instant = sample_records.START + timedelta(hours=hours)
        found = filled.ask(
            f"SELECT borrower_id, scored_at, level FROM what_we_knew(as_of = '{instant:%Y-%m-%d %H:%M:%S}')"
        )
        then = last_of(filled.latest(instant), lambda _: "now").values()
        assert found == {(value["borrower_id"], value["event_time"], value["level"]) for value in then}
        now = last_of([v for v in filled.latest() if v["event_time"] <= instant], lambda _: "now").values()
        changed += len({value["snapshot_id"] for value in now} - {value["snapshot_id"] for value in then})
    assert changed > 5, "restatements made no difference, so this proves nothing"


def test_level_changes(filled: Made) -> None:
    latest = filled.latest()
    changes = [v for v in latest if v["level"] != v["previous_level"]]
    wanted = Counter(
        (v["event_time"].date(), lender, v["previous_level"], v["level"])
        for v in changes if v["previous_level"] != "UNKNOWN" for lender in v["lender_ids"]
    )  # fmt: skip
    found = filled.ask("SELECT day, lender_id, level_from, level_to, changes FROM level_changes_daily")
    assert found == {(*key, count) for key, count in wanted.items()}


def test_roll_rates(filled: Made) -> None:
    matrix = moves(filled.scorings)
    found = filled.ask("SELECT day, lender_id, level_from, level_to, borrowers FROM roll_rates_daily")
    assert found == {(*key, count) for key, count in matrix.items()}
    assert len(found) > 100
    shares = filled.ask(
        "SELECT day, lender_id, level_from, round(sum(share), 2) FROM roll_rates_daily GROUP BY 1, 2, 3"
    )
    assert {row[3] for row in shares} == {1.0}


def bucket(days: int) -> str:
    bounds = ((0, "0"), (7, "1-7"), (29, "8-29"), (59, "30-59"), (89, "60-89"))
    return next((name for bound, name in bounds if days <= bound), "90+")


def test_buckets_of_days_past_due(filled: Made) -> None:
    now = last_of(filled.latest(), lambda _: "now").values()
    wanted = Counter((lender, bucket(v["days_past_due"])) for v in now for lender in v["lender_ids"])
    found = filled.ask("SELECT lender_id, bucket, borrowers FROM dpd_buckets_now")
    assert found == {(*key, count) for key, count in wanted.items()}

    groups: dict[Any, list[Any]] = defaultdict(list)
    for (_, day), value in last_of(filled.latest(), PERIODS["day"]).items():
        for lender in value["lender_ids"]:
            groups[day, lender, bucket(value["days_past_due"])].append(value["overdue_amount"])
    found = filled.ask("SELECT day, lender_id, bucket, borrowers, overdue_amount FROM dpd_buckets_daily")
    assert found == {(*key, len(amounts), sum(amounts)) for key, amounts in groups.items()}
    assert len({row[2] for row in found}) == 6


def test_co_debt(filled: Made) -> None:
    groups: dict[int, list[Any]] = defaultdict(list)
    for value in last_of(filled.latest(), lambda _: "now").values():
        groups[len(value["lender_ids"])].append(value)
    found = filled.ask("SELECT active_lenders, borrowers, average_lhi, share_tense_or_worse FROM co_debt_now")
    assert {row[:2] for row in found} == {(lenders, len(of)) for lenders, of in groups.items()}
    for lenders, _, average, share in found:
        of = groups[lenders]
        assert average == pytest.approx(sum(v["lhi"] for v in of) / len(of), abs=0.006)
        assert share == pytest.approx(sum(v["level"] in ("TENSE", "CRISIS") for v in of) / len(of), abs=0.0001)


def band(days: float | None) -> str:
    if days is None:
        return "unknown"
    bounds = ((8, "0-7"), (15, "8-14"), (31, "15-30"), (61, "31-60"), (90, "61-89"))
    return next((name for bound, name in bounds if days < bound), "90+")


def test_shortfall_bands(filled: Made) -> None:
    now = last_of(filled.latest(), lambda _: "now").values()
    wanted = Counter((lender, band(v["shortfall_days_p50"])) for v in now for lender in v["lender_ids"])
    found = filled.ask("SELECT lender_id, band, borrowers FROM shortfall_bands_now")
    assert found == {(*key, count) for key, count in wanted.items()}
    assert len({row[1] for row in found}) >= 4


def in_segments(filled: Made, values: Any) -> set[tuple[Any, ...]]:
    """Return (period, lender, region, product, level, borrowers, past due) of the last scorings by period."""
    segments = filled.segments()
    groups: dict[Any, list[Any]] = defaultdict(list)
    for (borrower, period), value in values.items():
        for lender in value["lender_ids"]:
            for segment in segments.get((lender, borrower), ()):
                groups[period, lender, *segment, value["level"]].append(value["days_past_due"] > 0)
    return {(*key, len(of), sum(of)) for key, of in groups.items()}


@pytest.mark.parametrize("period", PERIODS)
def test_segments_by_period(filled: Made, period: str) -> None:
    found = filled.ask(
        f"SELECT {period}, lender_id, region, product, level, borrowers, borrowers_past_due FROM segments_by_{period}"
    )
    assert found == in_segments(filled, last_of(filled.latest(), PERIODS[period]))
    assert {row[1] for row in found} == {"lender-a", "lender-b"}
    assert len({row[2:4] for row in found}) > 5


def test_segments_now(filled: Made) -> None:
    found = filled.ask(
        "SELECT 'now', lender_id, region, product, level, borrowers, borrowers_past_due FROM segments_now"
    )
    assert found == in_segments(filled, last_of(filled.latest(), lambda _: "now"))


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
    paid_out = {
        v["loan_id"]: v["event_time"].date()
        for v in filled.events
        if v["kind"] == "DISBURSED" and v["lender_id"] == "lender-a"
    }
    curves = set()
    for vintage in {day.replace(day=1) for day in paid_out.values()}:
        loans = {number for number, day in paid_out.items() if day.replace(day=1) == vintage}
        for month in range(months(vintage, filled.clock) + 1):
            bad = sum(number in loans and months(vintage, day) <= month for (_, number), day in defaults.items())
            curves.add((vintage, month, len(loans), bad))
    assert (
        filled.ask(
            "SELECT vintage, months_on_book, loans, loans_defaulted FROM vintage_curves WHERE lender_id = 'lender-a'"
        )
        == curves
    )
