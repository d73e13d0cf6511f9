"""How ids are held in memory: a borrower's as fixed-width bytes, a lender's as three 64-bit words."""

import numpy as np
import numpy.typing as npt

from loanpulse.schemas.arrays import Bytes
from loanpulse.schemas.compiled import compiled
from loanpulse.schemas.rules import ID_LONGEST, LENDER_LONGEST

KEY_BYTES = ID_LONGEST
"""The longest borrower_id that the contract allows."""
Keys = npt.NDArray[np.bytes_]
"""Borrowers' ids, ``KEY_BYTES`` wide (dtype ``S``)."""

WORD_BYTES = 8
LENDER_BYTES = LENDER_LONGEST
LENDER_WORDS = LENDER_BYTES // WORD_BYTES
Lender = npt.NDArray[np.uint64]
"""A lender's id as a record holds it: 24 bytes in three words, the first byte lowest; 0 after its end."""


@compiled
def lender_word(data: Bytes, start: int, length: int, word: int) -> np.uint64:
    """Return one of the three words of the lender's id ``data[start : start + length]``."""
    packed = np.uint64(0)
    for byte in range(WORD_BYTES):
        place = WORD_BYTES * word + byte
        if place < length:
            packed |= np.uint64(data[start + place]) << np.uint64(8 * byte)
    return packed


@compiled
def write_lender(lender: Lender, out: Bytes, start: int) -> None:
    """Write the 24 bytes of a lender's id into ``out`` from ``start`` on."""
    for word in range(LENDER_WORDS):
        packed = lender[word]
        for byte in range(WORD_BYTES):
            out[start + WORD_BYTES * word + byte] = np.uint8(packed & np.uint64(0xFF))
            packed >>= np.uint64(8)


@compiled
def is_same_lender(left: Lender, right: Lender) -> bool:
    """Tell whether two packed ids are of the same lender."""
    for word in range(LENDER_WORDS):  # noqa: SIM110 - a generator does not compile
        if left[word] != right[word]:
            return False
    return True


def lender_of(lender_id: bytes) -> Lender:
    """Return a lender's id as a record holds it."""
    return np.frombuffer(lender_id.ljust(LENDER_BYTES, b"\0"), "<u8")
