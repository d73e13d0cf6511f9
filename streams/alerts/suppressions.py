"""Orders to hold alerts about a borrower back: they begin, expire and are lifted at event times of their own.

Nothing else stops: the borrower is scored and every counter goes on.
"""

from dataclasses import dataclass, field
from typing import Any

from loanpulse.schemas.json_form import milliseconds
from loanpulse.streams.record.layout import NEVER


@dataclass(slots=True)
class Suppression:
    """One order. ``lender_id`` and ``kind`` None stand for all; times in ms, ``until`` NEVER for until lifted."""

    suppression_id: str
    begins: int = NEVER
    until: int = NEVER
    lifted_at: int = NEVER
    lender_id: str | None = None
    kind: str | None = None

    def holds(self, lender_id: str, kind: str, time: int) -> bool:
        """Tell whether it holds back an alert of this kind to this lender at ``time``."""
        return (
            self.begins <= time < min(self.until, self.lifted_at)
            and self.lender_id in (None, lender_id)
            and self.kind in (None, kind)
        )


@dataclass(slots=True)
class Suppressions:
    """The orders of a lane, by borrower and id."""

    _orders: dict[str, dict[str, Suppression]] = field(default_factory=dict)

    def add(self, value: dict[str, Any], time: int) -> None:
        """Take a ``Suppression`` in native values, an order or the lifting of one, that holds from ``time`` (ms) on."""
        identity = value["suppression_id"]
        order = self._orders.setdefault(value["borrower_id"], {}).setdefault(identity, Suppression(identity))
        if value["lifted"]:
            order.lifted_at = min(order.lifted_at, time)
            return
        order.begins = min(order.begins, time)
        order.until = NEVER if value["until"] is None else milliseconds(value["until"])
        order.lender_id, order.kind = value["lender_id"], value["kind"]

    def holding(self, borrower_id: str, lender_id: str, kind: str, time: int) -> str | None:
        """Return the id of the order that holds an alert back at ``time`` (ms), the first by its id, or None."""
        orders = self._orders.get(borrower_id, {}).values()
        return min((order.suppression_id for order in orders if order.holds(lender_id, kind, time)), default=None)
