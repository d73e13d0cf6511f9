"""Comparing two policies on the same log, against a truth that is known."""

from datetime import date
from typing import Any

from loanpulse.evaluation.policy_trial import Default, calls_to_act, compare, quality


def alert(number: int, day: int, borrower: str = "b", **changes: Any) -> dict[str, Any]:
    return {
        "alert_id": f"{number}", "event_time": f"2026-03-{day:02d}T10:00:00.000Z", "borrower_id": borrower,
        "kind": "LEVEL_WORSENED", "level_from": "WATCH", "level_to": "TENSE", "disposition": "SENT", "actions": [],
        **changes,
    }  # fmt: skip


def test_added_removed_kept_and_changed() -> None:
    base = [alert(1, 3), alert(2, 2), alert(3, 1)]
    new = [alert(3, 1, disposition="DEFERRED"), alert(2, 2), alert(5, 9), alert(4, 8)]
    found = compare(base, new)
    assert [one["alert_id"] for one in found.added] == ["4", "5"]
    assert [one["alert_id"] for one in found.removed] == ["1"]
    assert (found.kept, found.changed) == (2, 1)


def test_only_what_is_sent_and_grave_calls_to_act() -> None:
    assert calls_to_act(alert(1, 1))
    assert calls_to_act(alert(1, 1, kind="INSTALMENT_MISSED", level_to="AMPLE"))
    assert not calls_to_act(alert(1, 1, level_to="WATCH"))
    assert not calls_to_act(alert(1, 1, kind="LEVEL_IMPROVED"))
    assert not calls_to_act(alert(1, 1, disposition="DEFERRED"))


def test_precision_and_lead_time_against_the_truth() -> None:
    defaults = [
        Default("b", date(2026, 3, 20), date(2026, 4, 20)),
        Default("c", date(2026, 3, 5), date(2026, 4, 5)),
        Default("d", date(2026, 3, 25), date(2026, 4, 25)),
    ]
    # b is called twice before its first missed due date, c only after it, x never defaults, d is never called.
    alerts = [alert(1, 6), alert(2, 10), alert(3, 10, "c"), alert(4, 10, "x")]
    found = quality(alerts, defaults, horizon_days=60)
    assert (found.calls, found.right, found.defaults, found.seen) == (4, 3, 3, 1)
    assert found.precision == 0.75
    assert found.lead_days == (14.0, 14.0, 14.0)
    assert quality(alerts, defaults, horizon_days=30).right == 1
    assert quality([], defaults, 60).precision is None
