"""Kafka's record batches (message format 2) to columns, in compiled code: no Python object for each fetched record.

The layout is the protocol's: a batch header of 61 bytes, big-endian, then records made of zigzag varints
(https://kafka.apache.org/documentation/#recordbatch). aiokafka reads the older formats.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from aiokafka import codec
from aiokafka.errors import CorruptRecordException, UnsupportedCodecError
from aiokafka.record.memory_records import MemoryRecords
from aiokafka.record.util import calc_crc32c

from loanpulse.schemas.avro_values import read_varint
from loanpulse.schemas.compiled import compiled
from loanpulse.schemas.spans import Spans

Bytes = npt.NDArray[np.uint8]
Int64s = npt.NDArray[np.int64]
Headers = tuple[tuple[str, bytes], ...]

HEADER = struct.Struct(">qiibIhiqqqhii")
OVERHEAD = struct.Struct(">qi")
MAGIC_POSITION = 16
CHECKED_FROM = 21
CODEC_MASK, APPEND_TIME, CONTROL = 0x07, 0x08, 0x20
DECODERS = {1: codec.gzip_decode, 2: codec.snappy_decode, 3: codec.lz4_decode, 4: codec.zstd_decode}
COLUMNS = 8
OFFSET, TIMESTAMP, KEY, KEY_LENGTH, VALUE, VALUE_LENGTH, RECORD_HEADERS, RECORD_HEADERS_LENGTH = range(COLUMNS)


@dataclass(frozen=True, slots=True)
class FetchedRecords:
    """Consecutive records of one partition as columns; ``timestamps`` in ms, ``headers`` not parsed yet."""

    offsets: Int64s
    timestamps: Int64s
    keys: Spans
    values: Spans
    headers: Spans

    def __len__(self) -> int:
        return len(self.offsets)

    def headers_of(self, row: int) -> Headers:
        """Return the headers of one record."""
        return parse_headers(self.headers[row] or b"")


@dataclass(frozen=True, slots=True)
class Batch:
    """One record batch: its records' bytes, uncompressed, and the bases of their offsets and timestamps (ms)."""

    payload: bytes
    count: int
    base_offset: int
    next_offset: int
    first_timestamp: int
    append_timestamp: int
    """The broker's timestamp for all records (ms); -1 if each record has its own."""


@compiled
def read_bytes(data: Bytes, position: int, end: int) -> tuple[int, int, int]:
    """Read a byte string that follows its length; returns its start, its length (-1 for null) and the next position.

    The next position is -1 if the string does not end before ``end``.
    """
    size, position = read_varint(data, position, end)
    if position < 0 or size > end - position:
        return 0, 0, -1
    return position, max(size, -1), position + max(size, 0)


@compiled
def read_records(
    data: Bytes, start: int, count: int, base_offset: int, first_timestamp: int, append_timestamp: int, rows: Int64s
) -> int:
    """Fill one row (see ``COLUMNS``) for each of ``count`` records from ``start``; returns their end.

    Returns -1 if the bytes are no records.
    """
    position = start
    limit = len(data)
    for number in range(count):
        row = rows[number]
        size, position = read_varint(data, position, limit)
        if position < 0 or size < 1 or size > limit - position:
            return -1
        end = position + size
        delta, position = read_varint(data, position + 1, end)
        if position < 0:
            return -1
        row[TIMESTAMP] = first_timestamp + delta if append_timestamp < 0 else append_timestamp
        delta, position = read_varint(data, position, end)
        if position < 0:
            return -1
        row[OFFSET] = base_offset + delta
        row[KEY], row[KEY_LENGTH], position = read_bytes(data, position, end)
        if position < 0:
            return -1
        row[VALUE], row[VALUE_LENGTH], position = read_bytes(data, position, end)
        if position < 0:
            return -1
        row[RECORD_HEADERS], row[RECORD_HEADERS_LENGTH] = position, end - position
        position = end
    return position


def parse_headers(raw: bytes) -> Headers:
    """Parse the headers of a record; raises CorruptRecordException."""
    data = np.frombuffer(raw, np.uint8)
    found: list[tuple[str, bytes]] = []
    count, position = read_varint(data, 0, len(data))
    for _ in range(int(count)):
        start, size, position = read_bytes(data, position, len(data)) if position >= 0 else (0, 0, -1)
        value, length, position = read_bytes(data, position, len(data)) if position >= 0 else (0, 0, -1)
        if position < 0:
            raise CorruptRecordException("a record's headers can't be read")
        found.append((raw[start : start + size].decode("utf-8", "replace"), raw[value : value + max(length, 0)]))
    return tuple(found)


