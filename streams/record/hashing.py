"""Hashes of ids: 64 bits of a text, the same on every machine and in every version.

They are stored in records and form the ids of scorings and alerts, so they must never change.
"""

import numpy as np

from loanpulse.schemas.arrays import Bytes
from loanpulse.schemas.compiled import compiled


@compiled
def mixed(value: np.uint64) -> np.uint64:
    """Spread a 64-bit value's bits (the finalizer of splitmix64)."""
    value ^= value >> np.uint64(30)
    value *= np.uint64(0xBF58476D1CE4E5B9)
    value ^= value >> np.uint64(27)
    value *= np.uint64(0x94D049BB133111EB)
    return value ^ (value >> np.uint64(31))


@compiled
def hash_text(data: Bytes, start: int, length: int, seed: np.uint64) -> np.uint64:
    """Return a 64-bit hash of a text, never 0; other seeds give independent hashes."""
    value = seed ^ np.uint64(length)
    word = np.uint64(0)
    filled = 0
    for place in range(start, start + length):
        word |= np.uint64(data[place]) << np.uint64(8 * filled)
        filled += 1
        if filled == 8:
            value = mixed(value ^ word)
            word = np.uint64(0)
            filled = 0
    value = mixed(value ^ word)
    return value if value != np.uint64(0) else np.uint64(1)


@compiled
def reference_of(data: Bytes, start: int, length: int) -> np.uint64:
    """Return the 32 bits by which spending, which names no lender, refers to a loan; never 0."""
    low = hash_text(data, start, length, np.uint64(2)) & np.uint64(0xFFFFFFFF)
    return low if low != np.uint64(0) else np.uint64(1)
