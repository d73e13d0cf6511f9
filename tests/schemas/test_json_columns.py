"""Lines of JSON read to columns: what ``lines.py`` and the codec give, for every line that is called plain."""

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from loanpulse.schemas.codec import Codec
from loanpulse.schemas.decoder import ColumnDecoder
from loanpulse.schemas.json_columns import JsonReader
from loanpulse.schemas.json_form import to_json
from loanpulse.schemas.json_values import BROKEN
from loanpulse.schemas.lines import EventLine, parse_line
from loanpulse.schemas.registry import LocalRegistry
from loanpulse.schemas.topics import EVENT_TOPICS, contract_of
from tests.support.sample_values import values_of

REGISTRY = LocalRegistry()
CODEC = Codec(REGISTRY)
CONTRACTS = [contract_of(topic) for topic in EVENT_TOPICS]
READER = JsonReader(EVENT_TOPICS, CONTRACTS)
DECODERS = [ColumnDecoder(contract, REGISTRY) for contract in CONTRACTS]

VALUES = st.sampled_from(range(len(EVENT_TOPICS))).flatmap(
    lambda source: st.tuples(
        st.just(source), values_of(json.loads(json.dumps(DECODERS[source]._reader))), st.booleans(), st.booleans()
    )
)

SPENT = {
    "event_id": "6cded183-c1f0-491b-8cb7-5baf04580fbf", "borrower_id": "b-1", "event_time": "2026-07-27T00:00:49.553Z",
    "currency": "CNY", "source": "bank", "kind": "PURCHASE", "amount": "12.30", "category": "GROCERIES",
    "balance_after": None, "loan_id": None,
}  # fmt: skip


def line_of(value: Any, **around: Any) -> str:
    return json.dumps({"topic": "spending-events", **around, "value": value})


def cells(columns: Any, row: int) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for path, column in columns.layout.columns.items():
        if not columns.present[row, column.number]:
            found[path] = None
        elif column.kind == "text":
            found[path] = columns.text(path, row)
        else:
            found[path] = (columns.integer if column.kind == "integer" else columns.real)(path)[row]
    return found


def check(text: str) -> bool:
    """Compare a line with the slow way; returns whether it was plain."""
    lines = READER.lines(text.encode() + b"\n")
    assert len(lines) == 1
    if lines.topics[0] == BROKEN:
        return False
    source = int(lines.topics[0])
    read = READER.read(lines, source, np.array([0]))
    if not read.plain[0]:
        assert not read.columns.present.any()
        return False
    slow = parse_line(1, text.encode())
    assert isinstance(slow, EventLine), "what is called plain must be right"
    assert EVENT_TOPICS[source] == slow.topic
    assert read.stamps[0] == slow.timestamp_ms
    key, body = slow.record(CODEC)
    assert key == cells(read.columns, 0)["borrower_id"]
    assert cells(read.columns, 0) == cells(DECODERS[source].decode([body]), 0)
    return True


@given(VALUES)
def test_a_plain_line_gives_what_the_slow_way_gives(made: Any) -> None:
    source, value, spaced, stamped = made
    content: dict[str, Any] = {"topic": EVENT_TOPICS[source]}
    if stamped:
        content["timestamp"] = "2026-02-28T23:59:59.999Z"
    content["value"] = to_json(EVENT_TOPICS[source], value)
    check(json.dumps(content, separators=None if spaced else (",", ":")))


@given(st.text(alphabet='{}",:\\ntopicvalue0129.-eTZ[] ', max_size=60))
def test_no_text_is_taken_for_what_it_is_not(noise: str) -> None:
    check(noise.replace("\n", " "))
    check('{"topic":"spending-events","value":{' + noise.replace("\n", " ") + "}}")


@given(st.decimals(allow_nan=False, allow_infinity=False, places=3) | st.floats(allow_nan=False, allow_infinity=False))
def test_amounts_and_numbers_are_exact_or_left_alone(number: Any) -> None:
    check(line_of({**SPENT, "amount": str(number)}))
    reading = {
        **{name: SPENT[name] for name in ("event_id", "borrower_id", "event_time", "currency", "source")},
        "utility": "GAS", "kind": "METER_READ", "amount": None, "due_date": None, "usage": float(number),
    }  # fmt: skip
    check(json.dumps({"topic": "utility-events", "value": reading}))


def test_usual_lines_are_plain() -> None:
    assert check(line_of(SPENT))
    assert check(line_of(SPENT, timestamp="2026-07-27T00:00:50Z"))
    assert check(line_of({name: value for name, value in SPENT.items() if value is not None}))


@pytest.mark.parametrize(
    "text",
    [
        line_of({**SPENT, "borrower_id": 'b"1'}),
        line_of({**SPENT, "source": "银行"}),
        line_of({**SPENT, "amount": "1e3"}),
        line_of({**SPENT, "amount": 12.3}),
        line_of({**SPENT, "event_time": "2026-07-27T08:00:49.553+08:00"}),
        line_of({**SPENT, "event_time": "2026-02-30T00:00:00Z"}),
        line_of({**SPENT, "merchant": "m"}),
        line_of({**SPENT, "kind": "BORROWED"}),
        line_of({name: value for name, value in SPENT.items() if name != "currency"}),
        line_of(SPENT, key="b-2"),
        line_of(SPENT).replace('"value"', '"timestamp": null, "value"'),
        line_of(SPENT)[:-1],
        line_of(SPENT) + "}",
        json.dumps({"value": SPENT, "topic": "spending-events"}),
        json.dumps({"topic": "spending-events", "key": "b-1", "raw": "AAAA"}),
        '{"topic":"spending-events"}',
        "",
    ],
)
def test_unusual_lines_are_left_to_the_slow_way(text: str) -> None:
    assert not check(text)
