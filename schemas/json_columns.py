"""Lines of JSON to columns at once, compiled: the same cells as ``lines.py`` and Avro give, without either.

Only plain lines are read here: the topic first, no escapes, only ASCII, times in UTC with a Z, numbers without an
exponent. Every other line is left to ``lines.py``, which also reports what is wrong with a bad one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from loanpulse.schemas import contracts
from loanpulse.schemas.arrays import Bytes, Flags, Int64s
from loanpulse.schemas.column_plan import flatten, layout_of
from loanpulse.schemas.columns import ColumnArrays, Columns
from loanpulse.schemas.compiled import compiled
from loanpulse.schemas.contracts import Contract
from loanpulse.schemas.json_values import (
    BROKEN,
    CLOSE,
    COLON,
    COMMA,
    OPEN,
    is_null,
    is_word,
    read_cents,
    read_date,
    read_number,
    read_text,
    read_timestamp,
    skip_spaces,
)

TEXT, ENUM, DECIMAL, TIMESTAMP, DATE, NUMBER, OTHER = range(7)
WHAT, PLACE, SHOWN, NULLABLE, NAME, NAME_LENGTH, SYMBOLS, SYMBOL_COUNT = range(8)
LINE_FEED, CARRIAGE_RETURN = 10, 13
PREFIX = b'{"topic":'
PREFIX_WORD = np.frombuffer(PREFIX, np.uint8)
LINE_WORDS = np.frombuffer(b"timestampvalue", np.uint8)
MARGIN = b"\x00" * 64
"""Follows the last line, so that looking ahead never leaves the buffer."""


class Fields(NamedTuple):
    """A contract's fields as the compiled code reads them: a row each, and their names and symbols in one buffer.

    ``event_time`` is that field's integer column.
    """

    rows: Int64s
    symbols: Int64s
    words: Bytes
    event_time: int


class Names(NamedTuple):
    """Names in one buffer: where each begins, and its length."""

    rows: Int64s
    words: Bytes


class LineArrays(NamedTuple):
    """The arrays of ``Lines``, for compiled functions."""

    data: Bytes
    begins: Int64s
    ends: Int64s
    topics: Int64s
    after: Int64s


def names_of(texts: Sequence[str]) -> Names:
    """Return names as the compiled code reads them.

    >>> names_of(["topic", "key"]).rows.tolist()
    [[0, 5], [5, 3]]
    """
    lengths = np.array([len(text) for text in texts], np.int64)
    words = np.frombuffer("".join(texts).encode(), np.uint8)
    return Names(np.column_stack([np.cumsum(lengths) - lengths, lengths]), words)


def fields_of(contract: Contract) -> Fields:
    """Return the fields of a contract that has no nested records."""
    schema = contracts.load(contract)
    layout = layout_of(schema)
    words = bytearray()
    rows: list[list[int]] = []
    symbols: list[list[int]] = []

    def place_of(text: str) -> list[int]:
        words.extend(text.encode())
        return [len(words) - len(text), len(text)]

    for path, inner, _, nullable, _ in flatten(schema, {}):
        kind = inner["type"] if isinstance(inner, dict) else inner
        logical = inner.get("logicalType", "") if isinstance(inner, dict) else ""
        what = {"decimal": DECIMAL, "timestamp-millis": TIMESTAMP, "date": DATE}.get(
            logical, {"string": TEXT, "enum": ENUM, "double": NUMBER}.get(kind, OTHER)
        )
        own = inner["symbols"] if what == ENUM else []
        column = layout.columns[path]
        rows.append([what, column.place, column.number, int(nullable), *place_of(path), len(symbols), len(own)])
        symbols += [place_of(symbol) for symbol in own]
    return Fields(
        np.array(rows, np.int64),
        np.array(symbols or [[0, 0]], np.int64),
        np.frombuffer(bytes(words), np.uint8),
        layout.columns["event_time"].place,
    )


@compiled
def find_field(data: Bytes, start: int, length: int, fields: Fields, expected: int) -> int:
    """Return the field of a name, looking first where it usually is; BROKEN where there is none."""
    rows = fields.rows
    count = len(rows)
    for step in range(count):
        field = (expected + step) % count
        if is_word(data, start, length, fields.words, rows[field, NAME], rows[field, NAME_LENGTH]):
            return field
    return BROKEN


@compiled
def read_symbol(data: Bytes, start: int, length: int, field: int, fields: Fields) -> int:
    """Return the ordinal of an enum's symbol, BROKEN where there is none."""
    first, symbols = fields.rows[field, SYMBOLS], fields.symbols
    for symbol in range(first, first + fields.rows[field, SYMBOL_COUNT]):
        if is_word(data, start, length, fields.words, symbols[symbol, 0], symbols[symbol, 1]):
            return int(symbol - first)
    return BROKEN


