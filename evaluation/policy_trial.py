"""What another policy would have changed: alerts added and removed, and how good both are where the truth is known."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from statistics import quantiles
from typing import Any

from loanpulse.schemas import json_form
from loanpulse.schemas.contracts import AlertDisposition, AlertKind, Level

Alert = dict[str, Any]
"""An alert in its JSON form, as a replay writes it."""

CALLING_LEVELS = (Level.TENSE.name, Level.CRISIS.name)


@dataclass(frozen=True, slots=True)
class Default:
    """What the truth says: a borrower's instalment went 30 days past due on ``defaulted``, first missed before."""

    borrower_id: str
    first_missed: date
    defaulted: date


@dataclass(frozen=True, slots=True)
class Quality:
    """How good the calls to act are.

    A call is right if the borrower defaults within the horizon after it. A default is seen if a call came at or before
    its first missed due date, within the horizon; ``lead_days`` are the quartiles of how long before.
    """

    calls: int
    right: int
    defaults: int
    seen: int
    lead_days: tuple[float, float, float] | None

    @property
    def precision(self) -> float | None:
        """Share of the calls that are right; None without calls."""
        return self.right / self.calls if self.calls else None


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two policies over the same log. Alerts are the same if what they say of whom and when is the same."""

    added: list[Alert]
    removed: list[Alert]
    kept: int
    changed: int
    """Alerts of both that differ in what becomes of them, in advice or in level."""


def compare(base: Iterable[Alert], new: Iterable[Alert]) -> Comparison:
    """Return what ``new`` adds to and takes from ``base``, each in the order of event time."""
    before = {alert["alert_id"]: alert for alert in base}
    after = {alert["alert_id"]: alert for alert in new}
    both = before.keys() & after.keys()
    told = ("disposition", "actions", "level_from", "level_to")
    return Comparison(
        added=in_order(after[one] for one in after.keys() - both),
        removed=in_order(before[one] for one in before.keys() - both),
        kept=len(both),
        changed=sum(any(before[one][name] != after[one][name] for name in told) for one in both),
    )


def in_order(alerts: Iterable[Alert]) -> list[Alert]:
    """Return alerts by event time, then id."""
    return sorted(alerts, key=lambda alert: (alert["event_time"], alert["alert_id"]))


def calls_to_act(alert: Alert) -> bool:
    """Tell whether an alert asks a team to act now: TENSE or worse, or a behaviour, and sent."""
    if alert["disposition"] != AlertDisposition.SENT.name or alert["kind"] == AlertKind.LEVEL_IMPROVED.name:
        return False
    return alert["kind"] != AlertKind.LEVEL_WORSENED.name or alert["level_to"] in CALLING_LEVELS


def quality(alerts: Iterable[Alert], defaults: Sequence[Default], horizon_days: int) -> Quality:
    """Return how good the alerts are against the truth; ``horizon_days`` is how far ahead a call may look."""
    by_borrower: dict[str, list[Default]] = {}
    for default in defaults:
        by_borrower.setdefault(default.borrower_id, []).append(default)
    calls = right = 0
    leads: dict[Default, int] = {}
    for alert in alerts:
        if not calls_to_act(alert):
            continue
        day = json_form.parse_time(alert["event_time"]).date()
        own = by_borrower.get(alert["borrower_id"], [])
        calls += 1
        right += any(0 < (default.defaulted - day).days <= horizon_days for default in own)
        for default in own:
            lead = (default.first_missed - day).days
            if 0 <= lead <= horizon_days:
                leads[default] = max(lead, leads.get(default, 0))
    return Quality(calls, right, len(defaults), len(leads), _quartiles(sorted(leads.values())))


def _quartiles(days: list[int]) -> tuple[float, float, float] | None:
    if not days:
        return None
    if len(days) == 1:
        return (float(days[0]),) * 3
    low, middle, high = quantiles(days, n=4, method="inclusive")
    return low, middle, high
