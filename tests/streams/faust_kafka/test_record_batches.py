"""Record batches to columns: equal to aiokafka's own reading of the same bytes, and errors for broken ones."""

import struct

import pytest
from aiokafka.errors import CorruptRecordException
from aiokafka.record.default_records import DefaultRecordBatch, DefaultRecordBatchBuilder
from aiokafka.record.legacy_records import LegacyRecordBatchBuilder
from hypothesis import given
from hypothesis import strategies as st

from loanpulse.streams.faust_kafka.record_batches import (
    FetchedRecords,
    batches_of,
    is_current_format,
    records_of,
    records_of_old_format,
)

TEXTS = st.none() | st.binary(max_size=40)
HEADERS = st.lists(st.tuples(st.text(max_size=8), st.binary(max_size=8)), max_size=3)
RECORDS = st.lists(st.tuples(st.integers(0, 2**40), TEXTS, TEXTS, HEADERS), min_size=1, max_size=20)


def batch(records: list[tuple], compression: int, base: int = 0) -> bytes:
    builder = DefaultRecordBatchBuilder(
        magic=2, compression_type=compression, is_transactional=False, producer_id=-1, producer_epoch=-1,
        base_sequence=-1, batch_size=1 << 20,
    )  # fmt: skip
    for offset, (stamp, key, value, headers) in enumerate(records):
        builder.append(offset, timestamp=stamp, key=key, value=value, headers=headers)
    raw = bytearray(builder.build())
    raw[:8] = struct.pack(">q", base)  # the broker gives the base offset; the checksum does not cover it
    return bytes(raw)


def read(raw: bytes, start: int = 0) -> FetchedRecords:
    return records_of(list(batches_of(raw, check=True)), start)


@given(RECORDS, st.sampled_from([0, 1, 2, 3, 4]))
def test_columns_are_what_aiokafka_reads(records: list[tuple], compression: int) -> None:
    raw = batch(records, compression, 70)
    found = read(raw)
    expected = list(DefaultRecordBatch(raw))
    assert found.offsets.tolist() == [record.offset for record in expected]
    assert found.timestamps.tolist() == [record.timestamp for record in expected]
    assert list(found.keys) == [record.key for record in expected]
    assert list(found.values) == [record.value for record in expected]
    assert [found.headers_of(row) for row in range(len(found))] == [
        tuple((name, value or b"") for name, value in record.headers) for record in expected
    ]


def test_several_batches_and_a_start_inside_one() -> None:
    one = [(5, b"a", b"1", []), (6, b"b", None, [("h", b"x")]), (7, None, b"3", [])]
    raw = batch(one, 0, 10) + batch(one, 4, 13) + batch(one, 0, 16)[:-1]
    found = read(raw, 11)
    assert found.offsets.tolist() == [11, 12, 13, 14, 15], "the last batch is cut and comes with the next fetch"
    assert list(found.keys) == [b"b", None, b"a", b"b", None]
    assert found.headers_of(3) == (("h", b"x"),)


def test_a_wrong_checksum_is_an_error() -> None:
    raw = bytearray(batch([(5, b"a", b"1", [])], 0))
    raw[-2] ^= 1
    with pytest.raises(CorruptRecordException, match="checksum"):
        read(bytes(raw))


def test_a_wrong_count_is_an_error() -> None:
    raw = bytearray(batch([(5, b"a", b"1", [])], 0))
    raw[57:61] = struct.pack(">i", 2)
    with pytest.raises(CorruptRecordException, match="offset 0"):
        records_of(list(batches_of(bytes(raw), check=False)), 0)


def test_the_older_format_is_read_too() -> None:
    builder = LegacyRecordBatchBuilder(magic=1, compression_type=0, batch_size=1 << 20)
    for offset in range(3):
        builder.append(offset, timestamp=100 + offset, key=b"k", value=None if offset == 1 else b"v")
    raw = bytes(builder.build())
    assert not is_current_format(raw)
    found = records_of_old_format(raw, 1, check=True)
    assert found.offsets.tolist() == [1, 2]
    assert list(found.values) == [None, b"v"]
    assert found.headers_of(0) == ()
