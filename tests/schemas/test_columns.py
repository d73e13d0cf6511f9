"""The columnar codec: equal to the record codec for any value, safe on any bytes, and kind to older writers."""

import copy
import itertools
import struct
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loanpulse.schemas import contracts
from loanpulse.schemas.codec import Codec
from loanpulse.schemas.column_encoder import NULL, ColumnEncoder
from loanpulse.schemas.columns import Columns
from loanpulse.schemas.contracts import INDICATORS, Contract, Level
from loanpulse.schemas.decoder import ColumnDecoder
from loanpulse.schemas.json_form import milliseconds
from loanpulse.schemas.registry import LocalRegistry
from loanpulse.schemas.topics import EVENT_TOPICS, LIQUIDITY_SNAPSHOTS, contract_of
from loanpulse.schemas.violations import Violation
from loanpulse.streams.alerts.snapshots import DIMENSIONS
from tests.support.sample_values import same, values_of

REGISTRY = LocalRegistry()
CODEC = Codec(REGISTRY)
COLUMNAR = [*EVENT_TOPICS, LIQUIDITY_SNAPSHOTS]
DECODERS = {topic: ColumnDecoder(contract_of(topic), REGISTRY) for topic in COLUMNAR}
SYMBOLS = {enum.__name__: enum for enum in contracts.ENUMS}


def cell(columns: Columns, path: str, row: int, native: Any) -> Any:
    """The cell as the native value's type has it."""
    if not columns.is_present(path)[row]:
        return None
    if isinstance(native, str):
        if columns.layout.columns[path].kind == "text":
            return columns.text(path, row).decode()
        return columns.integer(path)[row]
    if isinstance(native, float):
        return float(columns.real(path)[row])
    integer = int(columns.integer(path)[row])
    if isinstance(native, datetime):
        return integer == milliseconds(native) and native
    if isinstance(native, date):
        return date.fromordinal(date(1970, 1, 1).toordinal() + integer)
    if isinstance(native, Decimal):
        return Decimal(integer).scaleb(-2)
    return integer


