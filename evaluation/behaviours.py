"""How often each behaviour is found, and how often rightly: in trouble that the truth knows of."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from loanpulse.evaluation.alarms import AHEAD_DAYS, Period
from loanpulse.evaluation.hardships import AFTER_DAYS
from loanpulse.evaluation.outcomes import Outcomes, are_ahead
from loanpulse.evaluation.panel import Flags, Panel
from loanpulse.schemas.units import DAY_MS
from loanpulse.streams.alerts.snapshots import BEHAVIOURS

YEAR_DAYS = 365.0


@dataclass(frozen=True, slots=True)
class Found:
    """One behaviour: how often it was found, per borrower and year, and the share of that within trouble.

    ``quiet_a_year`` is how often it is found in a year of a borrower without trouble.
    """

    kind: str
    count: int
    a_year: float
    in_trouble: float
    quiet_a_year: float


def in_trouble(outcomes: Outcomes) -> Flags:
    """Tell where a life event goes on (or ended within 30 days), or an instalment is missed within 90 days."""
    table = are_ahead(outcomes.misses, outcomes.borrowers, outcomes.days, AHEAD_DAYS) | outcomes.behind()
    for hardship in outcomes.hardships:
        table[hardship.borrower, max(0, hardship.starts) : max(0, hardship.ends) + AFTER_DAYS] = True
    return table


def found_by_kind(panel: Panel, outcomes: Outcomes, period: Period) -> tuple[list[Found], float]:
    """Return each behaviour's figures within the period, and the share of the borrowers' days that are in trouble."""
    trouble = in_trouble(outcomes)
    judged = np.zeros_like(trouble)
    judged[:, period.first : period.end] = panel.observed[:, period.first : period.end]
    days, quiet_days = int(judged.sum()), int((judged & ~trouble).sum())
    place = panel.openings["time"] // DAY_MS - panel.first_day
    inside = judged[panel.openings["borrower"], place]
    openings, place = panel.openings[inside], place[inside]
    rightly = trouble[openings["borrower"], place]
    found = []
    for bit, kind in enumerate(BEHAVIOURS):
        opened = (openings["opened"] >> bit) & 1 == 1
        count, right = int(opened.sum()), int((opened & rightly).sum())
        found.append(
            Found(
                kind,
                count,
                count / days * YEAR_DAYS if days else float("nan"),
                right / count if count else float("nan"),
                (count - right) / quiet_days * YEAR_DAYS if quiet_days else float("nan"),
            )
        )
    return found, float(trouble[judged].mean()) if days else float("nan")