def batches_of(raw: bytes, *, check: bool) -> Iterator[Batch]:
    """Yield the record batches of a fetch (format 2 only); an incomplete last one is skipped.

    A control batch is yielded without records, for its next offset.

    Raises:
        CorruptRecordException: a batch's checksum is wrong (with ``check``).
        UnsupportedCodecError: a batch's compression is unknown.
    """
    position = 0
    while len(raw) - position >= HEADER.size:
        base, length = OVERHEAD.unpack_from(raw, position)
        end = position + OVERHEAD.size + length
        if end > len(raw):
            return
        header = HEADER.unpack_from(raw, position)
        checksum, attributes, last_delta, first, latest, count = *header[4:9], header[12]
        if check and calc_crc32c(raw[position + CHECKED_FROM : end]) != checksum:
            raise CorruptRecordException(f"the batch at offset {base} has a wrong checksum")
        payload = raw[position + HEADER.size : end]
        if attributes & CODEC_MASK:
            if attributes & CODEC_MASK not in DECODERS:
                raise UnsupportedCodecError(f"unknown compression {attributes & CODEC_MASK}")
            payload = DECODERS[attributes & CODEC_MASK](payload)
        is_control = bool(attributes & CONTROL)
        yield Batch(
            b"" if is_control else payload,
            0 if is_control else count,
            base,
            base + last_delta + 1,
            first,
            latest if attributes & APPEND_TIME else -1,
        )
        position = end


def is_current_format(raw: bytes) -> bool:
    """Return True if a fetch is in message format 2."""
    return len(raw) <= MAGIC_POSITION or raw[MAGIC_POSITION] >= 2


def records_of(batches: list[Batch], from_offset: int) -> FetchedRecords:
    """Return the records of batches from an offset on.

    Raises:
        CorruptRecordException: the bytes of a batch are no records.
    """
    data = np.frombuffer(b"".join(batch.payload for batch in batches) or b"\x00", np.uint8)
    rows = np.zeros((sum(batch.count for batch in batches), COLUMNS), np.int64)
    position, number = 0, 0
    for batch in batches:
        end = position + len(batch.payload)
        part = rows[number : number + batch.count]
        records_end = read_records(
            data, position, batch.count, batch.base_offset, batch.first_timestamp, batch.append_timestamp, part
        )
        if batch.count and records_end != end:
            raise CorruptRecordException(f"the records of the batch at offset {batch.base_offset} can't be read")
        position, number = end, number + batch.count
    rows = rows[int(np.searchsorted(rows[:, OFFSET], from_offset)) :]
    columns = np.ascontiguousarray(rows.T)
    return FetchedRecords(
        columns[OFFSET],
        columns[TIMESTAMP],
        Spans(data, columns[KEY], columns[KEY_LENGTH]),
        Spans(data, columns[VALUE], columns[VALUE_LENGTH]),
        Spans(data, columns[RECORD_HEADERS], columns[RECORD_HEADERS_LENGTH]),
    )


def records_of_old_format(raw: bytes, from_offset: int, *, check: bool) -> FetchedRecords:
    """Return the records of a fetch in format 0 or 1, which have no headers; raises CorruptRecordException."""
    offsets: list[int] = []
    timestamps: list[int] = []
    keys: list[bytes | None] = []
    values: list[bytes | None] = []
    fetched: Any = MemoryRecords(raw)
    while fetched.has_next():
        batch = fetched.next_batch()
        if check and not batch.validate_crc():
            raise CorruptRecordException("a record has a wrong checksum")
        for record in batch:
            if record.offset >= from_offset:
                offsets.append(record.offset)
                timestamps.append(record.timestamp or 0)
                keys.append(record.key)
                values.append(record.value)
    return FetchedRecords(
        np.array(offsets, np.int64),
        np.array(timestamps, np.int64),
        Spans.of(keys),
        Spans.of(values),
        Spans.of([b"\x00"] * len(offsets)),
    )
