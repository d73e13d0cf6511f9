"""How many alerts a lender's team can work in a day: which are sent now, which are kept for later.

An alert is sent if its priority (expected loss avoided) reaches the lender's operating threshold and the day's budget
is not used up; otherwise it is deferred, with its rank. The threshold moves each day a part of the way to the priority
that would just have filled the budget. Each partition works its own part of a budget, so that decisions don't depend
on the number of workers; the parts of a day add up to the budget exactly.
"""

from bisect import bisect_left, insort
from dataclasses import dataclass, field, replace
from typing import Any

import orjson

LEDGER_VERSION = 1
PRIORITIES_KEPT = 4096
"""The most priorities of a day that ranks are counted among; an alert below all of them has the rank after them."""


def quota(alerts_per_day: int, day: int, partition: int, partitions: int) -> int:
    """Return a partition's part of a day's budget; a small one goes round all partitions in turn."""
    turn = (partition + day) % partitions
    return alerts_per_day * (turn + 1) // partitions - alerts_per_day * turn // partitions


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether the budget lets an alert be sent, its rank in the day so far, and the threshold it was held to."""

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
        """Close the last day and begin ``day``; ``share`` is the partition's mean part of the budget."""
        if day <= self.day:
            return
        if self.day >= 0:
            rank = max(1, round(share))
            filled = self.best[-rank] if len(self.best) >= rank else 0.0
            self.threshold += adaptation * (filled - self.threshold)
            # On days without an alert nothing would have filled the budget.
            self.threshold = round(self.threshold * (1.0 - adaptation) ** (day - self.day - 1), 2)
        self.day, self.sent, self.best = day, 0, []

    def decide(self, priority: float, allowed: int) -> Decision:
        """Count an alert, and decide whether it is sent."""
        rank = len(self.best) - bisect_left(self.best, priority) + 1
        insort(self.best, priority)
        del self.best[:-PRIORITIES_KEPT]
        sent = self.sent < allowed and priority >= self.threshold
        self.sent += sent
        return Decision(sent, rank, self.threshold)


@dataclass(frozen=True, slots=True)
class BudgetCharges:
    """What a batch of alerts uses of budgets: the lenders' days as they are after it, its decisions by alert id."""

    lenders: dict[str, LenderBudget] = field(default_factory=dict)
    decisions: dict[str, Decision] = field(default_factory=dict)


@dataclass(slots=True)
class AlertBudgets:
    """The budgets of all lenders in one partition, kept in the changelog before the borrowers' records.

    ``_made`` are the decisions since the last ``take_bytes``. After a crash between the two writes, alerts that are
    made again find their decision there and count once.
    """

    _lenders: dict[str, LenderBudget] = field(default_factory=dict)
    _made: dict[str, Decision] = field(default_factory=dict)
    _recalled: dict[str, Decision] = field(default_factory=dict)

    @property
    def changed(self) -> bool:
        """Tell whether anything was decided since the last ``take_bytes``."""
        return bool(self._made)

    def copy_of(self, lender_id: str) -> LenderBudget:
        """Return a copy of a lender's budget, an unused one for a new lender."""
        budget = self._lenders.get(lender_id, LenderBudget())
        return replace(budget, best=list(budget.best))

    def recalled(self, alert_id: str) -> Decision | None:
        """Return the decision about an alert that was made before a crash, or None."""
        return self._recalled.get(alert_id)

    def apply(self, charges: BudgetCharges) -> None:
        """Charge the budgets with a batch that was decided on them as they are."""
        self._lenders.update(charges.lenders)
        self._made.update(charges.decisions)

    def take_bytes(self) -> bytes:
        """Return the budgets for the changelog, and start a new list of decisions."""
        content = {
            "version": LEDGER_VERSION,
            "lenders": {
                name: [budget.day, budget.threshold, budget.sent, budget.best]
                for name, budget in sorted(self._lenders.items())
            },
            "made": {
                name: [decision.sent, decision.rank, decision.threshold]
                for name, decision in sorted(self._made.items())
            },
        }
        self._made, self._recalled = {}, {}
        return orjson.dumps(content)

    def load(self, raw: bytes) -> None:
        """Continue from stored budgets.

        Raises:
            ValueError: the bytes are not budgets of a known version.
        """
        content: dict[str, Any] = orjson.loads(raw)
        if content.get("version") != LEDGER_VERSION:
            raise ValueError(f"a ledger of budgets of version {content.get('version')} is not known to this version")
        self._lenders = {name: LenderBudget(*parts) for name, parts in content["lenders"].items()}
        self._made = {}
        self._recalled = {name: Decision(*parts) for name, parts in content["made"].items()}


@dataclass(frozen=True, slots=True)
class BudgetPlan:
    """Decides a batch of alerts on copies of the budgets; ``charges`` are then applied to ``budgets``."""

    budgets: AlertBudgets
    charges: BudgetCharges = field(default_factory=BudgetCharges)

    def decide(
        self, alert_id: str, lender_id: str, priority: float, day: int, *,
        allowed: int, share: float, adaptation: float,
    ) -> Decision:  # fmt: skip
        """Decide about an alert; alerts must be given in the order of their event time."""
        decision = self.budgets.recalled(alert_id)
        if decision is None:
            lenders = self.charges.lenders
            if lender_id not in lenders:
                lenders[lender_id] = self.budgets.copy_of(lender_id)
            lenders[lender_id].begin(day, share, adaptation)
            decision = lenders[lender_id].decide(priority, allowed)
        self.charges.decisions[alert_id] = decision
        return decision
