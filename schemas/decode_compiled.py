"""The compiled loop that reads bodies into columns by the steps of a plan (``column_plan.py``)."""

from typing import Any

import numpy as np

from loanpulse.schemas.arrays import Bytes, Flags, Int64s
from loanpulse.schemas.avro_values import (
    read_boolean,
    read_bytes,
    read_decimal,
    read_double,
    read_enum,
    read_float,
    read_varint,
    skip_texts,
)
from loanpulse.schemas.column_plan import (
    ARGUMENT,
    BOOLEAN,
    DECIMAL,
    DOUBLE,
    ENUM,
    FIELD,
    FIXED,
    FLOAT,
    INTEGER,
    NULL_BRANCH,
    REAL,
    TEXT,
    TEXT_COLUMN,
    TEXTS,
    UNION,
    WHAT,
)
from loanpulse.schemas.columns import ColumnArrays
from loanpulse.schemas.compiled import compiled
from loanpulse.schemas.spans import SpanArrays
from loanpulse.schemas.violations import Violation

HEADER_BYTES = 5
"""The wire format's header: a zero byte and the schema id, four bytes."""
BAD_MAGIC, UNDECODABLE = int(Violation.BAD_MAGIC), int(Violation.UNDECODABLE)


@compiled
def read_headers(spans: SpanArrays, errors: Bytes, schema_ids: Int64s) -> None:
    """Read each value's zero byte and schema id, where it has no error yet."""
    for row in range(len(errors)):
        if errors[row] == 0:
            start = spans.starts[row]
            if spans.lengths[row] < HEADER_BYTES or spans.data[start] != 0:
                errors[row] = BAD_MAGIC
            else:
                value: Any = 0
                for byte in range(1, HEADER_BYTES):
                    value = (value << 8) | np.int64(spans.data[start + byte])
                schema_ids[row] = value


@compiled
def read_whole(data: Bytes, place: int, end: int, what: int, symbols: Int64s, argument: int) -> tuple[Any, int]:
    """Read a value that is kept as an integer."""
    if what == ENUM:
        return read_enum(data, place, end, symbols, argument)
    if what == DECIMAL:
        return read_decimal(data, place, end)
    if what == BOOLEAN:
        return read_boolean(data, place, end)
    return read_varint(data, place, end)


@compiled
def read_real(data: Bytes, place: int, end: int, what: int) -> tuple[Any, int]:
    """Read a double or a float."""
    if what == DOUBLE:
        return read_double(data, place, end)
    return read_float(data, place, end)


@compiled
def decode_bodies(spans: SpanArrays, chosen: Flags, steps: Int64s, symbols: Int64s, columns: ColumnArrays) -> None:
    """Read every chosen value's body into its row; ``columns.data`` is the buffer of ``spans``.

    One function of 40 lines, because a call per field would hand its position back through a tuple.
    """
    errors, data, integers, reals, starts, lengths, present = columns  # once: each access to a tuple's array costs
    for row in range(len(chosen)):
        if not chosen[row]:
            continue
        place = spans.starts[row] + HEADER_BYTES
        end = spans.starts[row] + spans.lengths[row]
        number: Any = 0
        while number < len(steps) and place >= 0:
            what, argument, field = steps[number, WHAT], steps[number, ARGUMENT], steps[number, FIELD]
            integer, real, text = steps[number, INTEGER], steps[number, REAL], steps[number, TEXT_COLUMN]
            if what == UNION:
                branch, place = read_varint(data, place, end)
                if branch == steps[number, NULL_BRANCH]:
                    number += argument
                elif branch < 0 or branch > 1:
                    place = -1
            elif what in (TEXT, TEXTS):
                start = place
                if what == TEXT:
                    size, start = read_bytes(data, place, end)
                    place = start + size
                else:
                    place = skip_texts(data, place, end)
                if text >= 0:
                    starts[row, text], lengths[row, text] = start, place - start
            elif what in (DOUBLE, FLOAT):
                found, place = read_real(data, place, end, what)
                if real >= 0:
                    reals[row, real] = found
            elif what == FIXED:
                place = place + argument if place + argument <= end else -1
            else:
                value, place = read_whole(data, place, end, what, symbols, argument)
                if integer >= 0:
                    integers[row, integer] = value
                elif real >= 0:
                    reals[row, real] = value
            if field >= 0:
                present[row, field] = True
            number += 1
        if place != end:
            errors[row] = UNDECODABLE
