"""What scorings say to lenders: an alert for each change of level and each behaviour, and what becomes of it."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import numpy as np

from loanpulse.schemas.contracts import AlertDisposition, AlertKind, Level, LoanStatus
from loanpulse.streams.alerts.budget import Decision, quota
from loanpulse.streams.alerts.contact_times import earliest_contact
from loanpulse.streams.alerts.ids import Texts, alert_id
from loanpulse.streams.alerts.reasons import Reason, losses, reasons
from loanpulse.streams.alerts.relevance import is_relevant_to_lender
from loanpulse.streams.alerts.smallest_help import Help, own_instalments, smallest_help
from loanpulse.streams.alerts.snapshots import lenders_shown
from loanpulse.streams.directives.in_force import InForce
from loanpulse.streams.policy.actions import MEANINGS, Action
from loanpulse.streams.policy.interventions import HoldOutSection
from loanpulse.streams.policy.policy_file import Policy
from loanpulse.streams.record import debt
from loanpulse.streams.record.ids import Keys, Lender, lender_of
from loanpulse.streams.record.layout import DAY_MS, NO_MOMENT, Record, Records, ms_of, seconds_of
from loanpulse.streams.scoring.borrower import HARD_EVENT_NAMES, Score, Scores, ScoringParameters

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
FIRST_BEHAVIOUR = int(AlertKind.LEVEL_IMPROVED) + 1
BEHAVIOURS = int(AlertKind.UNKNOWN) - FIRST_BEHAVIOUR

Alert = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Scored:
    """Scorings with their borrowers' keys and their deterministic ids, in the same order.

    All were made under one policy and one model. ``kept`` are the borrowers' records as they were at the scorings
    that call for an alert.
    """

    partition: int
    policy: Policy
    model_version: str
    scores: Scores
    keys: Keys
    ids: Texts
    parameters: ScoringParameters
    kept: Records

    def __len__(self) -> int:
        return len(self.scores)


Loan = tuple[int, float, tuple[int, ...]]
"""A borrower's loan as alerts need it: its status, the principal last told, its lender as the record holds it."""


@dataclass(slots=True)
class ScoringContext:
    """A scoring that calls for alerts, and what all its alerts share."""

    place: int
    score: Score
    record: Records
    borrower_id: str
    scoring_id: str
    time: int
    level: Level
    loans: list[Loan]
    losses: list[Reason]
    common: Alert
    helps: dict[str, Help | None] = field(default_factory=dict)


@dataclass(slots=True)
class Draft:
    """An alert before it is known what becomes of it."""

    occasion: ScoringContext
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
    contact_at: int | None = None
    help: Help | None = None


def kinds_of(score: Score) -> Iterator[AlertKind]:
    """Yield what a scoring has to say: a change of level, then the behaviours that it opened."""
    before, level = Level(int(score["previous_level"])), Level(int(score["level"]))
    if before is Level.UNKNOWN:
        if level > Level.STABLE:
            yield AlertKind.LEVEL_WORSENED
    elif level != before:
        yield AlertKind.LEVEL_WORSENED if level > before else AlertKind.LEVEL_IMPROVED
    for behaviour in range(BEHAVIOURS):
        if int(score["opened"]) >> behaviour & 1:
            yield AlertKind(FIRST_BEHAVIOUR + behaviour)


