"""What a scoring says to a lender: an alert for every change of level, with its reasons and the advice."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt

from loanpulse.schemas.compiled import compiled
from loanpulse.schemas.contracts import AlertKind, Level
from loanpulse.streams.indicators.catalogue import INDICATORS
from loanpulse.streams.intake import hash_text, mixed
from loanpulse.streams.policy import MODEL_VERSION, Policy
from loanpulse.streams.scoring import HARD_EVENT_NAMES, Score, Scores
from loanpulse.streams.snapshots import lenders_shown

REASONS = 4
"""The most reasons that an alert carries."""
POINTS_WORTH_NAMING = 1.0
STARTING_LEVEL = int(Level.STABLE)

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Texts = npt.NDArray[np.bytes_]
Alert = dict[str, Any]


@compiled
def write_hex(value: np.uint64, out: npt.NDArray[np.uint8], start: int) -> None:
    """Write 64 bits as sixteen hexadecimal digits."""
    for digit in range(16):
        nibble = (value >> np.uint64(60 - 4 * digit)) & np.uint64(15)
        out[start + digit] = np.uint8(nibble + np.uint64(48)) if nibble < 10 else np.uint8(nibble + np.uint64(87))


@compiled
def fill_ids(
    keys: npt.NDArray[np.uint8],
    width: int,
    times: npt.NDArray[np.int64],
    known_at: npt.NDArray[np.int64],
    out: npt.NDArray[np.uint8],
) -> None:
    """Write for each row an id of 32 hexadecimal digits made of its key, its time, and when it was known if later."""
    for row in range(len(times)):
        length = width
        while length > 0 and keys[row * width + length - 1] == 0:
            length -= 1
        seed = np.uint64(times[row])
        if known_at[row] != times[row]:
            seed = mixed(seed ^ mixed(np.uint64(known_at[row])))
        first = hash_text(keys, row * width, length, seed)
        write_hex(first, out, 32 * row)
        write_hex(
            mixed(first ^ np.uint64(0x9E3779B97F4A7C15)) ^ hash_text(keys, row * width, length, first),
            out,
            32 * row + 16,
        )


def scoring_ids(keys: Texts, times: npt.NDArray[np.int64], known_at: npt.NDArray[np.int64]) -> Texts:
    """Return the deterministic id of each scoring, from the borrower, the moment, and when it was known (ms)."""
    out = np.zeros(32 * len(keys), np.uint8)
    fill_ids(
        np.ascontiguousarray(keys).view(np.uint8),
        keys.dtype.itemsize,
        np.ascontiguousarray(times),
        np.ascontiguousarray(known_at),
        out,
    )
    ids: Texts = out.view("S32")
    return ids


@dataclass(slots=True)
class Outputs:
    """Makes alerts of scorings, by a policy."""

    policy: Policy
    model_version: str = MODEL_VERSION

    def alerts(self, scores: Scores, keys: Texts, ids: Texts) -> list[Alert]:
        """Return the alerts, in native Python values, of those scorings that moved a borrower's level.

        A borrower's first scoring is an alert only where it is worse than the level that a stranger starts from. A
        restated scoring never is one.
        """
        first = scores["previous_level"] == Level.UNKNOWN
        moved = np.where(first, scores["level"] > STARTING_LEVEL, scores["level"] != scores["previous_level"])
        return [
            alert
            for place in np.flatnonzero(moved & (scores["restated"] == 0)).tolist()
            for alert in self._level_alerts(scores[place], keys[place].decode(), ids[place].decode())
        ]

    def _level_alerts(self, score: Score, borrower_id: str, scoring_id: str) -> list[Alert]:
        lenders = lenders_shown(score["lender"][np.newaxis])[0].tolist()
        return [self._level_alert(score, borrower_id, lender.decode(), scoring_id) for lender in lenders if lender]

    def _level_alert(self, score: Score, borrower_id: str, lender_id: str, scoring_id: str) -> Alert:
        level, before = Level(int(score["level"])), Level(int(score["previous_level"]))
        worsened = before is Level.UNKNOWN or level > before
        kind = AlertKind.LEVEL_WORSENED if worsened else AlertKind.LEVEL_IMPROVED
        time = EPOCH + timedelta(milliseconds=int(score["time"]))
        runway = float(score["runway_days"])
        episode = alert_id(scoring_id, lender_id, kind)
        return {
            "alert_id": alert_id(scoring_id, lender_id, kind, level.name),
            "episode_id": episode,
            "borrower_id": borrower_id,
            "lender_id": lender_id,
            "kind": kind.name,
            "level_from": before.name,
            "level_to": level.name,
            "lhi": float(score["lhi"]),
            "pd": float(score["pd"]),
            "confidence": float(score["confidence"]),
            "runway_days": None if np.isnan(runway) else runway,
            "reasons": reasons(score),
            "actions": self.policy.actions(level),
            "hard_event": HARD_EVENT_NAMES[int(score["hard_event"])],
            "event_time": time,
            "detection_time": time,
            "model_version": self.model_version,
            "policy_version": self.policy.version,
        }


def alert_id(scoring_id: str, lender_id: str, kind: AlertKind, detail: str = "") -> str:
    """Return the deterministic id of an alert: 32 hexadecimal digits of what it is about."""
    text = np.frombuffer(f"{scoring_id}|{lender_id}|{kind.name}|{detail}".encode(), np.uint8)
    first = int(hash_text(text, 0, len(text), np.uint64(7)))
    second = int(hash_text(text, 0, len(text), np.uint64(11)))
    return f"{first:016x}{second:016x}"


def reasons(score: Score) -> list[dict[str, Any]]:
    """Return what costs the borrower most points, the largest first."""
    points = score["points"] * (score["evidence"] > 0)
    order = np.argsort(-points, kind="stable")[:REASONS]
    return [
        {
            "code": INDICATORS[place].name.upper(),
            "points": round(float(points[place]), 2),
            "text_en": INDICATORS[place].reason_en,
            "text_zh": INDICATORS[place].reason_zh,
        }
        for place in order.tolist()
        if points[place] >= POINTS_WORTH_NAMING
    ]
