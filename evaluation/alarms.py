"""Alarms against failures: how many are right, how early they come, and what a team with a budget would find."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from loanpulse.evaluation.outcomes import DelinquencySpell
from loanpulse.evaluation.panel import Flags, Integers

AHEAD_DAYS = 90
"""How far ahead an alarm may be right, and how early it may count."""
EPISODE_DAYS = 30
"""An alarm that comes back within so many days is the same one."""
NEVER_SEEN_DAYS = -30
"""The lead time of a failure that no alarm came before: that of its confirmation."""


@dataclass(frozen=True, slots=True)
class Period:
    """The days that are judged: from ``first`` on, as far as the truth about them is known (``end`` not included)."""

    first: int
    end: int


@dataclass(frozen=True, slots=True)
class Lead:
    """How many days before the first missed due date the alarm went up; never seen counts as 30 days after it."""

    failures: int
    seen_before: int
    quartile_low: float
    median: float
    quartile_high: float


@dataclass(frozen=True, slots=True)
class Truth:
    """What alarms are held against, for each borrower and day.

    ``ahead`` tells where a row of missed instalments begins within ``AHEAD_DAYS``; ``behind`` where one stands already.
    """

    ahead: Flags
    behind: Flags


@dataclass(frozen=True, slots=True)
class Verdict:
    """Alarms by what they were worth: ``right`` and ``wrong`` ones, and those that ``confirm`` a miss already known."""

    right: int
    wrong: int
    confirm: int

    @property
    def precision(self) -> float:
        """The share of the early warnings that are right (NaN without any); what confirms a known miss is none."""
        warnings = self.right + self.wrong
        return self.right / warnings if warnings else float("nan")


@dataclass(frozen=True, slots=True)
class RecallAtBudget:
    """A team's work within its budget: what it worked on, and the share of the failures that it found."""

    worked: Verdict
    recall: float


_FAR = 1_000_000


def starts(alarm: Flags) -> Flags:
    """Tell where alarms begin; one that comes back within ``EPISODE_DAYS`` goes on."""
    days = np.arange(alarm.shape[1])
    last = np.maximum.accumulate(np.where(alarm, days, -_FAR), axis=1)
    before = np.concatenate([np.full((len(alarm), 1), -_FAR), last[:, :-1]], axis=1)
    begun: Flags = alarm & (days - before > EPISODE_DAYS)
    return begun


def verdict(begun: Flags, truth: Truth, period: Period) -> Verdict:
    """Return what the alarms that begin within the period were worth.

    While a row of missed instalments stands, an alarm is no early warning, also where another row is to follow.
    """
    inside = np.zeros_like(begun)
    inside[:, period.first : period.end] = begun[:, period.first : period.end]
    early = inside & ~truth.behind
    right = int((early & truth.ahead).sum())
    return Verdict(right, int(early.sum()) - right, int((inside & truth.behind).sum()))


def leads(alarm: Flags, failures: Sequence[DelinquencySpell]) -> Integers:
    """Return the lead of each failure in days: from the beginning of the alarm that stands at the miss, at most 90.

    An alarm that had gone for more than 30 days by then is no warning of this failure any more.
    """
    begun = starts(alarm)
    found = np.full(len(failures), NEVER_SEEN_DAYS, np.int32)
    for place, failure in enumerate(failures):
        on, begins = alarm[failure.borrower], begun[failure.borrower]
        missed = max(0, failure.missed)
        if on[max(0, missed - EPISODE_DAYS) : missed].any():
            found[place] = min(AHEAD_DAYS, failure.missed - int(np.flatnonzero(begins[:missed])[-1]))
            continue
        late = np.flatnonzero(begins[missed : max(missed, failure.confirmed)])
        if len(late):
            found[place] = -int(late[0])
    return found


def lead(alarm: Flags, failures: Sequence[DelinquencySpell]) -> Lead:
    """Return the lead over all failures."""
    found = leads(alarm, failures)
    if not len(found):
        return Lead(0, 0, float("nan"), float("nan"), float("nan"))
    low, middle, high = np.quantile(found, (0.25, 0.5, 0.75)).tolist()
    return Lead(len(found), int((found > 0).sum()), low, middle, high)


def worked_within_budget(score: npt.NDArray[np.float64], candidates: Flags, period: Period, a_day: float) -> Flags:
    """Return whom a team works on, day by day: the highest scores first, each borrower once in 30 days.

    ``a_day`` may be a part: what is left of a day's budget is kept for the next, for at most a day.
    """
    worked: Flags = np.zeros(score.shape, np.bool_)
    rests_until = np.zeros(len(score), np.int64)
    left = 0.0
    for day in range(period.first, period.end):
        left = min(left, max(1.0, a_day)) + a_day
        free = candidates[:, day] & (rests_until <= day)
        order = np.argsort(np.where(free, -score[:, day], np.inf), kind="stable")[: int(left)]
        chosen = order[free[order]]
        worked[chosen, day] = True
        rests_until[chosen] = day + EPISODE_DAYS
        left -= len(chosen)
    return worked


def caught_within_budget(
    score: npt.NDArray[np.float64],
    candidates: Flags,
    truth: Truth,
    failures: Sequence[DelinquencySpell],
    period: Period,
    a_day: float,
) -> RecallAtBudget:
    """Return what a team with a budget of ``a_day`` alerts finds by a score."""
    worked = worked_within_budget(score, candidates, period, a_day)
    caught = [worked[one.borrower, max(0, one.missed - AHEAD_DAYS) : one.confirmed].any() for one in failures]
    recall = float(np.mean(caught)) if caught else float("nan")
    return RecallAtBudget(verdict(worked, truth, period), recall)
