"""Model inputs from a credit card's closed months: the champion's further ones, and the challenger's full vector."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from loanpulse.evaluation.uci_cards.file import CardMonth
from loanpulse.streams.models.inputs import Labels, ModelInput, Reals, counted

FADING = 0.7
"""What a month counts for against the month after it."""

CARD_INPUTS: tuple[ModelInput, ...] = (
    ModelInput("late_now", 0.8),
    ModelInput("late_two_months_now", 1.2),
    ModelInput("late_faded", 1.0),
    ModelInput("late_months", 1.0),
    ModelInput("late_ever", 0.6),
    ModelInput("utilisation_now", 0.2),
    ModelInput("utilisation_mean", 0.4),
    ModelInput("paid_share_now", 0.2),
    ModelInput("paid_share_mean", 0.6),
    ModelInput("paid_amount_now", 0.3),
    ModelInput("paid_amount_mean", 0.6),
    ModelInput("paid_amount_mean_high", 0.6),
    ModelInput("paid_amount_least", 0.4),
    ModelInput("credit_limit", 0.5),
    ModelInput("credit_limit_high", 0.5),
    ModelInput("months_with_payment", 0.5),
    ModelInput("spending_mean", 0.4),
    ModelInput("spending_now", 0.4),
)
"""Utilities of a credit card beyond the twelve indicators, with the weights that an expert gives them.

Spending derived from the bills is healthy as soon as there is some: a client who no longer uses the credit card has no
need for it, or no credit left.
"""
SPENDING_READINGS = 2
"""The last of them; they need two bills."""


def between(values: Reals, unhealthy: float, healthy: float) -> Reals:
    """Return utilities: 0 at ``unhealthy``, 1 at ``healthy``, linear between."""
    return np.clip((values - unhealthy) / (healthy - unhealthy), 0.0, 1.0)


@dataclass(slots=True)
class CardHistory:
    """The closed months of all clients, the newest first in every derived matrix."""

    limit: Reals
    _months: list[CardMonth] = field(default_factory=list)

    def add(self, closed: CardMonth) -> None:
        """Take a month that has closed."""
        self._months.append(closed)

    def never_late(self) -> Labels:
        """Tell of each client whether no month seen was late."""
        never: Labels = np.all(self._matrix(lambda month: month.status) <= 0, axis=1)
        return never

    def _matrix(self, column: Callable[[CardMonth], Reals]) -> Reals:
        return np.column_stack([column(month) for month in reversed(self._months)])

    def _late(self) -> Reals:
        return np.maximum(self._matrix(lambda month: month.status), 0.0)

    def _faded(self, late: Reals) -> Reals:
        weights = FADING ** np.arange(late.shape[1])
        faded: Reals = late @ weights / weights.sum()
        return faded

    def _paid_share(self) -> Reals:
        """Return what was paid of the bill before, per month; of the first month, of its own bill."""
        bills, paid = self._matrix(lambda month: month.bill), self._matrix(lambda month: month.paid)
        before = bills[:, 1:] if bills.shape[1] > 1 else bills
        paid = paid[:, : before.shape[1]]
        return np.where(before > 0, np.clip(paid / np.maximum(before, 1.0), 0.0, 1.0), 1.0)

    def _spent(self) -> Reals:
        """Return what two bills and the payment between them tell of spending, per month; 0 where there is one bill."""
        bills, paid = self._matrix(lambda month: month.bill), self._matrix(lambda month: month.paid)
        if bills.shape[1] == 1:
            return np.zeros_like(bills)
        spent: Reals = bills[:, :-1] - bills[:, 1:] + paid[:, :-1]
        return spent

    def counted_utilities(self, neutral_utility: float) -> Reals:
        """Return what the champion multiplies the weights of ``CARD_INPUTS`` by: 0 where there is no evidence."""
        utilities = self._utilities()
        evidence = np.ones(utilities.shape)
        evidence[:, -SPENDING_READINGS:] = float(len(self._months) > 1)
        return counted(utilities, evidence, neutral_utility)

    def _utilities(self) -> Reals:
        """Return a column for each of ``CARD_INPUTS``."""
        late, spent = self._late(), np.maximum(self._spent(), 0.0)
        used = self._matrix(lambda month: month.bill) / self.limit[:, None]
        paid, share = self._matrix(lambda month: month.paid), self._paid_share()
        logs = np.log1p(paid)
        return np.column_stack(
            [
                between(late[:, 0], 1.0, 0.0),
                between(late[:, 0], 2.0, 1.0),
                between(self._faded(late), 1.5, 0.0),
                between((late >= 1).mean(axis=1), 0.6, 0.0),
                between(late.max(axis=1), 1.0, 0.0),
                between(used[:, 0], 1.0, 0.0),
                between(used.mean(axis=1), 1.0, 0.0),
                between(share[:, 0], 0.0, 1.0),
                between(share.mean(axis=1), 0.0, 0.5),
                between(logs[:, 0], 6.0, 11.0),
                between(np.log1p(paid.mean(axis=1)), 6.0, 8.5),
                between(np.log1p(paid.mean(axis=1)), 8.5, 11.0),
                between(logs.min(axis=1), 0.0, 10.0),
                between(np.log(self.limit), np.log(1e4), np.log(1e5)),
                between(np.log(self.limit), np.log(1e5), np.log(5e5)),
                between((paid > 0).mean(axis=1), 0.0, 1.0),
                between(np.log1p(spent.mean(axis=1)), 5.0, 8.0),
                between(np.log1p(spent[:, 0]), 0.0, 7.0),
            ]
        )

    def features(self) -> Reals:
        """Return the challenger's full vector of every client."""
        status, late = self._matrix(lambda month: month.status), self._late()
        bills, paid = self._matrix(lambda month: month.bill), self._matrix(lambda month: month.paid)
        used, share, seen = bills / self.limit[:, None], self._paid_share(), late.shape[1]
        ever, spent = late >= 1, self._spent()
        return np.column_stack(
            [
                np.log(self.limit),
                status[:, 0],
                late[:, 0],
                late[:, 1] if seen > 1 else late[:, 0] * 0.0,
                late.max(axis=1),
                self._faded(late),
                ever.mean(axis=1),
                np.where(ever.any(axis=1), ever.argmax(axis=1), float(seen)),
                used[:, 0],
                used.mean(axis=1),
                used.max(axis=1),
                used[:, 0] - used[:, -1],
                np.log1p(paid[:, 0]),
                np.log1p(paid.mean(axis=1)),
                np.log1p(paid.min(axis=1)),
                np.log1p(100.0 * paid.mean(axis=1) / self.limit),
                share[:, 0],
                share.mean(axis=1),
                (paid <= 0).mean(axis=1),
                (paid[:, 0] <= 0).astype(np.float64),
                (status == 0).mean(axis=1),
                (status == -1).mean(axis=1),
                (status == -2).mean(axis=1),
                _signed_log(spent[:, 0]),
                _signed_log(spent.mean(axis=1)),
                np.full(len(late), float(seen)),
            ]
        )


def _signed_log(values: Reals) -> Reals:
    result: Reals = np.sign(values) * np.log1p(np.abs(values))
    return result
