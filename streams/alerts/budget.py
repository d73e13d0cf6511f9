"""How many alerts a lender's team can work in a day: which are sent now, which are kept for later.

An alert is sent if its priority (expected loss avoided) reaches the lender's operating threshold and the day's budget
is not used up; otherwise it is deferred, with its rank. The threshold moves each day a part of the way to the priority
that would just have filled the budget. Each partition works its own part of a budget, so that decisions don't depend
on the number of workers; the parts of a day add up to the budget exactly.
"""

from bisect import bisect_left, insort
from dataclasses import dataclass, field
from typing import Any

import orjson

BUDGETS_KEY = b"\x00budgets"
"""The key of a lane's ledger in the changelog."""
LEDGER_VERSION = 1
PRIORITIES_KEPT = 4096
"""Priorities of a day that ranks are told by; an alert under so many others has the rank after them."""


def quota(alerts_per_day: int, day: int, partition: int, partitions: int) -> int:
    """Return a partition's part of a day's budget; a small budget goes round, so that each partition has its turn."""
    place = (partition + day) % partitions
    return alerts_per_day * (place + 1) // partitions - alerts_per_day * place // partitions


@dataclass(frozen=True, slots=True)
class Decision:
    """What the budget says of an alert: whether it is sent, its rank in the day so far, the threshold it met."""

    sent: bool
    rank: int
    threshold: float


@dataclass(slots=True)
class LenderBudget:
    """One lender's day in one partition. ``best`` are the day's priorities, ascending; amounts in currency."""

    day: int = -1
    threshold: float = 0.0
    sent: int = 0
    best: list[float] = field(default_factory=list)

    def begin(self, day: int, share: float, adaptation: float) -> None:
        """Close the day that was, and begin ``day``; ``share`` is the partition's mean part of the budget."""
        if day <= self.day:
            return
        if self.day >= 0:
            place = max(1, round(share))
            filled = self.best[-place] if len(self.best) >= place else 0.0
            self.threshold += adaptation * (filled - self.threshold)
            # On days without an alert nothing would have filled the budget.
            self.threshold = round(self.threshold * (1.0 - adaptation) ** (day - self.day - 1), 2)
        self.day, self.sent, self.best = day, 0, []

    def decide(self, priority: float, allowed: int) -> Decision:
        """Count an alert in, and say whether it is sent."""
        rank = len(self.best) - bisect_left(self.best, priority) + 1
        insort(self.best, priority)
        del self.best[:-PRIORITIES_KEPT]
        sent = self.sent < allowed and priority >= self.threshold
        self.sent += sent
        return Decision(sent, rank, self.threshold)


@dataclass(slots=True)
class AlertBudgets:
    """The budgets of all lenders in one lane, kept in the changelog before the borrowers' records.

    ``_made`` are the decisions since the ledger was last written. After a crash between the two writes, alerts that
    are made again find their decision there and count once.
    """

    _lenders: dict[str, LenderBudget] = field(default_factory=dict)
    _made: dict[str, Decision] = field(default_factory=dict)
    _recalled: dict[str, Decision] = field(default_factory=dict)

    @property
    def changed(self) -> bool:
        """Tell whether anything was decided since the ledger was last written."""
        return bool(self._made)

    def decide(
        self, alert_id: str, lender_id: str, priority: float, day: int, *,
        allowed: int, share: float, adaptation: float,
    ) -> Decision:  # fmt: skip
        """Say what becomes of an alert; alerts must come in the order of their event time."""
        known = self._recalled.get(alert_id)
        if known is None:
            budget = self._lenders.setdefault(lender_id, LenderBudget())
            budget.begin(day, share, adaptation)
            known = budget.decide(priority, allowed)
        self._made[alert_id] = known
        return known

    def take_bytes(self) -> bytes:
        """Return the ledger for the changelog, and count decisions anew from here."""
        content = {
            "version": LEDGER_VERSION,
            "lenders": {
                name: [budget.day, budget.threshold, budget.sent, budget.best]
                for name, budget in sorted(self._lenders.items())
            },
            "made": {name: [one.sent, one.rank, one.threshold] for name, one in sorted(self._made.items())},
        }
        self._made, self._recalled = {}, {}
        return orjson.dumps(content)

    def load(self, raw: bytes) -> None:
        """Take up from a stored ledger.

        Raises:
            ValueError: the bytes are not a ledger of a known version.
        """
        content: dict[str, Any] = orjson.loads(raw)
        if content.get("version") != LEDGER_VERSION:
            raise ValueError(f"a ledger of budgets of version {content.get('version')} is not known to this version")
        self._lenders = {name: LenderBudget(*parts) for name, parts in content["lenders"].items()}
        self._made = {}
        self._recalled = {name: Decision(*parts) for name, parts in content["made"].items()}