@compiled
def read_quoted(data: Bytes, start: int, end: int, field: int, fields: Fields) -> tuple[Any, bool]:
    """Return the number that a quoted text means as the value of ``field``, and whether it is one."""
    what = fields.rows[field, WHAT]
    if what == ENUM:
        ordinal = np.int64(read_symbol(data, start, end - start, field, fields))
        return ordinal, bool(ordinal >= 0)
    if what == DECIMAL:
        return read_cents(data, start, end)
    if what == TIMESTAMP:
        return read_timestamp(data, start, end)
    if what == DATE and end - start == 10:
        return read_date(data, start)
    return np.int64(0), False


@compiled
def read_field(columns: ColumnArrays, row: int, place: int, field: int, fields: Fields) -> int:
    """Read a field's value into its column; returns the position after it, BROKEN where it is not plain."""
    data = columns.data
    column = fields.rows[field, PLACE]
    if fields.rows[field, WHAT] == NUMBER:
        columns.reals[row, column], place = read_number(data, place)
        return place
    start, end = read_text(data, place)
    if end == BROKEN:
        return BROKEN
    if fields.rows[field, WHAT] == TEXT:
        columns.starts[row, column], columns.lengths[row, column] = start, end - start
        return end + 1
    columns.integers[row, column], good = read_quoted(data, start, end, field, fields)
    return end + 1 if good else BROKEN


@compiled
def is_complete(fields: Fields, met: Flags) -> bool:
    """Tell whether every field that may not be null was met."""
    for field in range(len(met)):  # noqa: SIM110 - a generator does not compile
        if not met[field] and fields.rows[field, NULLABLE] == 0:
            return False
    return True


@compiled
def read_value(columns: ColumnArrays, row: int, place: int, fields: Fields, met: Flags) -> int:
    """Read an event's object into its row; returns the position after it, BROKEN where it is not plain."""
    data = columns.data
    met[:] = False
    if data[place] != OPEN:
        return BROKEN
    expected = 0
    while data[place] != CLOSE:
        start, end = read_text(data, skip_spaces(data, place + 1))
        if end == BROKEN:
            return BROKEN
        field = find_field(data, start, end - start, fields, expected)
        place = skip_spaces(data, end + 1)
        if field == BROKEN or met[field] or data[place] != COLON:
            return BROKEN
        met[field] = True
        expected = field + 1
        place = skip_spaces(data, place + 1)
        if is_null(data, place):
            if fields.rows[field, NULLABLE] == 0:
                return BROKEN
            place += 4
        else:
            place = read_field(columns, row, place, field, fields)
            if place == BROKEN:
                return BROKEN
            columns.present[row, fields.rows[field, SHOWN]] = True
        place = skip_spaces(data, place)
        if data[place] not in (COMMA, CLOSE):
            return BROKEN
    return place + 1 if is_complete(fields, met) else BROKEN


@compiled
def read_line(columns: ColumnArrays, row: int, place: int, end: int, fields: Fields, met: Flags) -> tuple[Any, bool]:
    """Read what follows a line's topic, up to ``end``.

    Returns when it was published (ms; the event's own time where the line has no ``timestamp``), and whether the line
    is plain.
    """
    data = columns.data
    published_ms = np.int64(0)
    stamped = False
    valued = False
    while data[place] == COMMA:
        start, stop = read_text(data, skip_spaces(data, place + 1))
        if stop == BROKEN:
            return published_ms, False
        place = skip_spaces(data, stop + 1)
        if data[place] != COLON:
            return published_ms, False
        place = skip_spaces(data, place + 1)
        if is_word(data, start, stop - start, LINE_WORDS, 0, 9) and not stamped:
            start, stop = read_text(data, place)
            if stop == BROKEN:
                return published_ms, False
            published_ms, stamped = read_timestamp(data, start, stop)
            if not stamped:
                return published_ms, False
            place = stop + 1
        elif is_word(data, start, stop - start, LINE_WORDS, 9, 5) and not valued:
            place = read_value(columns, row, place, fields, met)
            if place == BROKEN:
                return published_ms, False
            valued = True
        else:
            return published_ms, False
        place = skip_spaces(data, place)
    if not stamped:
        published_ms = columns.integers[row, fields.event_time]
    return published_ms, bool(valued and data[place] == CLOSE and skip_spaces(data, place + 1) >= end)