def held_out(borrower_id: str, rules: HoldOutSection) -> bool:
    """Tell whether a borrower is in the randomised hold-out: a draw that anyone can repeat from the salt."""
    digest = hashlib.sha256(f"{rules.salt}|{borrower_id}".encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64 < rules.share


def loans_of(record: Record) -> list[Loan]:
    """Return the borrower's loans."""
    rows = zip(
        record["loan_key"].tolist(), record["loan_status"].tolist(), record["loan_outstanding"].tolist(),
        record["loan_lender"].tolist(), strict=True,
    )  # fmt: skip
    return [(status, outstanding, tuple(lender)) for key, status, outstanding, lender in rows if key]


def has_application(loans: list[Loan], lender: Lender) -> bool:
    """Tell whether the borrower has applied to ``lender`` for a loan that is not disbursed."""
    own = tuple(lender.tolist())
    return any(status == LoanStatus.APPLIED and of == own for status, _, of in loans)


def exposure(loans: list[Loan], record: Record, lender: Lender, time: int) -> float:
    """Return what the borrower owes ``lender`` (currency): the principal last told, or else a month's instalments."""
    own = tuple(lender.tolist())
    owed = sum(outstanding for status, outstanding, of in loans if of == own and status not in debt.CLOSED)
    return owed if owed > 0.0 else float(own_instalments(record, lender, time)[0])


def lender_hash(lender_id: str) -> int:
    """Return the 16 bits, never all 0, by which a borrower's record tells the contacts of one lender from another's."""
    return int.from_bytes(hashlib.sha256(lender_id.encode()).digest()[:2], "big") or 1


@dataclass(slots=True)
class AlertMaker:
    """Makes the alerts of one lane, in the order of event time, under what stands there.

    ``records`` are the lane's borrowers as they are now: only the contacts that alerts have advised are read from them
    and written to them.
    """

    partitions: int

    def alerts(self, scored: Scored, standing: InForce, records: Records) -> list[Alert]:
        """Return the alerts, in native values, of scorings just made."""
        places = np.flatnonzero(scored.scores["kept"] >= 0)
        shown = lenders_shown(scored.scores["lender"][places])
        drafts = [
            draft
            for place, lenders in zip(places.tolist(), shown.tolist(), strict=True)
            for draft in _drafts(_occasion(scored, place), lenders, scored.policy)
        ]
        # The order in which budgets are used must not depend on how events were batched; of one moment the dearest
        # loss comes first.
        drafts.sort(
            key=lambda one: (one.occasion.time, -one.priority, one.occasion.borrower_id, one.lender_id, one.kind)
        )
        for draft in drafts:
            self._dispose(draft, scored, standing)
            if draft.disposition is AlertDisposition.HOLD_OUT:
                draft.actions = []
            elif draft.occasion.level >= Level.TENSE:
                draft.help = _help_of(draft, scored)
            self._plan_contact(draft, scored, records[int(draft.occasion.score["row"])])
        return [_alert(draft) for draft in drafts]

    def _dispose(self, draft: Draft, scored: Scored, standing: InForce) -> None:
        """Decide what becomes of an alert. News of a recovery is no work for a team, and passes every budget."""
        policy = scored.policy
        draft.suppression_id = standing.suppressions.holding(
            draft.occasion.borrower_id, draft.lender_id, draft.kind.name, draft.occasion.time
        )
        if draft.suppression_id is not None:
            draft.disposition = AlertDisposition.SUPPRESSED
            return
        if draft.kind is AlertKind.LEVEL_IMPROVED:
            return
        if held_out(draft.occasion.borrower_id, policy.file.hold_out):
            draft.disposition = AlertDisposition.HOLD_OUT
            return
        alerts_per_day = policy.lender(draft.lender_id).alerts_per_day
        if not alerts_per_day:
            return
        day = draft.occasion.time // DAY_MS
        draft.decision = standing.ledger.decide(
            draft.alert_id, draft.lender_id, draft.priority, day,
            allowed=quota(alerts_per_day, day, scored.partition, self.partitions),
            share=alerts_per_day / self.partitions, adaptation=policy.file.budget.adaptation,
        )  # fmt: skip
        if not draft.decision.sent:
            draft.disposition = AlertDisposition.DEFERRED

    def _plan_contact(self, draft: Draft, scored: Scored, record: Record) -> None:
        """Find when the borrower may be contacted, and note the contact, if the alert is sent and advises one."""
        if not any(MEANINGS[action].contact for action in draft.actions):
            return
        own = lender_hash(draft.lender_id)
        lenders = record["contact_lender"].tolist()
        mine = [ms_of(at) for at, lender in zip(record["contact_at"].tolist(), lenders, strict=True) if lender == own]
        now = draft.occasion.time
        contact_at = earliest_contact(now, mine, scored.policy.jurisdiction(draft.lender_id))
        draft.contact_at = contact_at if contact_at > now else None
        if draft.disposition is AlertDisposition.SENT:
            oldest = int(np.argmin(np.where(record["contact_lender"] == 0, NO_MOMENT, record["contact_at"])))
            record["contact_at"][oldest], record["contact_lender"][oldest] = seconds_of(contact_at), own


def _occasion(scored: Scored, place: int) -> ScoringContext:
    score = scored.scores[place]
    kept = int(score["kept"])
    record = scored.kept[kept : kept + 1]
    time, level = int(score["time"]), Level(int(score["level"]))
    borrower_id = scored.keys[place].decode()
    confidence = float(score["confidence"])
    shortfall = [_known(days) for days in score["shortfall_days"].tolist()]
    known_at = _moment(int(score["known_at"]))
    common = {
        "borrower_id": borrower_id,
        "level_from": Level(int(score["previous_level"])).name,
        "level_to": level.name,
        "lhi": float(score["lhi"]),
        "pd": float(score["pd"]),
        "confidence": confidence,
        "runway_days": _known(float(score["runway_days"])),
        "hard_event": HARD_EVENT_NAMES[int(score["hard_event"])],
        "event_time": _moment(time),
        "detection_time": known_at,
        "model_version": scored.model_version,
        "policy_version": scored.policy.version,
        "low_confidence": confidence < scored.policy.file.confidence.floor,
        "shortfall_days_p10": shortfall[0],
        "shortfall_days_p50": shortfall[1],
        "shortfall_days_p90": shortfall[2],
        "cqplm_score": _known(float(score["cqplm_score"])),
        "known_at": known_at,
    }
    return ScoringContext(
        place, score, record, borrower_id, scored.ids[place].decode(), time, level, loans_of(record[0]), losses(score),
        common,
    )  # fmt: skip


def _drafts(occasion: ScoringContext, lenders: list[bytes], policy: Policy) -> Iterator[Draft]:
    score, record, level = occasion.score, occasion.record[0], occasion.level
    collapsed = float(score["behaviour_value"][AlertKind.USAGE_COLLAPSE - FIRST_BEHAVIOUR])
    kinds = list(kinds_of(score))
    for name in lenders:
        if not name:
            continue
        lender_id = name.decode()
        lender = lender_of(name)
        owed = exposure(occasion.loans, record, lender, occasion.time)
        for kind in kinds:
            if not is_relevant_to_lender(record, kind, lender, int(score["missed_loans"])):
                continue
            actions = [
                action
                for action in policy.actions(kind, level, 0 if np.isnan(collapsed) else int(collapsed))
                if action is not Action.HOLD_UNDISBURSED_APPLICATION or has_application(occasion.loans, lender)
            ]
            if occasion.common["low_confidence"]:
                actions = [Action.GET_DATA, *(action for action in actions if action is not Action.GET_DATA)]
            episode = alert_id(occasion.scoring_id, lender_id, kind)
            own = alert_id(occasion.scoring_id, lender_id, kind, level.name) if kind < FIRST_BEHAVIOUR else episode
            priority = round(float(score["pd"]) * owed * policy.effect(actions), 2)
            yield Draft(occasion, kind, lender_id, lender, own, episode, actions, priority)


def _help_of(draft: Draft, scored: Scored) -> Help | None:
    """Return the lender's smallest help, computed once for all alerts of a scoring to it."""
    occasion = draft.occasion
    if draft.lender_id not in occasion.helps:
        scores = scored.scores[occasion.place : occasion.place + 1]
        occasion.helps[draft.lender_id] = smallest_help(
            occasion.record, scores, draft.lender, scored.parameters, scored.policy.file.help
        )
    return occasion.helps[draft.lender_id]


def _alert(draft: Draft) -> Alert:
    decision = draft.decision
    return {
        **draft.occasion.common,
        "alert_id": draft.alert_id,
        "episode_id": draft.episode_id,
        "lender_id": draft.lender_id,
        "kind": draft.kind.name,
        "reasons": reasons(draft.occasion.score, draft.kind, draft.occasion.losses),
        "actions": [action.value for action in draft.actions],
        "help": _help(draft.help),
        "disposition": draft.disposition.name,
        "priority": draft.priority,
        "rank": None if decision is None else decision.rank,
        "operating_threshold": None if decision is None else decision.threshold,
        "suppression_id": draft.suppression_id,
        "contact_not_before": None if draft.contact_at is None else _moment(draft.contact_at),
    }


def _help(found: Help | None) -> dict[str, Any] | None:
    if found is None:
        return None
    return {
        "kind": found.kind.name,
        "instalment_now": _money(found.instalment_now),
        "instalment_then": None if found.instalment_then is None else _money(found.instalment_then),
        "months": found.months,
        "lhi_after": found.lhi_after,
        "text_en": found.text_en,
        "text_zh": found.text_zh,
    }


def _known(number: float) -> float | None:
    return None if np.isnan(number) else number


def _money(amount: float) -> Decimal:
    return Decimal(f"{amount:.2f}")


def _moment(milliseconds: int) -> datetime:
    return EPOCH + timedelta(milliseconds=milliseconds)
