"""Whether each kind of life event is seen, beside how often an alert comes by chance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from loanpulse.evaluation.alarms import Period
from loanpulse.evaluation.outcomes import DelinquencySpell, Hardship
from loanpulse.evaluation.panel import Flags

AFTER_DAYS = 30
"""A life event still counts as seen so many days after its end, since pay and bills come by the month."""


@dataclass(frozen=True, slots=True)
class Seen:
    """One kind of life event: how many, the share seen, and the days from its beginning to the first alert.

    ``by_chance`` is the share of spells as long, of borrowers without any life event then, in which an alert began.
    ``failed`` of them ended in a default; ``failed_seen`` of those were seen before the first missed due date.
    """

    kind: str
    count: int
    seen: float
    by_chance: float
    days_to_alert: float
    failed: int
    failed_seen: int


def seen_by_kind(
    begun: Flags, hardships: Sequence[Hardship], defaults: Sequence[DelinquencySpell], period: Period
) -> list[Seen]:
    """Return for each kind, in the order of its name, how its life events show in alerts that begin (by day)."""
    troubled = np.zeros(begun.shape, np.bool_)
    for hardship in hardships:
        troubled[hardship.borrower, max(0, hardship.starts) : hardship.ends + AFTER_DAYS] = True
    judged = [one for one in hardships if period.first <= one.starts and one.starts + AFTER_DAYS < begun.shape[1]]
    return [
        _seen(kind, [one for one in judged if one.kind == kind], begun, troubled, defaults)
        for kind in sorted({one.kind for one in judged})
    ]


def _seen(
    kind: str, hardships: Sequence[Hardship], begun: Flags, troubled: Flags, defaults: Sequence[DelinquencySpell]
) -> Seen:
    firsts, chances = [], []
    failed, failed_seen = 0, 0
    for one in hardships:
        span = slice(one.starts, one.ends + AFTER_DAYS)
        days = np.flatnonzero(begun[one.borrower, span])
        if len(days):
            firsts.append(int(days[0]))
        quiet = ~troubled[:, span].any(axis=1)
        if quiet.any():
            chances.append(float(begun[quiet, span].any(axis=1).mean()))
        end = one.ends + AFTER_DAYS
        missed = [f.missed for f in defaults if f.borrower == one.borrower and one.starts <= f.missed < end]
        if missed:
            failed += 1
            failed_seen += bool(len(days) and one.starts + int(days[0]) < min(missed))
    return Seen(
        kind,
        len(hardships),
        len(firsts) / len(hardships),
        float(np.mean(chances)) if chances else float("nan"),
        float(np.median(firsts)) if firsts else float("nan"),
        failed,
        failed_seen,
    )
