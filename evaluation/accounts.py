"""Balance and instalment of every borrower by day, read off the events alone: what a plain rule would look at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from loanpulse.schemas.json_form import milliseconds
from loanpulse.schemas.topics import REPAYMENT_EVENTS, SPENDING_EVENTS
from loanpulse.schemas.units import DAY_MS

Reals = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Accounts:
    """Borrowers by days, NaN where not known yet: the last balance told, and the last instalment announced."""

    balance: Reals
    instalment: Reals


@dataclass(slots=True)
class AccountsBuilder:
    """Takes events in the order of publication."""

    borrowers: Sequence[str]
    first_day: int
    days: int
    _place: dict[str, int] = field(init=False)
    _balance: Reals = field(init=False)
    _instalment: Reals = field(init=False)

    def __post_init__(self) -> None:
        self._place = {borrower: place for place, borrower in enumerate(self.borrowers)}
        self._balance = np.full((len(self.borrowers), self.days), np.nan)
        self._instalment = np.full((len(self.borrowers), self.days), np.nan)

    def add(self, topic: str, value: dict[str, Any]) -> None:
        """Take one event in its native form."""
        if topic == SPENDING_EVENTS and value["balance_after"] is not None:
            self._set(self._balance, value, float(value["balance_after"]))
        elif topic == REPAYMENT_EVENTS and value["kind"] == "INSTALMENT_DUE":
            self._set(self._instalment, value, float(value["amount"]))

    def _set(self, table: Reals, value: dict[str, Any], amount: float) -> None:
        day = milliseconds(value["event_time"]) // DAY_MS - self.first_day
        if 0 <= day < self.days:
            table[self._place[value["borrower_id"]], day] = amount

    def accounts(self) -> Accounts:
        """Return the tables, each day filled from the last one before it."""
        return Accounts(_carried(self._balance), _carried(self._instalment))


def _carried(table: Reals) -> Reals:
    last = np.maximum.accumulate(np.where(np.isnan(table), 0, np.arange(table.shape[1])), axis=1)
    return table[np.arange(len(table))[:, np.newaxis], last]
