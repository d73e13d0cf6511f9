"""Lines of JSON to columns at once, compiled: what ``lines.py`` and Avro would give, without either.

Only plain lines are read here: the topic first, no escapes, no characters beyond ASCII, times in UTC with a Z, numbers
without an exponent. Every other line is left to ``lines.py``, which also says what is wrong with a bad one.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from loanpulse.schemas import contracts
from loanpulse.schemas.column_plan import flatten, layout_of
from loanpulse.schemas.columns import Bytes, Columns, Flags, Float64s, Int64s
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
    read_moment,
    read_number,
    read_text,
    skip_spaces,
)

TEXT, ENUM, DECIMAL, MOMENT, DATE, NUMBER, OTHER = range(7)
WHAT, PLACE, SHOWN, NULLABLE, NAME, NAME_LENGTH, SYMBOLS, SYMBOL_COUNT = range(8)
LINE_FEED, CARRIAGE_RETURN = 10, 13
PREFIX = b'{"topic":'
LINE_WORDS = np.frombuffer(b"timestampvalue", np.uint8)
MARGIN = b"\x00" * 64
"""Stands behind the last line, so that looking ahead never leaves the buffer."""


@dataclass(frozen=True, slots=True)
class Fields:
    """A contract's fields as the compiled code reads them: one row each, and the names and symbols in one buffer."""

    rows: Int64s
    symbols: Int64s
    words: Bytes


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
        what = {"decimal": DECIMAL, "timestamp-millis": MOMENT, "date": DATE}.get(
            logical, {"string": TEXT, "enum": ENUM, "double": NUMBER}.get(kind, OTHER)
        )
        own = inner["symbols"] if what == ENUM else []
        column = layout.columns[path]
        rows.append([what, column.place, column.number, int(nullable), *place_of(path), len(symbols), len(own)])
        symbols += [place_of(symbol) for symbol in own]
    return Fields(
        np.array(rows, np.int64), np.array(symbols or [[0, 0]], np.int64), np.frombuffer(bytes(words), np.uint8)
    )


@compiled
def find_field(data: Bytes, start: int, length: int, rows: Int64s, words: Bytes, expected: int) -> int:
    """Return the field of a name, looking first where it usually stands; BROKEN where there is none."""
    count = len(rows)
    for step in range(count):
        field = (expected + step) % count
        if is_word(data, start, length, words, rows[field, NAME], rows[field, NAME_LENGTH]):
            return field
    return BROKEN


@compiled
def read_symbol(data: Bytes, start: int, length: int, field: Int64s, symbols: Int64s, words: Bytes) -> int:
    """Return the ordinal of an enum's symbol, BROKEN where there is none."""
    first = field[SYMBOLS]
    for symbol in range(first, first + field[SYMBOL_COUNT]):
        if is_word(data, start, length, words, symbols[symbol, 0], symbols[symbol, 1]):
            return int(symbol - first)
    return BROKEN


@compiled
def read_field(
    data: Bytes, place: int, field: Int64s, symbols: Int64s, words: Bytes,
    integers: Int64s, reals: Float64s, starts: Int64s, lengths: Int64s,
) -> int:  # fmt: skip
    """Read a field's value into its column of one row; returns the place after it, BROKEN where it is not plain."""
    what = field[WHAT]
    column = field[PLACE]
    if what == NUMBER:
        reals[column], place = read_number(data, place)
        return place
    start, end = read_text(data, place)
    if end == BROKEN:
        return BROKEN
    good = True
    if what == TEXT:
        starts[column], lengths[column] = start, end - start
    elif what == ENUM:
        integers[column] = read_symbol(data, start, end - start, field, symbols, words)
        good = integers[column] >= 0
    elif what == DECIMAL:
        integers[column], good = read_cents(data, start, end)
    elif what == MOMENT:
        integers[column], good = read_moment(data, start, end)
    elif what == DATE:
        integers[column], good = read_date(data, start) if end - start == 10 else (np.int64(0), False)
    else:
        good = False
    return end + 1 if good else BROKEN


@compiled
def read_value(
    data: Bytes, place: int, rows: Int64s, symbols: Int64s, words: Bytes,
    integers: Int64s, reals: Float64s, starts: Int64s, lengths: Int64s, present: Flags, met: Flags,
) -> int:  # fmt: skip
    """Read an event's object into the columns of one row; returns the place after it, BROKEN where it is not plain."""
    met[:] = False
    if data[place] != OPEN:
        return BROKEN
    expected = 0
    while data[place] != CLOSE:
        start, end = read_text(data, skip_spaces(data, place + 1))
        if end == BROKEN:
            return BROKEN
        field = find_field(data, start, end - start, rows, words, expected)
        place = skip_spaces(data, end + 1)
        if field == BROKEN or met[field] or data[place] != COLON:
            return BROKEN
        met[field] = True
        expected = field + 1
        place = skip_spaces(data, place + 1)
        if is_null(data, place):
            if rows[field, NULLABLE] == 0:
                return BROKEN
            place += 4
        else:
            place = read_field(data, place, rows[field], symbols, words, integers, reals, starts, lengths)
            if place == BROKEN:
                return BROKEN
            present[rows[field, SHOWN]] = True
        place = skip_spaces(data, place)
        if data[place] not in (COMMA, CLOSE):
            return BROKEN
    for field in range(len(rows)):
        if not met[field] and rows[field, NULLABLE] == 0:
            return BROKEN
    return place + 1


