"""Suppressions of alerts about a borrower: each begins, expires or is lifted at an event time of its own.

Only alerts are suppressed: the borrower is still scored and every counter continues.
"""

from dataclasses import dataclass, field
from typing import Any

from loanpulse.schemas.json_form import milliseconds
from loanpulse.streams.record.layout import NEVER


@dataclass(slots=True)
class Suppression:
    """One suppression. ``lender_id`` and ``kind`` None mean all; times in ms, ``until`` NEVER means until lifted."""

    suppression_id: str
    begins: int = NEVER
    until: int = NEVER
    lifted_at: int = NEVER
    lender_id: str | None = None
    kind: str | None = None

    def applies(self, lender_id: str, kind: str, time_ms: int) -> bool:
        """Tell whether it suppresses an alert of this kind to this lender at ``time_ms``."""
        return (
            self.begins <= time_ms < min(self.until, self.lifted_at)
            and self.lender_id in (None, lender_id)
            and self.kind in (None, kind)
        )


@dataclass(slots=True)
class Suppressions:
    """The suppressions of a partition, by borrower and id."""

    _by_borrower: dict[str, dict[str, Suppression]] = field(default_factory=dict)

    def add(self, value: dict[str, Any], time_ms: int) -> None:
        """Apply a ``Suppression`` in native values from ``time_ms`` on; ``lifted`` ends the one of the same id."""
        identity = value["suppression_id"]
        suppression = self._by_borrower.setdefault(value["borrower_id"], {}).setdefault(identity, Suppression(identity))
        if value["lifted"]:
            suppression.lifted_at = min(suppression.lifted_at, time_ms)
            return
        suppression.begins = min(suppression.begins, time_ms)
        suppression.until = NEVER if value["until"] is None else milliseconds(value["until"])
        suppression.lender_id, suppression.kind = value["lender_id"], value["kind"]

    def applying(self, borrower_id: str, lender_id: str, kind: str, time_ms: int) -> str | None:
        """Return the id of the suppression that applies to an alert at ``time_ms``, the first by id, or None."""
        each = self._by_borrower.get(borrower_id, {}).values()
        return min((one.suppression_id for one in each if one.applies(lender_id, kind, time_ms)), default=None)
