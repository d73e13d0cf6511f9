"""The codec: what goes in comes out, and Apache Avro reads and writes the same bytes."""

import io
import json
import math
import struct
from datetime import UTC, datetime
from typing import Any

import avro.io
import avro.schema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loanpulse.schemas import contracts, json_form
from loanpulse.schemas.codec import Codec, CodecError
from loanpulse.schemas.registry import LocalRegistry, stable_id
from loanpulse.schemas.topics import EVENT_TOPICS, LIQUIDITY_SNAPSHOTS, MODEL_SNAPSHOTS, TOPICS
from loanpulse.schemas.violations import Violation
from tests.support.sample_values import same, values_of

REGISTRY = LocalRegistry()
CODEC = Codec(REGISTRY)
AVRO_TOPICS = [topic.name for topic in TOPICS if topic.contract]


def any_value(topic: str) -> st.SearchStrategy[dict[str, Any]]:
    contract = next(entry.contract for entry in TOPICS if entry.name == topic)
    assert contract
    return values_of(contracts.load(contract))


@pytest.mark.parametrize("topic", AVRO_TOPICS)
def test_a_value_comes_back_as_it_went_in(topic: str) -> None:
    @settings(max_examples=60)
    @given(any_value(topic))
    def round_trip(value: dict[str, Any]) -> None:
        assert same(CODEC.decode(topic, CODEC.encode(topic, value)), value)

    round_trip()


@pytest.mark.parametrize("topic", [*EVENT_TOPICS, MODEL_SNAPSHOTS])
def test_the_json_form_comes_back_as_it_went_in(topic: str) -> None:
    @settings(max_examples=60)
    @given(any_value(topic))
    def round_trip(value: dict[str, Any]) -> None:
        text = json.dumps(json_form.to_json(topic, value))
        assert same(json_form.from_json(topic, json.loads(text)), value)

    round_trip()


def test_null_is_nan_where_the_contract_knows_it() -> None:
    @settings(max_examples=20)
    @given(any_value(LIQUIDITY_SNAPSHOTS))
    def no_evidence(value: dict[str, Any]) -> None:
        content = json_form.to_json(LIQUIDITY_SNAPSHOTS, value | {"arrears": value["arrears"] | {"value": math.nan}})
        assert content["arrears"]["value"] is None
        assert math.isnan(json_form.from_json(LIQUIDITY_SNAPSHOTS, content)["arrears"]["value"])
        content["arrears"]["utility"] = None
        with pytest.raises(json_form.FieldError, match=r"arrears\.utility: must not be null"):
            json_form.from_json(LIQUIDITY_SNAPSHOTS, content)

    no_evidence()


@pytest.mark.parametrize("topic", AVRO_TOPICS)
def test_apache_avro_reads_what_the_codec_writes(topic: str) -> None:
    contract = next(entry.contract for entry in TOPICS if entry.name == topic)
    assert contract
    schema = avro.schema.parse(contracts.path(contract).read_text())

    @settings(max_examples=25)
    @given(any_value(topic))
    def read(value: dict[str, Any]) -> None:
        data = CODEC.encode(topic, value)
        assert data[:1] == b"\x00"
        assert struct.unpack(">I", data[1:5])[0] == CODEC.schema_id(topic)
        theirs = avro.io.DatumReader(schema).read(avro.io.BinaryDecoder(io.BytesIO(data[5:])))
        assert same(as_native(theirs), value)

    read()


@pytest.mark.parametrize("topic", EVENT_TOPICS)
def test_the_codec_reads_what_apache_avro_writes(topic: str) -> None:
    contract = next(entry.contract for entry in TOPICS if entry.name == topic)
    assert contract
    schema = avro.schema.parse(contracts.path(contract).read_text())

    @settings(max_examples=25)
    @given(any_value(topic))
    def write(value: dict[str, Any]) -> None:
        body = io.BytesIO()
        avro.io.DatumWriter(schema).write(value, avro.io.BinaryEncoder(body))
        data = b"\x00" + struct.pack(">I", CODEC.schema_id(topic)) + body.getvalue()
        assert same(CODEC.decode(topic, data), value)

    write()


def as_native(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: as_native(item) for key, item in value.items()}
    if isinstance(value, list):
        return [as_native(item) for item in value]
    if isinstance(value, datetime):
        return value.astimezone(UTC)
    return value


def test_ids_are_stable_and_differ() -> None:
    ids = {stable_id(contracts.load(topic.contract)) for topic in TOPICS if topic.contract}
    assert len(ids) == len({topic.contract for topic in TOPICS if topic.contract})
    assert LocalRegistry().register("x", contracts.load("SpendingEvent")) == CODEC.schema_id("spending-events")


@pytest.mark.parametrize(
    ("data", "violation"),
    [
        (None, Violation.NO_VALUE),
        (b"", Violation.BAD_MAGIC),
        (b'{"json": true}', Violation.BAD_MAGIC),
        (b"\x00\x00\x00\x00\x01rest", Violation.UNKNOWN_SCHEMA),
        (b"\x00" + struct.pack(">I", CODEC.schema_id("spending-events")) + b"\x02", Violation.UNDECODABLE),
    ],
)
def test_bytes_that_are_no_event_are_told_apart(data: bytes | None, violation: Violation) -> None:
    with pytest.raises(CodecError) as caught:
        CODEC.decode("spending-events", data)
    assert caught.value.code is violation