@compiled
def read_line(
    data: Bytes, place: int, end: int, moment_place: int, rows: Int64s, symbols: Int64s, words: Bytes,
    integers: Int64s, reals: Float64s, starts: Int64s, lengths: Int64s, present: Flags, met: Flags, stamp: Int64s,
) -> bool:  # fmt: skip
    """Read what follows a line's topic, up to ``end``; tells whether it is plain.

    ``stamp`` takes when it was published, the event's own time where the line does not say.
    """
    stamped = False
    valued = False
    while data[place] == COMMA:
        start, stop = read_text(data, skip_spaces(data, place + 1))
        if stop == BROKEN:
            return False
        place = skip_spaces(data, stop + 1)
        if data[place] != COLON:
            return False
        place = skip_spaces(data, place + 1)
        if is_word(data, start, stop - start, LINE_WORDS, 0, 9) and not stamped:
            start, stop = read_text(data, place)
            if stop == BROKEN:
                return False
            stamp[0], stamped = read_moment(data, start, stop)
            if not stamped:
                return False
            place = stop + 1
        elif is_word(data, start, stop - start, LINE_WORDS, 9, 5) and not valued:
            place = read_value(
                data, place, rows, symbols, words, integers, reals, starts, lengths, present, met
            )  # fmt: skip
            if place == BROKEN:
                return False
            valued = True
        else:
            return False
        place = skip_spaces(data, place)
    if not stamped:
        stamp[0] = integers[moment_place]
    return bool(valued and data[place] == CLOSE and skip_spaces(data, place + 1) >= end)


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
def find_topics(
    data: Bytes, begins: Int64s, ends: Int64s, topics: Int64s, words: Bytes, prefix: Bytes, found: Int64s, after: Int64s
) -> None:
    """Fill which of ``topics`` each line is of, where that stands first (BROKEN elsewhere), and the place after it."""
    for line in range(len(begins)):
        found[line] = BROKEN
        begin = begins[line]
        if ends[line] - begin <= len(prefix) or not is_word(data, begin, len(prefix), prefix, 0, len(prefix)):
            continue
        start, end = read_text(data, skip_spaces(data, begin + len(prefix)))
        if end == BROKEN:
            continue
        for topic in range(len(topics)):
            if is_word(data, start, end - start, words, topics[topic, 0], topics[topic, 1]):
                found[line] = topic
                after[line] = skip_spaces(data, end + 1)


@compiled
def read_lines_of(
    data: Bytes, places: Int64s, ends: Int64s, moment_place: int, rows: Int64s, symbols: Int64s, words: Bytes,
    integers: Int64s, reals: Float64s, starts: Int64s, lengths: Int64s, present: Flags, stamps: Int64s, plain: Flags,
) -> None:  # fmt: skip
    """Read lines of one topic into a row each; ``plain`` tells which could be."""
    met = np.zeros(len(rows), np.bool_)
    for line in range(len(places)):
        if places[line] < 0:
            continue
        plain[line] = read_line(
            data, places[line], ends[line], moment_place, rows, symbols, words, integers[line], reals[line],
            starts[line], lengths[line], present[line], met, stamps[line : line + 1],
        )  # fmt: skip
        if not plain[line]:
            present[line] = False


@dataclass(frozen=True, slots=True)
class Lines:
    """The lines of a piece of text: where each begins and ends, and which of the reader's topics it is of.

    ``topics`` is BROKEN where the topic does not stand first or is another; ``after`` is the place after it.
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
        self._words = np.frombuffer("".join(topics).encode(), np.uint8)
        lengths = np.array([len(topic) for topic in topics], np.int64)
        self._topics = np.column_stack([np.cumsum(lengths) - lengths, lengths])
        self._prefix = np.frombuffer(PREFIX, np.uint8)

    def lines(self, text: bytes) -> Lines:
        """Return the lines of a text that ends with one's end."""
        data = np.frombuffer(text + MARGIN, np.uint8)
        ends = np.empty(text.count(b"\n"), np.int64)
        find_lines(data, len(text), ends)
        begins = np.concatenate([[0], ends[:-1] + 1]) if len(ends) else ends
        ends = ends - (data[np.maximum(ends - 1, 0)] == CARRIAGE_RETURN)
        topics, after = np.full(len(ends), BROKEN, np.int64), np.zeros(len(ends), np.int64)
        find_topics(data, begins, ends, self._topics, self._words, self._prefix, topics, after)
        return Lines(data, begins, ends, topics, after)

    def read(self, lines: Lines, topic: int, chosen: Int64s) -> Read:
        """Read the chosen lines of one topic; one whose topic did not stand first is not plain."""
        fields, layout = self._fields[topic], self._layouts[topic]
        count = len(chosen)
        columns = Columns(
            np.zeros(count, np.uint8),
            lines.data,
            np.zeros((count, layout.integers), np.int64),
            np.full((count, layout.reals), np.nan),
            np.zeros((count, layout.texts), np.int64),
            np.zeros((count, layout.texts), np.int64),
            np.zeros((count, len(layout.columns)), np.bool_),
            layout,
        )
        stamps, plain = np.zeros(count, np.int64), np.zeros(count, np.bool_)
        read_lines_of(
            lines.data,
            np.where(lines.topics[chosen] == topic, lines.after[chosen], BROKEN),
            lines.ends[chosen],
            layout.columns["event_time"].place,
            fields.rows,
            fields.symbols,
            fields.words,
            columns.integers,
            columns.reals,
            columns.starts,
            columns.lengths,
            columns.present,
            stamps,
            plain,
        )
        return Read(columns, stamps, plain)