@compiled
def find_lines(data: Bytes, size: int, ends: Int64s) -> int:
    """Fill where each line of ``data[:size]`` ends (at its line feed); returns their number."""
    count = 0
    for place in range(size):
        if data[place] == LINE_FEED:
            ends[count] = place
            count += 1
    return count


@compiled
def find_topics(lines: LineArrays, names: Names, prefix: Bytes) -> None:
    """Fill which of ``names`` each line's topic is, BROKEN where the topic is not first, and the position after it."""
    data, size = lines.data, len(prefix)
    for line in range(len(lines.begins)):
        lines.topics[line] = BROKEN
        begin = lines.begins[line]
        if lines.ends[line] - begin <= size or not is_word(data, begin, size, prefix, 0, size):
            continue
        start, end = read_text(data, skip_spaces(data, begin + size))
        if end == BROKEN:
            continue
        for topic in range(len(names.rows)):
            if is_word(data, start, end - start, names.words, names.rows[topic, 0], names.rows[topic, 1]):
                lines.topics[line] = topic
                lines.after[line] = skip_spaces(data, end + 1)


@compiled
def read_lines_of(
    columns: ColumnArrays, fields: Fields, places: Int64s, ends: Int64s, stamps: Int64s, plain: Flags
) -> None:
    """Read lines of one topic into a row each; fills when each was published (ms) and whether it is plain."""
    met = np.zeros(len(fields.rows), np.bool_)
    for line in range(len(places)):
        if places[line] < 0:
            continue
        stamps[line], plain[line] = read_line(columns, line, places[line], ends[line], fields, met)
        if not plain[line]:
            columns.present[line] = False


@dataclass(frozen=True, slots=True)
class Lines:
    """The lines of a piece of text: where each begins and ends, and which of the reader's topics it is of.

    ``topics`` is BROKEN where the topic is not first or is another; ``after`` is the position after it.
    """

    data: Bytes
    begins: Int64s
    ends: Int64s
    topics: Int64s
    after: Int64s

    def __len__(self) -> int:
        return len(self.ends)

    def text(self, line: int) -> bytes:
        """Return one line without its end."""
        return self.data[self.begins[line] : self.ends[line]].tobytes()


@dataclass(frozen=True, slots=True)
class Read:
    """Lines of one topic as columns, when each was published (ms), and which could be read here."""

    columns: Columns
    stamps: Int64s
    plain: Flags


class JsonReader:
    """Reads lines of the given topics, which carry the given contracts."""

    def __init__(self, topics: Sequence[str], carried: Sequence[Contract]) -> None:
        self._fields = [fields_of(contract) for contract in carried]
        self._layouts = [layout_of(contracts.load(contract)) for contract in carried]
        self._topics = names_of(topics)

    def lines(self, text: bytes) -> Lines:
        """Return the lines of a text whose last line has an end."""
        data = np.frombuffer(text + MARGIN, np.uint8)
        ends = np.empty(text.count(b"\n"), np.int64)
        find_lines(data, len(text), ends)
        begins = np.concatenate([[0], ends[:-1] + 1]) if len(ends) else ends
        ends = ends - (data[np.maximum(ends - 1, 0)] == CARRIAGE_RETURN)
        lines = Lines(data, begins, ends, np.full(len(ends), BROKEN, np.int64), np.zeros(len(ends), np.int64))
        find_topics(LineArrays(data, begins, ends, lines.topics, lines.after), self._topics, PREFIX_WORD)
        return lines

    def read(self, lines: Lines, topic: int, chosen: Int64s) -> Read:
        """Read the chosen lines of one topic; one whose topic was not first is not plain."""
        columns = Columns.empty(len(chosen), lines.data, self._layouts[topic])
        stamps, plain = np.zeros(len(chosen), np.int64), np.zeros(len(chosen), np.bool_)
        places = np.where(lines.topics[chosen] == topic, lines.after[chosen], BROKEN)
        read_lines_of(columns.arrays, self._fields[topic], places, lines.ends[chosen], stamps, plain)
        return Read(columns, stamps, plain)
