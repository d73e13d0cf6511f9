"""The views of alerts, their outcomes and the models agree with a recomputation from the raw records."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from tests.support.sample_portfolio import Made

pytestmark = pytest.mark.integration

CONTACTS = ("CONTACTED", "PROMISED", "DEFERRED", "RESTRUCTURED", "PAID")
HORIZON = timedelta(days=60)


def test_alerts_by_day(filled: Made) -> None:
    groups: dict[Any, list[str]] = defaultdict(list)
    for one in filled.alerts:
        key = one["event_time"].date(), one["lender_id"], one["kind"], one["level_to"], one["disposition"]
        groups[key].append(one["borrower_id"])
    found = filled.ask("SELECT day, lender_id, kind, level_to, disposition, alerts, borrowers FROM alerts_daily")
    assert found == {(*key, len(of), len(set(of))) for key, of in groups.items()}


def test_surges_of_credit_by_day(filled: Made) -> None:
    groups: dict[Any, list[Any]] = defaultdict(list)
    for one in filled.alerts:
        if one["kind"] == "MULTI_LENDER_SURGE":
            groups[one["event_time"].date(), one["lender_id"]].append(one)
    found = filled.ask("SELECT day, lender_id, borrowers, average_lhi FROM co_debt_surges_daily")
    assert {row[:3] for row in found} == {(*key, len({v["borrower_id"] for v in of})) for key, of in groups.items()}
    for day, lender, _, average in found:
        of = groups[day, lender]
        assert average == pytest.approx(sum(v["lhi"] for v in of) / len(of), abs=0.006)
    assert len(found) > 5


def hours(first: datetime, last: datetime) -> float:
    return (last - first).total_seconds() / 3600


def outcomes(filled: Made) -> list[dict[str, Any]]:
    """What became of each episode: truth by instalments, reports, first contact, and cure."""
    defaults: dict[Any, list[date]] = defaultdict(list)
    for (borrower, _), day in filled.defaults().items():
        defaults["lender-a", borrower].append(day)
    found = []
    for one in filled.alerts:
        at, whose = one["event_time"], (one["lender_id"], one["borrower_id"])
        reports = sorted((r for r in filled.reports if r["alert_id"] == one["alert_id"]), key=lambda r: r["event_time"])
        later = sorted(day for day in defaults[whose] if day > at.date())
        is_true = bool(later) and later[0] <= at.date() + HORIZON
        cures = [r["event_time"] for r in reports if r["outcome"] == "PAID"] + [
            other["event_time"] for other in filled.alerts
            if other["kind"] == "LEVEL_IMPROVED" and other["level_to"] in ("AMPLE", "STABLE")
            and (other["lender_id"], other["borrower_id"]) == whose and other["event_time"] > at
        ]  # fmt: skip
        contacts = [r["event_time"] for r in reports if r["outcome"] in CONTACTS]
        last = reports[-1]["outcome"] if reports else ""
        found.append({
            "alert": one, "is_true": is_true, "matured": is_true or at.date() + HORIZON <= filled.clock,
            "reported": last not in ("", "NOT_REACHED"), "false_alarm": last == "FALSE_ALARM",
            "lead": (later[0] - at.date()).days if is_true else None,
            "contact": hours(at, min(contacts)) if contacts else None,
            "cure": hours(at, min(cures)) / 24 if cures else None,
        })  # fmt: skip
    return found


def told(value: float | None) -> Any:
    """What a view may say for a number that it rounds to one decimal."""
    return None if value is None else pytest.approx(value, abs=0.0501)


def median(values: Iterable[float | None]) -> Any:
    """The middle one, the later of two, as a view may say it."""
    known = sorted(value for value in values if value is not None)
    return told(known[len(known) // 2]) if known else None


def test_precision_lead_contact_and_cure_by_week(filled: Made) -> None:
    groups: dict[Any, list[dict[str, Any]]] = defaultdict(list)
    for one in outcomes(filled):
        alert = one["alert"]
        if alert["disposition"] == "SENT" and alert["kind"] != "LEVEL_IMPROVED":
            day = alert["event_time"].date()
            groups[day - timedelta(days=day.weekday()), alert["lender_id"], alert["kind"]].append(one)
    rows = filled.warehouse.query("SELECT * FROM alert_precision_weekly").to_pylist()
    assert {(row["week"], row["lender_id"], row["kind"]) for row in rows} == groups.keys()
    assert len(rows) == len(groups)
    for row in rows:
        of = groups[row["week"], row["lender_id"], row["kind"]]
        true, matured, reported = (sum(one[name] for one in of) for name in ("is_true", "matured", "reported"))
        false = sum(one["false_alarm"] for one in of)
        assert row == {
            "week": row["week"], "lender_id": row["lender_id"], "kind": row["kind"], "episodes": len(of),
            "matured": matured, "came_true": true, "reported": reported,
            "precision": pytest.approx(true / matured, abs=0.0001) if matured else None,
            "precision_reported": pytest.approx(1 - false / reported, abs=0.0001) if reported else None,
            "median_lead_time_days": median(one["lead"] for one in of),
            "median_hours_to_first_contact": median(one["contact"] for one in of),
            "median_days_to_cure": median(one["cure"] for one in of),
        }  # fmt: skip
    for name in ("median_lead_time_days", "median_hours_to_first_contact", "median_days_to_cure"):
        assert sum(row[name] is not None for row in rows) > 5, name


def test_time_to_first_contact_and_to_cure_by_episode(filled: Made) -> None:
    wanted = {one["alert"]["episode_id"]: told(one["contact"]) for one in outcomes(filled)}
    assert dict(filled.ask("SELECT episode_id, hours_to_first_contact FROM alert_episodes")) == wanted
    cures = {
        one["alert"]["episode_id"]: (told(one["cure"]), one["lead"])
        for one in outcomes(filled) if one["alert"]["kind"] != "LEVEL_IMPROVED"
    }  # fmt: skip
    found = filled.ask("SELECT episode_id, days_to_cure, lead_time_days FROM alert_outcomes")
    assert {episode: (cure, lead) for episode, cure, lead in found} == cures


def test_health_of_models(filled: Made) -> None:
    def measure(value: dict[str, Any]) -> tuple[Any, ...]:
        return (
            value["role"], value["horizon_days"], value["audited_group"] or "", value["model_version"],
            value["event_time"], value["examples"], value["auc"],
        )  # fmt: skip

    columns = "role, horizon_days, audited_group, model_version, event_time, examples, auc"
    assert filled.ask(f"SELECT {columns} FROM model_health_history") == {measure(value) for value in filled.measures}
    newest = {
        measure(value)[:3]: measure(value) for value in sorted(filled.measures, key=lambda value: value["event_time"])
    }
    assert filled.ask(f"SELECT {columns} FROM model_health_now") == set(newest.values())
    assert len(newest) == 6
