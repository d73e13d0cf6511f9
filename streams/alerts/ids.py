"""Deterministic ids of scorings and alerts: the same in a replay, after a restart and on another worker."""

import numpy as np
import numpy.typing as npt

from loanpulse.schemas.compiled import compiled
from loanpulse.schemas.contracts import AlertKind
from loanpulse.streams.record.hashing import hash_text, mixed

Texts = npt.NDArray[np.bytes_]


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
    """Return the deterministic id of each scoring, from the borrower, its event time and when it was known (ms)."""
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


def alert_id(scoring_id: str, lender_id: str, kind: AlertKind, detail: str = "") -> str:
    """Return the deterministic id of an alert: 32 hexadecimal digits, hashed from the arguments."""
    text = np.frombuffer(f"{scoring_id}|{lender_id}|{kind.name}|{detail}".encode(), np.uint8)
    first = int(hash_text(text, 0, len(text), np.uint64(7)))
    second = int(hash_text(text, 0, len(text), np.uint64(11)))
    return f"{first:016x}{second:016x}"
