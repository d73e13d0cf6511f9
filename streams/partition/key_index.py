"""A hash index in one array: from a borrower's key to the row of the borrower's record."""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from loanpulse.schemas.compiled import compiled
from loanpulse.streams.record.hashing import hash_text
from loanpulse.streams.record.ids import KEY_BYTES

SLOTS_PER_RECORD = 2
"""Slots for each record of the capacity: at most half of them are ever filled."""

Bytes = npt.NDArray[np.uint8]
Rows = npt.NDArray[np.int32]
Flags = npt.NDArray[np.bool_]


class KeyIndex(NamedTuple):
    """``slots`` hold a row, or -1; ``keys`` holds each row's key, padded with zero bytes."""

    slots: Rows
    keys: Bytes


class KeySpans(NamedTuple):
    """Many keys in one buffer: key k is ``data[starts[k] : starts[k] + lengths[k]]``."""

    data: Bytes
    starts: npt.NDArray[np.int64]
    lengths: npt.NDArray[np.int64]


@compiled
def slot_of(index: KeyIndex, data: Bytes, start: int, length: int) -> Any:
    """Return the slot that holds a key's row, or the free slot where it belongs."""
    slots, keys = index
    mask = len(slots) - 1
    slot: Any = np.int64(hash_text(data, start, length, np.uint64(0)) & np.uint64(mask))
    while slots[slot] >= 0:
        row = slots[slot]
        same = length == KEY_BYTES or keys[row, length] == 0
        for byte in range(length):
            if not same or keys[row, byte] != data[start + byte]:
                same = False
                break
        if same:
            return slot
        slot = (slot + 1) & mask
    return slot


@compiled
def find_rows(index: KeyIndex, count: int, spans: KeySpans, wanted: Flags, rows: Rows, begin: int) -> tuple[int, int]:
    """Fill ``rows[begin:]`` with the rows of the wanted keys, -1 for the others; a new key gets the row ``count``.

    Returns the number of rows in use, and where it stopped: at a new key for which there is no room, or at the end.
    """
    for position in range(begin, len(spans.lengths)):
        rows[position] = -1
        if not wanted[position]:
            continue
        start, length = spans.starts[position], spans.lengths[position]
        slot = slot_of(index, spans.data, start, length)
        if index.slots[slot] < 0:
            if count >= len(index.keys):
                return count, position
            index.slots[slot] = count
            for byte in range(length):
                index.keys[count, byte] = spans.data[start + byte]
            count += 1
        rows[position] = index.slots[slot]
    return count, len(spans.lengths)


@compiled
def fill_index(index: KeyIndex, count: int) -> None:
    """Enter every row into an empty index."""
    for row in range(count):
        length = KEY_BYTES
        while length > 0 and index.keys[row, length - 1] == 0:
            length -= 1
        index.slots[slot_of(index, index.keys[row], 0, length)] = row
