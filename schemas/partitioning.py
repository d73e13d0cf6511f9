"""Kafka's default partitioner (murmur2 of the key), for one key and for many: the partition of a borrower's records."""

from typing import Any

import numpy as np
import numpy.typing as npt

from loanpulse.schemas.compiled import compiled


@compiled
def murmur2(data: npt.NDArray[np.uint8], start: int, end: int) -> Any:
    """Return the 32-bit murmur2 hash of ``data[start:end]`` with Kafka's seed, its sign bit cleared."""
    mask = 0xFFFFFFFF
    multiplier = 0x5BD1E995
    size = end - start
    hashed: Any = (0x9747B28C ^ size) & mask
    for word in range(size // 4):
        place = start + 4 * word
        key = (
            np.int64(data[place])
            | (np.int64(data[place + 1]) << 8)
            | (np.int64(data[place + 2]) << 16)
            | (np.int64(data[place + 3]) << 24)
        )
        key = (key * multiplier) & mask
        key ^= key >> 24
        key = (key * multiplier) & mask
        hashed = ((hashed * multiplier) & mask) ^ key
    rest = size % 4
    place = start + size - rest
    if rest >= 3:
        hashed ^= np.int64(data[place + 2]) << 16
    if rest >= 2:
        hashed ^= np.int64(data[place + 1]) << 8
    if rest >= 1:
        hashed ^= np.int64(data[place])
        hashed = (hashed * multiplier) & mask
    hashed ^= hashed >> 13
    hashed = (hashed * multiplier) & mask
    hashed ^= hashed >> 15
    return hashed & 0x7FFFFFFF


def partition_of(key: bytes, partitions: int) -> int:
    """Return the partition of ``key`` among ``partitions``.

    >>> partition_of(b"b-000017", 4)
    1
    """
    return int(murmur2(np.frombuffer(key or b"\x00", np.uint8), 0, len(key))) % partitions


@compiled
def partitions_of(
    data: npt.NDArray[np.uint8],
    starts: npt.NDArray[np.int64],
    lengths: npt.NDArray[np.int64],
    partitions: int,
    found: npt.NDArray[np.int64],
) -> None:
    """Fill the partition of each key ``data[start : start + length]`` among ``partitions``."""
    for row in range(len(found)):
        found[row] = murmur2(data, starts[row], starts[row] + lengths[row]) % partitions
