"""The smallest change of one lender's own instalments after which the scorecard puts the borrower back at STABLE.

Two kinds of help are tried, within the policy's limits: moving overdue instalments later, and lower instalments for
some months; where neither is enough by itself, both. Each is applied to a copy of the borrower's record and scoring,
which the same scorecard then scores. The one that moves less money is the smallest. A pause of instalments alone is
not tried: the month after it would be as hard as the month before.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from loanpulse.schemas.compiled import compiled
from loanpulse.schemas.contracts import HelpKind, Level
from loanpulse.schemas.units import DAY_MS
from loanpulse.streams.indicators import arrears, debt_service, net_cash_flow, payment_shortfall
from loanpulse.streams.indicators.catalogue import NAMES
from loanpulse.streams.policy.interventions import HelpSection
from loanpulse.streams.record import debt, decayed_sums
from loanpulse.streams.record.ids import Lender, is_same_lender
from loanpulse.streams.record.layout import INSTALMENTS, OUTFLOW, Record, Records
from loanpulse.streams.scoring.index import weigh
from loanpulse.streams.scoring.levels import hard_event, wanted_level
from loanpulse.streams.scoring.parameters import ScoringParameters
from loanpulse.streams.scoring.score import Scores

NET_CASH_FLOW, DEBT_SERVICE = NAMES.index("net_cash_flow"), NAMES.index("debt_service")
ARREARS, PAYMENT_SHORTFALL = NAMES.index("arrears"), NAMES.index("payment_shortfall")
MONTH_DAYS = 30
HALVINGS = 24
MONEY_STEP = 0.01
WHOLE_UNITS_FROM = 100.0
"""Instalments of this size and more are offered in whole units of the currency."""

STABLE = int(Level.STABLE)


@dataclass(frozen=True, slots=True)
class Help:
    """The smallest help: instalments a month (currency) now and during it, its months, and the index after it."""

    kind: HelpKind
    instalment_now: float
    instalment_then: float | None
    months: int
    lhi_after: float | None
    text_en: str
    text_zh: str


@compiled
def is_own(record: Record, slot: int, lender: Lender) -> bool:
    """Tell whether the instalment in ``slot`` is due to ``lender``."""
    if not debt.instalment_stands(record, slot):
        return False
    loan = debt.loan_of(record, slot)
    return loan >= 0 and is_same_lender(record["loan_lender"][loan], lender)


@compiled
def own_instalments(record: Record, lender: Lender, time: int) -> tuple[float, float, float]:
    """Return this lender's instalments a month and its overdue amount (currency), and the share paid of those due."""
    before = 0.0
    after = 0.0
    due = 0.0
    paid = 0.0
    overdue = 0.0
    today = time // DAY_MS
    for slot in range(INSTALMENTS):
        if not is_own(record, slot, lender):
            continue
        amount = debt.asked(record, slot)
        ahead = record["instalment_day"][slot] - today
        if -MONTH_DAYS <= ahead < 0:
            before += amount
        elif 0 <= ahead <= MONTH_DAYS:
            after += amount
        if ahead < 0:
            due += amount
            paid += min(amount, record["instalment_paid"][slot])
            overdue += debt.unpaid(record, slot)
    return max(before, after), overdue, paid / due if due > 0.0 else 0.0


@compiled
def move_overdue(record: Record, lender: Lender, time: int, days: int) -> None:
    """Move this lender's overdue instalments ``days`` later."""
    for slot in range(INSTALMENTS):
        overdue = record["instalment_day"][slot] < time // DAY_MS and debt.unpaid(record, slot) > 0.0
        if overdue and is_own(record, slot, lender):
            record["instalment_day"][slot] += days


