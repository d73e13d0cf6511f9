"""Snapshots: one of each scoring, encoded in bulk without a Python object per value."""

import numpy as np
import numpy.typing as npt

from loanpulse.schemas.column_encoder import NULL, ColumnEncoder
from loanpulse.schemas.compiled import compiled
from loanpulse.schemas.contracts import AlertKind, Contract
from loanpulse.streams.indicators.catalogue import COUNT, NAMES
from loanpulse.streams.record.ids import KEY_BYTES, LENDER_BYTES, Keys, write_lender
from loanpulse.streams.record.layout import LOANS
from loanpulse.streams.scoring.score import Scores

ID_BYTES = 32
CENTS = 100.0
ROWS_AT_ONCE = 1024
"""Few enough that the memory in between stays in the cache and is used again."""
BEHAVIOUR_BYTES = 24
BEHAVIOURS = tuple(kind.name for kind in AlertKind if AlertKind.LEVEL_IMPROVED < kind < AlertKind.UNKNOWN)
"""The behaviours' names; a behaviour's index here is its bit in a scoring."""
_BEHAVIOUR_NAMES = np.array(BEHAVIOURS, f"S{BEHAVIOUR_BYTES}").view(np.uint8).reshape(len(BEHAVIOURS), BEHAVIOUR_BYTES)

INTEGERS = (
    "event_time", "cause", "level", "previous_level", "days_past_due", "overdue_amount", "balance", "open_loans",
    "known_at", "restated",
)  # fmt: skip
DIMENSIONS = (
    "timeliness", "elasticity", "purpose_share", "purpose_deviation", "credit_score", "scenario_score", "cqplm_score",
)  # fmt: skip
REALS = ("lhi", "pd", "confidence", "runway_days", *(
    f"{name}.{part}" for name in NAMES for part in ("value", "utility", "evidence", "points", "age_days")
), *(f"shortfall_days_p{quantile}" for quantile in (10, 50, 90)), *DIMENSIONS)  # fmt: skip
TEXTS = ("snapshot_id", "borrower_id", "lender_ids", "model_version", "policy_version", "behaviours")
"""The contract's fields as the compiled code below fills them; the encoder refuses to be made if they differ."""

Bytes = npt.NDArray[np.uint8]


@compiled
def is_before(texts: Bytes, left: int, right: int) -> bool:
    """Tell whether the lender's id at ``left`` comes before the one at ``right``."""
    for byte in range(LENDER_BYTES):
        if texts[left + byte] != texts[right + byte]:
            return bool(texts[left + byte] < texts[right + byte])
    return False


@compiled
def is_equal(texts: Bytes, left: int, right: int) -> bool:
    """Tell whether two lenders' ids are the same."""
    for byte in range(LENDER_BYTES):  # noqa: SIM110 - a generator does not compile
        if texts[left + byte] != texts[right + byte]:
            return False
    return True


@compiled
def fill_lenders(lenders: npt.NDArray[np.uint64], out: Bytes) -> None:
    """Write each scoring's lenders once each, in the order of their ids; the order of slots has no meaning."""
    for row in range(len(lenders)):
        texts = out[row]
        shown = 0
        for slot in range(LOANS):
            if lenders[row, slot, 0] == 0:
                continue
            start = shown * LENDER_BYTES
            write_lender(lenders[row, slot], texts, start)
            repeated = False
            for other in range(shown):
                repeated = repeated or is_equal(texts, other * LENDER_BYTES, start)
            if repeated:
                texts[start : start + LENDER_BYTES] = 0
                continue
            while start > 0 and is_before(texts, start, start - LENDER_BYTES):
                for byte in range(start, start + LENDER_BYTES):
                    before = texts[byte - LENDER_BYTES]
                    texts[byte - LENDER_BYTES] = texts[byte]
                    texts[byte] = before
                start -= LENDER_BYTES
            shown += 1


@compiled
def cents_of(amount: float) -> int:
    """Return an amount as an unscaled decimal of two places, NULL where there is none."""
    if np.isnan(amount):
        return NULL
    return int(np.rint(amount * CENTS))


