"""A household's money and the record of what happened: the balance is real, nothing is spent that is not there."""

from __future__ import annotations

from loanpulse.city.happenings import Happening, Movement
from loanpulse.schemas.contracts import SpendingCategory, SpendingKind

SECOND_MS = 1000
_INWARD = (SpendingKind.INCOME, SpendingKind.TRANSFER_IN, SpendingKind.CASH_ADVANCE, SpendingKind.REFUND)


class Account:
    """The account of one household, and the diary of all that happens in it.

    `cash` is the balance in cents. What is noted takes at least a second, so that times tell the order.
    """

    __slots__ = ("_clock", "_diary", "_shows_balance", "cash")

    def __init__(self, cash: int, shows_balance: bool) -> None:
        self.cash = cash
        self._shows_balance = shows_balance
        self._diary: list[Happening] = []
        self._clock = 0

    def now(self, at_ms: int) -> int:
        """The moment (UTC ms) at which something meant for `at_ms` happens: after all that happened before."""
        self._clock = max(at_ms, self._clock + SECOND_MS)
        return self._clock

    def note(self, happening: Happening) -> None:
        """Note what happened; its time comes from `now`."""
        self._diary.append(happening)

    def move(
        self, at_ms: int, kind: SpendingKind, category: SpendingCategory, cents: int, loan_id: str | None = None
    ) -> None:
        """Move `cents` in or out, as `kind` says, about `at_ms`."""
        self.cash += cents if kind in _INWARD else -cents
        balance = self.cash if self._shows_balance else None
        self._diary.append(Movement(self.now(at_ms), kind, category, cents, balance, loan_id))

    def tear_off(self) -> list[Happening]:
        """What was noted since the last call, in the order of time."""
        diary, self._diary = self._diary, []
        return diary
