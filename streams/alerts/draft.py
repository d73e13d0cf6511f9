"""The alerts that a scoring calls for, one for each kind and each lender it concerns, before anything is decided."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from loanpulse.schemas.contracts import AlertDisposition, AlertKind, Level, LoanStatus
from loanpulse.streams.alerts.budget import Decision
from loanpulse.streams.alerts.ids import alert_id
from loanpulse.streams.alerts.relevance import is_relevant_to_lender
from loanpulse.streams.alerts.scored import Scored
from loanpulse.streams.alerts.smallest_help import Help, own_instalments
from loanpulse.streams.alerts.snapshots import lenders_shown
from loanpulse.streams.policy.actions import Action
from loanpulse.streams.policy.policy_file import Policy
from loanpulse.streams.record import debt
from loanpulse.streams.record.ids import Lender, lender_of
from loanpulse.streams.record.layout import Record, Records
from loanpulse.streams.scoring.score import Score

FIRST_BEHAVIOUR = int(AlertKind.LEVEL_IMPROVED) + 1
BEHAVIOURS = int(AlertKind.UNKNOWN) - FIRST_BEHAVIOUR

Loan = tuple[int, float, tuple[int, ...]]
"""A borrower's loan as alerts need it: its status, latest principal, and lender's id as the record holds it."""


@dataclass(frozen=True, slots=True)
class ScoringContext:
    """A scoring that calls for alerts: what all of its alerts share.

    ``index`` is its row in ``Scored``; ``record`` is an array of one, the borrower's record at the scoring. ``helps``
    caches the smallest help by lender.
    """

    index: int
    score: Score
    record: Records
    borrower_id: str
    scoring_id: str
    time_ms: int
    level: Level
    low_confidence: bool
    loans: list[Loan]
    helps: dict[str, Help | None] = field(default_factory=dict)


@dataclass(slots=True)
class Draft:
    """An alert in the making. The maker fills in the fields from ``disposition`` on."""

    context: ScoringContext
    kind: AlertKind
    lender_id: str
    lender: Lender
    alert_id: str
    episode_id: str
    actions: list[Action]
    priority: float
    disposition: AlertDisposition = AlertDisposition.SENT
    suppression_id: str | None = None
    decision: Decision | None = None
    contact_at_ms: int | None = None
    help: Help | None = None


def kinds_of(score: Score) -> Iterator[AlertKind]:
    """Yield the kinds of alert a scoring calls for: a change of level, then the behaviours that it opened."""
    before, level = Level(int(score["previous_level"])), Level(int(score["level"]))
    if before is Level.UNKNOWN:
        if level > Level.STABLE:
            yield AlertKind.LEVEL_WORSENED
    elif level != before:
        yield AlertKind.LEVEL_WORSENED if level > before else AlertKind.LEVEL_IMPROVED
    for behaviour in range(BEHAVIOURS):
        if int(score["opened"]) >> behaviour & 1:
            yield AlertKind(FIRST_BEHAVIOUR + behaviour)


def loans_of(record: Record) -> list[Loan]:
    """Return the borrower's loans."""
    rows = zip(
        record["loan_key"].tolist(), record["loan_status"].tolist(), record["loan_outstanding"].tolist(),
        record["loan_lender"].tolist(), strict=True,
    )  # fmt: skip
    return [(status, outstanding, tuple(lender)) for key, status, outstanding, lender in rows if key]


def has_application(loans: list[Loan], lender: Lender) -> bool:
    """Tell whether the borrower has applied to ``lender`` for a loan that is not disbursed."""
    words = tuple(lender.tolist())
    return any(status == LoanStatus.APPLIED and of == words for status, _, of in loans)


def exposure(loans: list[Loan], record: Record, lender: Lender, time_ms: int) -> float:
    """Return what the borrower owes ``lender`` (currency): the latest principal, or else a month's instalments."""
    words = tuple(lender.tolist())
    owed = sum(outstanding for status, outstanding, of in loans if of == words and status not in debt.CLOSED)
    return owed if owed > 0.0 else float(own_instalments(record, lender, time_ms)[0])


def drafts_of(scored: Scored) -> Iterator[Draft]:
    """Yield the alerts that scorings call for."""
    indexes = np.flatnonzero(scored.scores["kept"] >= 0)
    lenders = lenders_shown(scored.scores["lender"][indexes])
    for index, names in zip(indexes.tolist(), lenders.tolist(), strict=True):
        context = _context(scored, index)
        for name in names:
            if name:
                yield from _drafts(context, name, scored.policy)


def _context(scored: Scored, index: int) -> ScoringContext:
    score = scored.scores[index]
    kept = int(score["kept"])
    record = scored.kept[kept : kept + 1]
    return ScoringContext(
        index, score, record, scored.keys[index].decode(), scored.ids[index].decode(), int(score["time"]),
        Level(int(score["level"])), float(score["confidence"]) < scored.policy.file.confidence.floor,
        loans_of(record[0]),
    )  # fmt: skip


def _drafts(context: ScoringContext, lender_bytes: bytes, policy: Policy) -> Iterator[Draft]:
    """Yield a scoring's alerts to one lender."""
    score, record, level = context.score, context.record[0], context.level
    lender_id = lender_bytes.decode()
    lender = lender_of(lender_bytes)
    owed = exposure(context.loans, record, lender, context.time_ms)
    for kind in kinds_of(score):
        if not is_relevant_to_lender(record, kind, lender, int(score["missed_loans"])):
            continue
        actions = _actions(context, kind, lender, policy)
        # The episode of a level runs through all its levels; each level has an alert of its own.
        episode_id = alert_id(context.scoring_id, lender_id, kind)
        of_level = kind < FIRST_BEHAVIOUR
        own_id = alert_id(context.scoring_id, lender_id, kind, level.name) if of_level else episode_id
        priority = round(float(score["pd"]) * owed * policy.effect(actions), 2)
        yield Draft(context, kind, lender_id, lender, own_id, episode_id, actions, priority)


def _actions(context: ScoringContext, kind: AlertKind, lender: Lender, policy: Policy) -> list[Action]:
    """Return the policy's actions that this lender can follow; where confidence is low, data must be got first."""
    collapsed = float(context.score["behaviour_value"][AlertKind.USAGE_COLLAPSE - FIRST_BEHAVIOUR])
    actions = [
        action
        for action in policy.actions(kind, context.level, 0 if np.isnan(collapsed) else int(collapsed))
        if action is not Action.HOLD_UNDISBURSED_APPLICATION or has_application(context.loans, lender)
    ]
    if context.low_confidence:
        return [Action.GET_DATA, *(action for action in actions if action is not Action.GET_DATA)]
    return actions