def flat(value: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, item in value.items():
        if isinstance(item, dict):
            found.update(flat(item, f"{prefix}{name}."))
        else:
            found[prefix + name] = item
    return found


def ordinal(topic: str, path: str, symbol: str) -> int | str:
    def find(node: Any) -> Any:
        if isinstance(node, list):
            return next((found for item in node if (found := find(item))), None)
        if isinstance(node, dict):
            return node["name"] if node.get("type") == "enum" else find(node["type"])
        return {"Level": "Level"}.get(node)

    fields = contracts.load(contract_of(topic))["fields"]
    enum = next((find(entry["type"]) for entry in fields if entry["name"] == path), None)
    return SYMBOLS[enum][symbol].value if enum else symbol


@pytest.mark.parametrize("topic", COLUMNAR)
def test_columns_hold_what_the_codec_decodes(topic: str) -> None:
    schema = contracts.load(contract_of(topic))

    @settings(max_examples=40)
    @given(st.lists(values_of(schema), min_size=1, max_size=4))
    def equal(values: list[dict[str, Any]]) -> None:
        columns = DECODERS[topic].decode([CODEC.encode(topic, value) for value in values])
        assert not columns.errors.any()
        for row, value in enumerate(values):
            for path, native in flat(value).items():
                if isinstance(native, list):
                    starts, data, offsets = columns.text_lists(path)
                    texts = [data[a:b].tobytes().decode() for a, b in itertools.pairwise(offsets)]
                    assert texts[starts[row] : starts[row + 1]] == native
                    continue
                expected = ordinal(topic, path, native) if isinstance(native, str) else native
                assert same(cell(columns, path, row, native), expected), path

    equal()


@settings(max_examples=300)
@given(st.lists(st.one_of(st.none(), st.binary(max_size=60)), max_size=6), st.integers(0, 6), st.integers(0, 200))
def test_any_bytes_are_survived_and_disturb_no_other(junk: list[bytes | None], place: int, cut: int) -> None:
    topic = "repayment-events"
    value = {
        "event_id": "x", "borrower_id": "b", "event_time": datetime.fromisoformat("2026-01-01T00:00:00+00:00"),
        "source": "s", "lender_id": "l", "loan_id": "n", "kind": "PAID", "amount": Decimal("1.23"), "currency": "CNY",
    }  # fmt: skip
    whole = CODEC.encode(topic, value)
    header = whole[:5]
    bodies = [None if item is None else header + item for item in junk]
    bodies.insert(min(place, len(bodies)), whole)
    bodies.append(whole[: min(cut, len(whole) - 1)])
    columns = DECODERS[topic].decode(bodies)
    row = bodies.index(whole)
    assert columns.errors[row] == 0
    assert columns.integer("amount")[row] == 123
    assert columns.errors[-1] != 0
    for position, body in enumerate(bodies):
        if body is None:
            assert columns.errors[position] == Violation.NO_VALUE


def test_an_older_writer_is_resolved() -> None:
    old = copy.deepcopy(contracts.load(Contract.SPENDING_EVENT))
    old["fields"] = [entry for entry in old["fields"] if entry["name"] not in ("loan_id", "balance_after")]
    old["fields"].insert(2, {"name": "dropped", "type": ["null", {"type": "array", "items": "string"}]})
    kind = next(entry for entry in old["fields"] if entry["name"] == "kind")["type"]
    kind["symbols"] = ["INCOME", "PURCHASE", "GIFT", "UNKNOWN"]
    registry = LocalRegistry()
    schema_id = registry.register("spending-events-value", old)
    import io

    import fastavro

    body = io.BytesIO()
    value = {
        "event_id": "e", "borrower_id": "b", "dropped": ["a", "b"],
        "event_time": datetime.fromisoformat("2026-01-01T00:00:00+00:00"), "source": "s", "kind": "GIFT",
        "amount": Decimal("5.00"), "currency": "CNY", "category": None,
    }  # fmt: skip
    fastavro.schemaless_writer(body, fastavro.parse_schema(old), value)
    data = b"\x00" + struct.pack(">I", schema_id) + body.getvalue()
    columns = ColumnDecoder(Contract.SPENDING_EVENT, registry).decode([data])
    assert columns.errors[0] == 0
    assert columns.integer("kind")[0] == contracts.SpendingKind.UNKNOWN
    assert columns.integer("amount")[0] == 500
    assert columns.text("currency", 0) == b"CNY"
    assert not columns.is_present("balance_after")[0]
    assert Codec(registry).decode("spending-events", data)["kind"] == "UNKNOWN"


def test_the_encoder_writes_what_the_codec_reads() -> None:
    encoder = ColumnEncoder(Contract.LIQUIDITY_SNAPSHOT, CODEC.schema_id(LIQUIDITY_SNAPSHOTS))
    columns: dict[str, Any] = {
        "snapshot_id": np.array([b"a1", b"b2"]), "borrower_id": np.array([b"b-1", b"b-22"]),
        "event_time": np.array([0, 1_700_000_000_123]), "cause": np.array([0, 1]), "lhi": np.array([50.5, 0.0]),
        "pd": np.array([0.1, 1.0]), "level": np.array([0, 4]), "previous_level": np.array([5, 3]),
        "confidence": np.array([0.0, 1.0]), "runway_days": np.array([np.nan, 3.5]),
        "days_past_due": np.array([0, 31]), "overdue_amount": np.array([0, 99_999_999_999_999]),
        "balance": np.array([NULL, -12_345]), "open_loans": np.array([0, 2]),
        "lender_ids": np.array([[b"", b""], [b"lender-a", b"lender-b"]]),
        "model_version": np.array([b"m", b"m"]), "policy_version": np.array([b"p", b"p"]),
        "known_at": np.array([NULL, 1_700_000_000_456]), "restated": np.array([0, 1]),
        "behaviours": np.array([[b"", b""], [b"", b"INCOME_SHOCK"]]),
        **{name: np.array([np.nan, 0.5]) for name in DIMENSIONS},
        **{f"shortfall_days_p{quantile}": np.array([np.nan, 12.0]) for quantile in (10, 50, 90)},
    }  # fmt: skip
    for place, name in enumerate(INDICATORS):
        for part in ("value", "utility", "evidence", "points", "age_days"):
            columns[f"{name}.{part}"] = np.array([place / 4, np.nan if part == "value" else 0.5])
    buffer, ends = encoder.encode(columns)
    first, second = (
        CODEC.decode(LIQUIDITY_SNAPSHOTS, bytes(part)) for part in (buffer[: ends[0]], buffer[ends[0] : ends[1]])
    )
    assert first["runway_days"] is None
    assert first["balance"] is None
    assert first["lender_ids"] == []
    assert first["previous_level"] == Level.UNKNOWN.name
    assert first["known_at"] is None
    assert first["cqplm_score"] is None
    assert second["restated"]
    assert second["behaviours"] == ["INCOME_SHOCK"]
    assert second["balance"] == Decimal("-123.45")
    assert second["overdue_amount"] == Decimal("999999999999.99")
    assert second["lender_ids"] == ["lender-a", "lender-b"]
    assert second["spending_stress"]["value"] != second["spending_stress"]["value"]
    assert first["usage_shock"]["value"] == 2.5
