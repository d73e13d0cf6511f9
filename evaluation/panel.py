"""What the engine said of every borrower at the end of every day, as arrays that can be scored."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from loanpulse.schemas.contracts import Level
from loanpulse.schemas.units import DAY_MS
from loanpulse.streams.alerts.scored import Scored
from loanpulse.streams.indicators.catalogue import COUNT

Reals = npt.NDArray[np.float32]
Integers = npt.NDArray[np.int32]
Flags = npt.NDArray[np.bool_]

CHANGE = np.dtype([("borrower", "i4"), ("time", "i8"), ("before", "i1"), ("after", "i1")])
"""A change of level at ``time`` (ms)."""
OPENING = np.dtype([("borrower", "i4"), ("time", "i8"), ("opened", "u4")])
"""Behaviours whose episode a scoring at ``time`` (ms) opened, as bits."""

DAILY = np.dtype(
    [
        ("level", "i1"),
        ("days_past_due", "i2"),
        ("open_loans", "i2"),
        ("pd", "f4"),
        ("lhi", "f4"),
        ("confidence", "f4"),
        ("value", "f4", (COUNT,)),
        ("evidence", "f4", (COUNT,)),
        ("points", "f4", (COUNT,)),
        ("shortfall_days", "f4", (3,)),
    ]
)
"""What is kept of a day's last scoring; the fields are those of a scoring."""


@dataclass(frozen=True, slots=True)
class Panel:
    """Borrowers by days: ``daily`` is the last scoring known at the end of each day (UTC).

    ``known`` tells where there is one. ``first_day`` is the number of the first day since 1970-01-01. ``changes``
    are the changes of level and ``openings`` the behaviours found, both in each borrower's order of time; a
    borrower's first scoring is no change.
    """

    borrowers: tuple[str, ...]
    first_day: int
    daily: npt.NDArray[np.void]
    known: Flags
    changes: npt.NDArray[np.void]
    openings: npt.NDArray[np.void]

    @property
    def days(self) -> int:
        """How many days there are."""
        return int(self.known.shape[1])

    @property
    def observed(self) -> Flags:
        """Where a borrower owes something and has been scored, so that an alarm can be meant."""
        found: Flags = self.known & (self.daily["open_loans"] > 0)
        return found


@dataclass(slots=True)
class PanelBuilder:
    """Takes scorings as the engine gives them and keeps what the evaluation needs."""

    borrowers: Sequence[str]
    first_day: int
    days: int
    _place: dict[bytes, int] = field(init=False)
    _daily: npt.NDArray[np.void] = field(init=False)
    _known: Flags = field(init=False)
    _changes: list[npt.NDArray[np.void]] = field(default_factory=list)
    _openings: list[npt.NDArray[np.void]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._place = {borrower.encode(): place for place, borrower in enumerate(self.borrowers)}
        self._daily = np.zeros((len(self.borrowers), self.days), DAILY)
        self._known = np.zeros((len(self.borrowers), self.days), np.bool_)

    def add(self, scored: Scored) -> None:
        """Keep what one run of the engine scored; restatements of an earlier time are no news and are left out."""
        fresh = scored.scores["restated"] == 0
        scores, keys = scored.scores[fresh], scored.keys[fresh]
        if not len(scores):
            return
        borrowers = np.fromiter((self._place[key] for key in keys.tolist()), np.int32, len(keys))
        days = scores["time"] // DAY_MS - self.first_day
        within = (days >= 0) & (days < self.days)
        scores, borrowers, days = scores[within], borrowers[within], days[within]
        for name in DAILY.names or ():
            # In each borrower's order of time, so that of a day the last one stays.
            self._daily[name][borrowers, days] = scores[name]
        self._known[borrowers, days] = True
        moved = (scores["previous_level"] != int(Level.UNKNOWN)) & (scores["level"] != scores["previous_level"])
        changes = np.zeros(int(moved.sum()), CHANGE)
        changes["borrower"], changes["time"] = borrowers[moved], scores["time"][moved]
        changes["before"], changes["after"] = scores["previous_level"][moved], scores["level"][moved]
        self._changes.append(changes)
        opened = scores["opened"] != 0
        openings = np.zeros(int(opened.sum()), OPENING)
        openings["borrower"], openings["time"] = borrowers[opened], scores["time"][opened]
        openings["opened"] = scores["opened"][opened]
        self._openings.append(openings)

    def panel(self) -> Panel:
        """Return what was kept, each day without a scoring filled from the last one before it."""
        days = np.where(self._known, np.arange(self.days), -1)
        last = np.maximum.accumulate(days, axis=1)
        filled = self._daily[np.arange(len(self.borrowers))[:, np.newaxis], np.maximum(last, 0)]
        return Panel(
            tuple(self.borrowers),
            self.first_day,
            filled,
            last >= 0,
            np.concatenate(self._changes) if self._changes else np.zeros(0, CHANGE),
            np.concatenate(self._openings) if self._openings else np.zeros(0, OPENING),
        )