@compiled
def cut_instalments(record: Record, lender: Lender, time: int, share: float, felt: float) -> None:
    """Leave ``share`` of this lender's instalments of a month, and ``felt`` a month (currency) on the account."""
    for slot in range(INSTALMENTS):
        if abs(record["instalment_day"][slot] - time // DAY_MS) <= MONTH_DAYS and is_own(record, slot, lender):
            record["instalment_due"][slot] *= share
            record["instalment_minimum"][slot] *= np.float32(share)
    outflow = MONTH_DAYS * decayed_sums.short_rate(record, OUTFLOW, time)
    if outflow > 0.0:
        record["short_sums"][OUTFLOW] *= max(0.0, 1.0 - felt / outflow)


class HelpCase(NamedTuple):
    """What help is tried on: row 0 of ``records`` and ``scores`` is the borrower, each trial overwrites row 1."""

    records: Records
    scores: Scores
    parameters: ScoringParameters
    lender: Lender
    time: int


@compiled
def level_after(case: HelpCase, share: float, felt: float, days: int) -> int:
    """Return the level with ``share`` of the lender's instalments left and overdue ones ``days`` later.

    ``felt`` is the relief a month (currency) that stays on the account. Row 1 of the case's scores is left with the
    index after it.
    """
    case.records[1] = case.records[0]
    case.scores[1] = case.scores[0]
    record, score, time = case.records[1], case.scores[1], case.time
    values, evidences = score["value"], score["evidence"]
    if days > 0:
        move_overdue(record, case.lender, time, days)
        values[ARREARS], evidences[ARREARS] = arrears.read(record, time)
        values[PAYMENT_SHORTFALL], evidences[PAYMENT_SHORTFALL] = payment_shortfall.read(record, time)
    days_past_due, _, _ = debt.arrears_now(record, time)
    floor = int(case.parameters["override_level"][hard_event(record, days_past_due, time)])
    cut_instalments(record, case.lender, time, share, felt)
    values[DEBT_SERVICE], evidences[DEBT_SERVICE] = debt_service.read(record, time)
    values[NET_CASH_FLOW], evidences[NET_CASH_FLOW] = net_cash_flow.read(record, time)
    weigh(score, case.parameters)
    return max(floor, wanted_level(score["lhi"], score["level"], int(record["behaviours"]), case.parameters))


@compiled
def smallest_relief(case: HelpCase, instalments: float, paid_share: float, most: float, days: int) -> float:
    """Return by bisection the least relief a month (currency) that restores STABLE, at most ``most``; -1 without.

    ``instalments`` are the lender's of a month (currency), of which ``paid_share`` used to be paid. Overdue ones are
    moved ``days`` later.
    """
    if level_after(case, 1.0 - most / instalments, most * paid_share, days) > STABLE:
        return -1.0
    least = 0.0
    for _ in range(HALVINGS):
        middle = (least + most) / 2.0
        if level_after(case, 1.0 - middle / instalments, middle * paid_share, days) > STABLE:
            least = middle
        else:
            most = middle
    return most


@dataclass(frozen=True, slots=True)
class _Trial:
    """Tries one help after the other; ``instalments`` are the lender's of a month, ``paid_share`` the share paid."""

    case: HelpCase
    instalments: float
    paid_share: float

    def works(self, relief: float, months: int) -> bool:
        """Tell whether ``relief`` a month, and overdue instalments ``months`` later, restore STABLE."""
        share = 1.0 - relief / self.instalments if relief > 0.0 else 1.0
        return bool(level_after(self.case, share, relief * self.paid_share, MONTH_DAYS * months) <= STABLE)

    def smallest_relief(self, most: float, months: int) -> float:
        """Return the least relief a month that works, at most ``most``, with overdue instalments ``months`` later."""
        return smallest_relief(self.case, self.instalments, self.paid_share, most, MONTH_DAYS * months)

    @property
    def lhi(self) -> float:
        """The index under the help last tried."""
        return float(self.case.scores["lhi"][1])


def smallest_help(
    record: Records, score: Scores, lender: Lender, parameters: ScoringParameters, limits: HelpSection
) -> Help | None:
    """Return the smallest help that works, or one of kind NONE_SUFFICES.

    None where the lender has no instalments to change, and where the index is at STABLE already (the level then only
    waits for its dwell). ``record`` and ``score`` are arrays of one.
    """
    time = int(score["time"][0])
    now, overdue, paid_share = own_instalments(record[0], lender, time)
    if now + overdue < MONEY_STEP:
        return None
    trial = _Trial(HelpCase(np.repeat(record, 2), np.repeat(score, 2), parameters, lender, time), now, paid_share)
    if trial.works(0.0, 0):
        return None
    now, overdue = round(now, 2), round(overdue, 2)
    deferrals = range(1, limits.longest_deferral_months + 1) if overdue else ()
    deferral = next((_deferral(trial, now, overdue, months) for months in deferrals if trial.works(0.0, months)), None)
    cut = _smallest_cut(trial, now, 0, limits)
    if deferral is not None and (cut is None or overdue <= _moved(cut)):
        return deferral
    if cut is not None:
        return cut
    both = (_smallest_cut(trial, now, months, limits) for months in deferrals)
    return next((cut for cut in both if cut is not None), None) or _none_suffices(now, limits)


def _moved(cut: Help) -> float:
    """Return the money that a cut leaves unpaid."""
    return (cut.instalment_now - (cut.instalment_then or 0.0)) * cut.months


def _deferral(trial: _Trial, now: float, overdue: float, months: int) -> Help:
    return Help(
        HelpKind.DEFERRAL, now, now, months, trial.lhi,
        f"overdue instalments of {overdue:,.0f} moved {_months(months)} later",
        f"逾期款项{overdue:,.0f}顺延{months}个月",
    )  # fmt: skip


def _smallest_cut(trial: _Trial, now: float, deferred: int, limits: HelpSection) -> Help | None:
    """Return the smallest cut that works with overdue instalments moved ``deferred`` months later, by bisection."""
    lowest = _offered(now * (1.0 - limits.largest_cut), math.ceil)
    relief = trial.smallest_relief(now - lowest, deferred) if now - lowest >= MONEY_STEP else -1.0
    if relief < 0.0:
        return None
    then = max(lowest, _offered(now - relief, math.floor))
    trial.works(now - then, deferred)
    months = limits.cut_months
    return Help(
        HelpKind.INSTALMENT_CUT, now, then, months, trial.lhi,
        f"instalment {now:,.0f} to {then:,.0f} for {_months(months)}"
        + (f", overdue instalments moved {_months(deferred)} later" if deferred else ""),
        f"月供由{now:,.0f}降至{then:,.0f}，为期{months}个月" + (f"，逾期款项顺延{deferred}个月" if deferred else ""),
    )  # fmt: skip


def _none_suffices(now: float, limits: HelpSection) -> Help:
    cut, months = f"{limits.largest_cut:.0%}", limits.cut_months
    return Help(
        HelpKind.NONE_SUFFICES, now, None, 0, None,
        f"a cut of {cut} for {_months(months)} and overdue instalments moved "
        f"{_months(limits.longest_deferral_months)} later don't bring the borrower back to STABLE",
        f"月供降低{cut}为期{months}个月且逾期款项延期{limits.longest_deferral_months}个月，仍不足以恢复至稳定水平",
    )  # fmt: skip


def _offered(amount: float, rounding: Callable[[float], int]) -> float:
    """Return an amount as it would be offered: whole units, or cents where it is small."""
    if amount >= WHOLE_UNITS_FROM:
        return float(rounding(amount))
    return rounding(amount * 100.0) / 100.0


def _months(count: int) -> str:
    return f"{count} month" if count == 1 else f"{count} months"
