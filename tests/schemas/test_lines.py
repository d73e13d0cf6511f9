"""Lines of files: what is wrong is said with line and field."""

import json

import pytest

from loanpulse.schemas.lines import EventLine, LineError, parse_line

GOOD = {
    "event_id": "00000000-0000-4000-8000-000000000001", "borrower_id": "b-1", "event_time": "2026-01-01T08:00:00+08:00",
    "source": "bank", "kind": "PURCHASE", "amount": "12.30", "currency": "CNY", "category": "GROCERIES",
}  # fmt: skip


def parse(value: object, **line: object) -> EventLine | LineError:
    return parse_line(3, json.dumps({"topic": "spending-events", "value": value, **line}).encode())


def test_a_good_line_is_an_event() -> None:
    line = parse(GOOD)
    assert isinstance(line, EventLine)
    assert line.key == b"b-1"
    assert line.value is not None
    assert line.value["event_time"].isoformat() == "2026-01-01T00:00:00+00:00"
    assert line.value["balance_after"] is None


@pytest.mark.parametrize(
    ("change", "field", "word"),
    [
        ({"amount": 12.3}, "amount", "text"),
        ({"amount": "12.345"}, "amount", "2 after"),
        ({"amount": "NaN"}, "amount", "digits"),
        ({"event_time": "2026-01-01T08:00:00"}, "event_time", "zone"),
        ({"kind": "SPENT"}, "kind", "PURCHASE"),
        ({"merchant": "x"}, "merchant", "not in the contract"),
        ({"source": None}, "source", "null"),
    ],
)
def test_what_is_wrong_is_said_by_field(change: dict[str, object], field: str, word: str) -> None:
    line = parse({**GOOD, **change})
    assert isinstance(line, LineError)
    assert (line.number, line.field) == (3, field)
    assert word in line.message


def test_a_missing_field_is_named() -> None:
    line = parse({name: item for name, item in GOOD.items() if name != "currency"})
    assert isinstance(line, LineError)
    assert line.field == "currency"


@pytest.mark.parametrize(
    "text", [b"{", b"[]", b'{"topic": "nope", "value": {}}', b'{"topic": "spending-events", "x": 1}']
)
def test_a_line_that_is_no_event_is_told(text: bytes) -> None:
    assert isinstance(parse_line(1, text), LineError)


def test_messages_never_show_free_text_of_the_value() -> None:
    line = parse({**GOOD, "kind": "a name that is private"})
    assert isinstance(line, LineError)
    assert "private" not in line.message
