"""Single values of Avro's binary form, compiled: each reader returns the value and the position after it.

The position is -1 where the value is damaged or runs past ``end``; the value then has no meaning.
"""

from typing import Any

import numpy as np

from loanpulse.schemas.arrays import Bytes, Int64s
from loanpulse.schemas.compiled import compiled


@compiled
def read_varint(data: Bytes, place: int, end: int) -> tuple[Any, int]:
    """Read a zigzag varint (int, long, an enum's ordinal, a size)."""
    value = np.uint64(0)
    for byte in range(10):
        if place >= end:
            return 0, -1
        part = np.uint64(data[place])
        place += 1
        value |= (part & np.uint64(0x7F)) << np.uint64(7 * byte)
        if part < np.uint64(0x80):
            return np.int64(value >> np.uint64(1)) ^ -np.int64(value & np.uint64(1)), place
    return 0, -1


@compiled
def read_enum(data: Bytes, place: int, end: int, symbols: Int64s, first: int) -> tuple[Any, int]:
    """Read an enum's symbol as the reader's ordinal.

    ``symbols[first]`` is the number of the writer's symbols; after it the reader's ordinal of each, -1 for none.
    """
    written, place = read_varint(data, place, end)
    if place < 0 or written < 0 or written >= symbols[first]:
        return np.int64(0), -1
    ordinal = symbols[first + 1 + written]
    return ordinal, place if ordinal >= 0 else -1


@compiled
def read_boolean(data: Bytes, place: int, end: int) -> tuple[Any, int]:
    """Read a boolean as 0 or 1."""
    if place >= end or data[place] > 1:
        return np.int64(0), -1
    return np.int64(data[place]), place + 1


@compiled
def read_little_endian(data: Bytes, place: int, size: int) -> Any:
    """Return the bits of ``size`` bytes, the lowest byte first."""
    bits = np.uint64(0)
    for byte in range(size):
        bits |= np.uint64(data[place + byte]) << np.uint64(8 * byte)
    return bits


@compiled
def read_double(data: Bytes, place: int, end: int) -> tuple[Any, int]:
    """Read a double."""
    if place + 8 > end:
        return 0.0, -1
    return np.uint64(read_little_endian(data, place, 8)).view(np.float64), place + 8


@compiled
def read_float(data: Bytes, place: int, end: int) -> tuple[Any, int]:
    """Read a float as a double."""
    if place + 4 > end:
        return 0.0, -1
    return np.float64(np.uint32(read_little_endian(data, place, 4)).view(np.float32)), place + 4


@compiled
def read_bytes(data: Bytes, place: int, end: int) -> tuple[Any, int]:
    """Read the size of a string or of bytes; returns it and the position of their first byte."""
    size, place = read_varint(data, place, end)
    if place < 0 or size < 0 or size > end - place:
        return np.int64(0), -1
    return size, place


@compiled
def read_big_endian(data: Bytes, place: int, size: int) -> tuple[Any, bool]:
    """Return a two's complement number of ``size`` bytes, and whether it fits 64 bits."""
    if size == 0:
        return 0, True
    value = np.int64(-1) if data[place] >= 0x80 else np.int64(0)
    sign = value
    for byte in range(size):
        if size - byte > 8 and np.int64(data[place + byte]) != (sign & 0xFF):
            return 0, False
        value = (value << 8) | np.int64(data[place + byte])
    fits = size <= 8 or (value < 0) == (sign < 0)
    return value, bool(fits)


@compiled
def read_decimal(data: Bytes, place: int, end: int) -> tuple[Any, int]:
    """Read a decimal as its unscaled number."""
    size, place = read_bytes(data, place, end)
    if place < 0:
        return np.int64(0), -1
    value, fits = read_big_endian(data, place, size)
    return value, place + size if fits else -1


@compiled
def skip_texts(data: Bytes, place: int, end: int) -> int:
    """Return the position after an array of strings."""
    while place >= 0:
        count, place = read_varint(data, place, end)
        if place < 0 or count == 0:
            return place
        if count < 0:
            count = -count
            _, place = read_varint(data, place, end)
        for _ in range(count):
            if place < 0:
                return -1
            size, place = read_bytes(data, place, end)
            place += size  # 0 where the size could not be read
    return place
