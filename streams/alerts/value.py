"""An alert in the form of its contract, ``LiquidityAlert``, in native values."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import numpy as np

from loanpulse.schemas.contracts import Level
from loanpulse.streams.alerts.draft import Draft
from loanpulse.streams.alerts.reasons import Reason, losses, reasons
from loanpulse.streams.alerts.scored import Scored
from loanpulse.streams.alerts.smallest_help import Help
from loanpulse.streams.scoring.levels import HARD_EVENT_NAMES

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Alert = dict[str, Any]
"""An alert in native values, as its contract names them."""


def alert_values(drafts: Iterable[Draft], scored: Scored) -> list[Alert]:
    """Return the alerts in their contract's form, in the order of ``drafts``."""
    alerts: list[Alert] = []
    shared: dict[int, tuple[Alert, list[Reason]]] = {}
    for draft in drafts:
        index = draft.context.index
        if index not in shared:
            shared[index] = scoring_value(scored, index), losses(scored.scores[index])
        alerts.append({**shared[index][0], **alert_value(draft, shared[index][1])})
    return alerts


def scoring_value(scored: Scored, index: int) -> Alert:
    """Return the fields that are the same for all alerts of the scoring in row ``index``."""
    score = scored.scores[index]
    confidence = float(score["confidence"])
    shortfall = [_or_none(days) for days in score["shortfall_days"].tolist()]
    known_at = _instant(int(score["known_at"]))
    return {
        "borrower_id": scored.keys[index].decode(),
        "level_from": Level(int(score["previous_level"])).name,
        "level_to": Level(int(score["level"])).name,
        "lhi": float(score["lhi"]),
        "pd": float(score["pd"]),
        "confidence": confidence,
        "runway_days": _or_none(float(score["runway_days"])),
        "hard_event": HARD_EVENT_NAMES[int(score["hard_event"])],
        "event_time": _instant(int(score["time"])),
        "detection_time": known_at,
        "model_version": scored.model_version,
        "policy_version": scored.policy.version,
        "low_confidence": confidence < scored.policy.file.confidence.floor,
        "shortfall_days_p10": shortfall[0],
        "shortfall_days_p50": shortfall[1],
        "shortfall_days_p90": shortfall[2],
        "cqplm_score": _or_none(float(score["cqplm_score"])),
        "known_at": known_at,
    }


def alert_value(draft: Draft, lost: list[Reason]) -> Alert:
    """Return the fields of one alert; ``lost`` are the scoring's largest losses of points."""
    decision = draft.decision
    return {
        "alert_id": draft.alert_id,
        "episode_id": draft.episode_id,
        "lender_id": draft.lender_id,
        "kind": draft.kind.name,
        "reasons": reasons(draft.context.score, draft.kind, lost),
        "actions": [action.value for action in draft.actions],
        "help": help_value(draft.help),
        "disposition": draft.disposition.name,
        "priority": draft.priority,
        "rank": None if decision is None else decision.rank,
        "operating_threshold": None if decision is None else decision.threshold,
        "suppression_id": draft.suppression_id,
        "contact_not_before": None if draft.contact_at_ms is None else _instant(draft.contact_at_ms),
    }


def help_value(smallest: Help | None) -> dict[str, Any] | None:
    """Return the smallest help in the contract's form."""
    if smallest is None:
        return None
    return {
        "kind": smallest.kind.name,
        "instalment_now": _money(smallest.instalment_now),
        "instalment_then": None if smallest.instalment_then is None else _money(smallest.instalment_then),
        "months": smallest.months,
        "lhi_after": smallest.lhi_after,
        "text_en": smallest.text_en,
        "text_zh": smallest.text_zh,
    }


def _or_none(number: float) -> float | None:
    return None if np.isnan(number) else number


def _money(amount: float) -> Decimal:
    return Decimal(f"{amount:.2f}")


def _instant(time_ms: int) -> datetime:
    return EPOCH + timedelta(milliseconds=time_ms)
