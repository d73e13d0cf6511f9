"""Columns to many bodies at once, compiled: the way out for what the stream publishes in bulk.

Columns are given by field (fields of nested records as ``outer.inner``): integers for int, long, enum (ordinal),
timestamp (ms), date (days) and decimal (unscaled; ``NULL`` for null), reals for float and double (NaN for null where
the field may be null), fixed-width byte strings (dtype ``S``) for string (empty for null where the field may be
null), and a matrix of them for an array of strings (empty cells left out).
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from loanpulse.schemas import contracts
from loanpulse.schemas.arrays import Bytes, Float64s, Int64s
from loanpulse.schemas.column_plan import UnsupportedSchema
from loanpulse.schemas.compiled import compiled
from loanpulse.schemas.contracts import Contract
from loanpulse.schemas.decode_compiled import HEADER_BYTES

NULL = np.iinfo(np.int64).min
"""The integer that means null."""

LONG, DECIMAL, DOUBLE, FLOAT, TEXT, TEXTS, BOOLEAN = range(7)
REQUIRED = -1
_KIND_OF = {
    LONG: "integers",
    DECIMAL: "integers",
    BOOLEAN: "integers",
    DOUBLE: "reals",
    FLOAT: "reals",
    TEXT: "texts",
    TEXTS: "texts",
}

WHAT, COLUMN, WIDTH, COUNT, NULL_BRANCH = range(5)
"""A step: what it writes, its column (of a text: its first byte), a text's width, a list's items, the null branch."""


class Matrices(NamedTuple):
    """Columns of one kind side by side, a row per value; texts as bytes of fixed width."""

    integers: Int64s
    reals: Float64s
    texts: Bytes


@compiled
def put_varint(out: Bytes, place: int, value: int) -> int:
    """Write a zigzag varint; return the place after it."""
    rest = (np.uint64(value) << np.uint64(1)) ^ np.uint64(value >> np.int64(63))
    while rest >= np.uint64(0x80):
        out[place] = np.uint8((rest & np.uint64(0x7F)) | np.uint64(0x80))
        rest >>= np.uint64(7)
        place += 1
    out[place] = np.uint8(rest)
    return place + 1


@compiled
def put_decimal(out: Bytes, place: int, value: int) -> int:
    """Write a number as two's complement of as few bytes as hold it, its size before it."""
    size = 1
    while size < 8 and not -(1 << (8 * size - 1)) <= value < (1 << (8 * size - 1)):
        size += 1
    place = put_varint(out, place, size)
    for byte in range(size):
        out[place + byte] = np.uint8((value >> (8 * (size - 1 - byte))) & 0xFF)
    return place + size


@compiled
def put_text(out: Bytes, place: int, texts: Bytes, start: int, width: int) -> int:
    """Write a fixed-width text without its trailing zeros."""
    length = width
    while length > 0 and texts[start + length - 1] == 0:
        length -= 1
    place = put_varint(out, place, length)
    for byte in range(length):
        out[place + byte] = texts[start + byte]
    return place + length


@compiled
def put_bits(out: Bytes, place: int, bits: Any, size: int) -> int:
    """Write ``size`` bytes of a number, the lowest first; return the place after them."""
    for byte in range(size):
        out[place + byte] = np.uint8((bits >> np.uint64(8 * byte)) & np.uint64(0xFF))
    return place + size


@compiled
def put_texts(out: Bytes, place: int, texts: Bytes, start: int, width: int, count: int) -> int:
    """Write the cells of a list of texts that are not empty as one block; return the place after it."""
    shown = 0
    for item in range(count):
        if texts[start + item * width] != 0:
            shown += 1
    if shown > 0:
        place = put_varint(out, place, shown)
        for item in range(count):
            if texts[start + item * width] != 0:
                place = put_text(out, place, texts, start + item * width, width)
    return put_varint(out, place, 0)


@compiled
def is_null(cells: Matrices, row: int, step: Int64s) -> bool:
    """Tell whether a cell of a field that may be null is null."""
    what, column = step[WHAT], step[COLUMN]
    if what in (LONG, DECIMAL, BOOLEAN):
        return bool(cells.integers[row, column] == NULL)
    if what in (DOUBLE, FLOAT):
        return bool(np.isnan(cells.reals[row, column]))
    return bool(cells.texts[row, column] == 0)


@compiled
def put_value(out: Bytes, place: int, cells: Matrices, row: int, step: Int64s) -> int:
    """Write one cell; return the place after it."""
    what, column = step[WHAT], step[COLUMN]
    if what == LONG:
        return put_varint(out, place, cells.integers[row, column])
    if what == DOUBLE:
        return put_bits(out, place, np.float64(cells.reals[row, column]).view(np.uint64), 8)
    if what == DECIMAL:
        return put_decimal(out, place, cells.integers[row, column])
    if what == FLOAT:
        return put_bits(out, place, np.uint64(np.float32(cells.reals[row, column]).view(np.uint32)), 4)
    if what == BOOLEAN:
        out[place] = cells.integers[row, column] != 0
        return place + 1
    if what == TEXT:
        return put_text(out, place, cells.texts[row], column, step[WIDTH])
    return put_texts(out, place, cells.texts[row], column, step[WIDTH], step[COUNT])


@compiled
def encode_rows(header: Bytes, steps: Int64s, cells: Matrices, out: Bytes, ends: Int64s) -> None:
    """Write every row after the other, and where each ends."""
    place = 0
    for row in range(len(ends)):
        for byte in range(len(header)):
            out[place + byte] = header[byte]
        place += len(header)
        for number in range(len(steps)):
            step = steps[number]
            null = step[NULL_BRANCH]
            if null != REQUIRED:
                if is_null(cells, row, step):
                    place = put_varint(out, place, null)
                    continue
                place = put_varint(out, place, 1 - null)
            place = put_value(out, place, cells, row, step)
        ends[row] = place