@compiled
def fill_numbers(scores: Scores, integers: npt.NDArray[np.int64], reals: npt.NDArray[np.float64]) -> None:
    """Write each scoring's numbers side by side, in the orders of INTEGERS and REALS."""
    for row in range(len(scores)):
        score = scores[row]
        integers[row, 0] = score["time"]
        integers[row, 1] = score["cause"]
        integers[row, 2] = score["level"]
        integers[row, 3] = score["previous_level"]
        integers[row, 4] = score["days_past_due"]
        integers[row, 5] = cents_of(score["overdue_amount"])
        integers[row, 6] = cents_of(score["balance"])
        integers[row, 7] = score["open_loans"]
        integers[row, 8] = score["known_at"]
        integers[row, 9] = score["restated"]
        reals[row, 0] = score["lhi"]
        reals[row, 1] = score["pd"]
        reals[row, 2] = score["confidence"]
        reals[row, 3] = score["runway_days"]
        for indicator in range(COUNT):
            reals[row, 4 + 5 * indicator] = score["value"][indicator]
            reals[row, 5 + 5 * indicator] = score["utility"][indicator]
            reals[row, 6 + 5 * indicator] = score["evidence"][indicator]
            reals[row, 7 + 5 * indicator] = score["points"][indicator]
            reals[row, 8 + 5 * indicator] = score["age_days"][indicator]
        rest = 4 + 5 * COUNT
        for quantile in range(3):
            reals[row, rest + quantile] = score["shortfall_days"][quantile]
        reals[row, rest + 3] = score["timeliness"]
        reals[row, rest + 4] = score["elasticity"]
        reals[row, rest + 5] = score["purpose_share"]
        reals[row, rest + 6] = score["purpose_deviation"]
        reals[row, rest + 7] = score["credit_score"]
        reals[row, rest + 8] = score["scenario_score"]
        reals[row, rest + 9] = score["cqplm_score"]


@compiled
def fill_behaviours(behaviours: npt.NDArray[np.uint32], names: Bytes, out: Bytes) -> None:
    """Write the names of each scoring's open behaviours into their cells, leaving the others empty."""
    for row in range(len(behaviours)):
        if behaviours[row] == 0:
            continue
        for behaviour in range(len(names)):
            if (behaviours[row] >> np.uint32(behaviour)) & np.uint32(1):
                start = behaviour * BEHAVIOUR_BYTES
                out[row, start : start + BEHAVIOUR_BYTES] = names[behaviour]


def lenders_shown(lenders: npt.NDArray[np.uint64]) -> npt.NDArray[np.bytes_]:
    """Return, per scoring, its lenders' ids once each in their order; the rest of the row is empty."""
    out = np.zeros((len(lenders), LOANS * LENDER_BYTES), np.uint8)
    fill_lenders(lenders, out)
    return out.view(f"S{LENDER_BYTES}")


class SnapshotEncoder:
    """Encodes scorings as ``LiquiditySnapshot`` under one schema id."""

    def __init__(self, schema_id: int) -> None:
        self._encoder = ColumnEncoder(Contract.LIQUIDITY_SNAPSHOT, schema_id)
        for kind, fields in (("integers", INTEGERS), ("reals", REALS), ("texts", TEXTS)):
            if self._encoder.fields_of(kind) != fields:
                raise TypeError(f"the {kind} of LiquiditySnapshot.avsc are no longer those of {__name__}")

    def encode(
        self, scores: Scores, keys: Keys, ids: npt.NDArray[np.bytes_], model_version: str, policy_version: str
    ) -> list[bytes]:
        """Return a snapshot per scoring; ``keys`` are the borrowers, ``ids`` the scorings' ids."""
        values: list[bytes] = []
        for start in range(0, len(scores), ROWS_AT_ONCE):
            rows = slice(start, start + ROWS_AT_ONCE)
            values += self._encode(scores[rows], keys[rows], ids[rows], model_version, policy_version)
        return values

    def _encode(
        self, scores: Scores, keys: Keys, ids: npt.NDArray[np.bytes_], model_version: str, policy_version: str
    ) -> list[bytes]:
        count = len(scores)
        integers = np.empty((count, len(INTEGERS)), np.int64)
        reals = np.empty((count, len(REALS)))
        fill_numbers(scores, integers, reals)
        model, policy = (np.frombuffer(version.encode(), np.uint8) for version in (model_version, policy_version))
        lenders = ID_BYTES + KEY_BYTES
        versions = lenders + LOANS * LENDER_BYTES
        named = versions + len(model) + len(policy)
        texts = np.zeros((count, named + len(BEHAVIOURS) * BEHAVIOUR_BYTES), np.uint8)
        texts[:, :ID_BYTES] = np.ascontiguousarray(ids).view(np.uint8).reshape(count, ID_BYTES)
        texts[:, ID_BYTES:lenders] = np.ascontiguousarray(keys).view(np.uint8).reshape(count, KEY_BYTES)
        fill_lenders(scores["lender"], texts[:, lenders:versions])
        texts[:, versions : versions + len(model)] = model
        texts[:, versions + len(model) : named] = policy
        fill_behaviours(scores["behaviours"], _BEHAVIOUR_NAMES, texts[:, named:])
        widths = {
            "snapshot_id": (ID_BYTES, 1),
            "borrower_id": (KEY_BYTES, 1),
            "lender_ids": (LENDER_BYTES, LOANS),
            "model_version": (len(model), 1),
            "policy_version": (len(policy), 1),
            "behaviours": (BEHAVIOUR_BYTES, len(BEHAVIOURS)),
        }
        buffer, ends = self._encoder.encode_matrices(integers, reals, texts, widths)
        whole = bytes(buffer[: ends[-1]])
        starts = [0, *ends[:-1].tolist()]
        return [whole[start:end] for start, end in zip(starts, ends.tolist(), strict=True)]
