"""The partitioner agrees with Kafka's own."""

import pytest

from loanpulse.schemas.partitioning import murmur2, partition_of

# From Apache Kafka's UtilsTest.testMurmur2, signed there.
KNOWN = {
    b"21": -973932308,
    b"foobar": -790332482,
    b"a-little-bit-long-string": -985981536,
    b"a-little-bit-longer-string": -1486304829,
    b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8": -58897971,
    b"abc": 479470107,
}


@pytest.mark.parametrize("key", KNOWN)
def test_hashes_are_kafkas(key: bytes) -> None:
    assert partition_of(key, 2**31) == KNOWN[key] & 0x7FFFFFFF


def test_an_empty_key_has_a_place() -> None:
    assert 0 <= partition_of(b"", 8) < 8
    assert murmur2.__doc__