class ColumnEncoder:
    """Encodes columns into values of one contract, header included."""

    def __init__(self, contract: Contract, schema_id: int) -> None:
        self._fields = tuple(_fields(contracts.load(contract), {}, ""))
        self._header = np.frombuffer(b"\x00" + schema_id.to_bytes(4, "big"), np.uint8)

    @property
    def fields(self) -> tuple[str, ...]:
        """The columns that ``encode`` needs."""
        return tuple(path for path, _, _ in self._fields)

    def encode(self, columns: Mapping[str, npt.NDArray[Any]]) -> tuple[memoryview, Int64s]:
        """Return one buffer with every value, and the place where each ends.

        Raises:
            KeyError: a field has no column.
        """
        integers: list[npt.NDArray[Any]] = []
        reals: list[npt.NDArray[Any]] = []
        texts: list[Bytes] = []
        steps: list[tuple[int, int, int, int, int]] = []
        width_of_texts = 0
        for path, what, null in self._fields:
            values = columns[path]
            if what in (LONG, DECIMAL, BOOLEAN):
                steps.append((what, len(integers), 0, 0, null))
                integers.append(values)
            elif what in (DOUBLE, FLOAT):
                steps.append((what, len(reals), 0, 0, null))
                reals.append(values)
            else:
                count = values.shape[1] if values.ndim == 2 else 1
                width = values.dtype.itemsize
                raw = np.ascontiguousarray(values).view(np.uint8).reshape(len(values), count * width)
                steps.append((what, width_of_texts, width, count, null))
                texts.append(raw)
                width_of_texts += count * width
        rows = len(columns[self._fields[0][0]])
        matrix = np.column_stack(integers).astype(np.int64, copy=False) if integers else np.zeros((rows, 0), np.int64)
        real_matrix = np.column_stack(reals).astype(np.float64, copy=False) if reals else np.zeros((rows, 0))
        text_matrix = np.hstack(texts) if texts else np.zeros((rows, 0), np.uint8)
        return self._write(np.array(steps, np.int64), matrix, real_matrix, text_matrix)

    def encode_matrices(
        self, integers: Int64s, reals: Float64s, texts: Bytes, widths: Mapping[str, tuple[int, int]]
    ) -> tuple[memoryview, Int64s]:
        """Encode columns that are already side by side, each kind in the order of ``fields_of``.

        ``widths`` gives, per field of text, its width in bytes and the number of its items.
        """
        steps: list[tuple[int, int, int, int, int]] = []
        places = {"integers": 0, "reals": 0, "texts": 0}
        for path, what, null in self._fields:
            kind = _KIND_OF[what]
            width, count = widths.get(path, (0, 0))
            steps.append((what, places[kind], width, count, null))
            places[kind] += width * count if kind == "texts" else 1
        return self._write(np.array(steps, np.int64), integers, reals, texts)

    def fields_of(self, kind: str) -> tuple[str, ...]:
        """Return the fields whose columns are "integers", "reals" or "texts", in their order."""
        return tuple(path for path, what, _ in self._fields if _KIND_OF[what] == kind)

    def _write(self, steps: Int64s, integers: Int64s, reals: Float64s, texts: Bytes) -> tuple[memoryview, Int64s]:
        rows = len(integers)
        longest = HEADER_BYTES + 11 * integers.shape[1] + 9 * reals.shape[1] + texts.shape[1]
        longest += sum(11 * (int(count) + 2) for count in steps[:, 3])
        out = np.empty(rows * longest + 1, np.uint8)
        ends = np.zeros(rows, np.int64)
        encode_rows(self._header, steps, Matrices(integers, reals, texts), out, ends)
        return out.data, ends


def _fields(schema: Any, names: dict[str, Any], prefix: str) -> list[tuple[str, int, int]]:
    """Return (path, what, null branch) of every primitive field."""
    found: list[tuple[str, int, int]] = []
    for entry in schema["fields"]:
        path = prefix + entry["name"]
        inner = _defined(entry["type"], names)
        null = REQUIRED
        if isinstance(inner, list):
            if len(inner) != 2 or "null" not in inner:
                raise UnsupportedSchema(f"{path}: only unions of null and one type are written by columns")
            null = inner.index("null")
            inner = _defined(inner[1 - null], names)
        kind = inner["type"] if isinstance(inner, dict) else inner
        if kind == "record":
            found += _fields(inner, names, path + ".")
        elif kind == "array" and _defined(inner["items"], names) == "string":
            found.append((path, TEXTS, null))
        elif kind == "bytes" and inner["logicalType"] == "decimal":
            found.append((path, DECIMAL, null))
        elif kind in _KINDS:
            found.append((path, _KINDS[kind], null))
        else:
            raise UnsupportedSchema(f"{path}: {kind} is not written by columns")
    return found


_KINDS = {
    "int": LONG,
    "long": LONG,
    "enum": LONG,
    "float": FLOAT,
    "double": DOUBLE,
    "string": TEXT,
    "boolean": BOOLEAN,
}


def _defined(schema: Any, names: dict[str, Any]) -> Any:
    if isinstance(schema, str):
        return names.get(schema.rsplit(".", 1)[-1], schema)
    if isinstance(schema, dict):
        if isinstance(schema["type"], dict):
            return _defined(schema["type"], names)
        if "name" in schema:
            names[schema["name"].rsplit(".", 1)[-1]] = schema
    return schema
