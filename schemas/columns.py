"""Many bodies to columns at once, compiled, without a Python object per cell.

The result has, for every primitive field of the contract (fields of nested records as ``outer.inner``), a column of
integers (int, long, enum as the ordinal in the current contract, timestamp in ms, date in days, decimal unscaled,
boolean), of reals (float, double), or of text as places in the joined bodies. One bad body never disturbs others.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from loanpulse.schemas import contracts
from loanpulse.schemas.column_plan import (
    BOOLEAN,
    DECIMAL,
    DOUBLE,
    ENUM,
    FIXED,
    FLOAT,
    LONG,
    LONG_AS_REAL,
    TEXT,
    TEXTS,
    UNION,
    Layout,
    Plan,
    UnsupportedSchema,
    layout_of,
    plan_for,
)
from loanpulse.schemas.compiled import compiled
from loanpulse.schemas.contracts import Contract
from loanpulse.schemas.registry import SchemaRegistry, UnknownSchema
from loanpulse.schemas.spans import Spans
from loanpulse.schemas.violations import Violation

Bytes = npt.NDArray[np.uint8]
Int64s = npt.NDArray[np.int64]
Float64s = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

HEADER_BYTES = 5
NO_VALUE, BAD_MAGIC, UNKNOWN_SCHEMA, UNDECODABLE = (
    int(Violation.NO_VALUE),
    int(Violation.BAD_MAGIC),
    int(Violation.UNKNOWN_SCHEMA),
    int(Violation.UNDECODABLE),
)


@dataclass(frozen=True, slots=True)
class Columns:
    """Decoded bodies. ``errors`` holds a ``Violation`` per body (0 = fine); cells of a bad body are of no meaning.

    The matrices have a row per body; ``layout`` says which column is whose. Text is ``data[start : start + length]``.
    """

    errors: Bytes
    data: Bytes
    integers: Int64s
    reals: Float64s
    starts: Int64s
    lengths: Int64s
    present: Flags
    layout: Layout

    def __len__(self) -> int:
        return len(self.errors)

    def rows(self, chosen: Int64s) -> "Columns":
        """Return the chosen rows."""
        return Columns(
            self.errors[chosen],
            self.data,
            self.integers[chosen],
            self.reals[chosen],
            self.starts[chosen],
            self.lengths[chosen],
            self.present[chosen],
            self.layout,
        )

    def integer(self, path: str) -> Int64s:
        """Return the integer column of a field."""
        column: Int64s = self.integers[:, self.layout.columns[path].place]
        return column

    def real(self, path: str) -> Float64s:
        """Return the real column of a field."""
        column: Float64s = self.reals[:, self.layout.columns[path].place]
        return column

    def text(self, path: str, row: int) -> bytes:
        """Return the UTF-8 bytes of a text cell."""
        place = self.layout.columns[path].place
        start = self.starts[row, place]
        return self.data[start : start + self.lengths[row, place]].tobytes()

    def texts(self, path: str) -> tuple[Bytes, Int64s]:
        """Return a text column as one buffer and the places where each begins, and at last where all end."""
        place = self.layout.columns[path].place
        return self._gathered(self.starts[:, place], self.lengths[:, place])

    def text_lists(self, path: str) -> tuple[Int64s, Bytes, Int64s]:
        """Return a column of lists of texts: where each list begins among the items, and the items as by ``texts``."""
        place = self.layout.columns[path].place
        starts, lengths = self.starts[:, place].copy(), self.lengths[:, place].copy()
        counts = np.zeros(len(self), np.int64)
        total = find_texts(self.data, starts, lengths, counts, np.zeros(0, np.int64))
        found = np.zeros(2 * total, np.int64)
        find_texts(self.data, starts, lengths, counts, found)
        buffer, offsets = self._gathered(found[0::2], found[1::2])
        return np.concatenate([[0], np.cumsum(counts)]), buffer, offsets

    def _gathered(self, starts: Int64s, lengths: Int64s) -> tuple[Bytes, Int64s]:
        offsets = np.concatenate([[0], np.cumsum(lengths)])
        out = np.zeros(int(offsets[-1]), np.uint8)
        copy_texts(self.data, np.ascontiguousarray(starts), np.ascontiguousarray(lengths), out)
        return out, offsets

    def is_present(self, path: str) -> Flags:
        """Return where a field is not null."""
        column: Flags = self.present[:, self.layout.columns[path].number]
        return column


@compiled
def read_headers(data: Bytes, begins: Int64s, ends: Int64s, errors: Bytes, schema_ids: Int64s) -> None:
    """Read each body's magic byte and schema id."""
    for row in range(len(ends)):
        start = begins[row]
        size = ends[row] - start
        if errors[row] == 0:
            if size < HEADER_BYTES or data[start] != 0:
                errors[row] = BAD_MAGIC
            else:
                value: Any = 0
                for byte in range(1, HEADER_BYTES):
                    value = (value << 8) | np.int64(data[start + byte])
                schema_ids[row] = value


@compiled
def read_varint(data: Bytes, place: int, end: int) -> tuple[Any, int]:
    """Return a zigzag varint at ``place`` and the place after it, -1 where it runs past ``end``."""
    value = np.uint64(0)
    for byte in range(10):
        if place >= end:
            return 0, -1
        part = np.uint64(data[place])
        place += 1
        value |= (part & np.uint64(0x7F)) << np.uint64(7 * byte)
        if part < np.uint64(0x80):
            return np.int64(value >> np.uint64(1)) ^ -np.int64(value & np.uint64(1)), place
    return 0, -1


@compiled
def read_big_endian(data: Bytes, place: int, size: int) -> tuple[Any, bool]:
    """Return a two's complement number of ``size`` bytes, and whether it fits 64 bits."""
    if size == 0:
        return 0, True
    value = np.int64(-1) if data[place] >= 0x80 else np.int64(0)
    sign = value
    for byte in range(size):
        if size - byte > 8 and np.int64(data[place + byte]) != (sign & 0xFF):
            return 0, False
        value = (value << 8) | np.int64(data[place + byte])
    fits = size <= 8 or (value < 0) == (sign < 0)
    return value, bool(fits)


@compiled
def skip_texts(data: Bytes, place: int, end: int) -> int:
    """Return the place after a list of texts, -1 where it does not fit."""
    while place >= 0:
        count, place = read_varint(data, place, end)
        if place < 0 or count == 0:
            return place
        if count < 0:
            count = -count
            _, place = read_varint(data, place, end)
        for _ in range(count):
            if place < 0:
                return -1
            size, place = read_varint(data, place, end)
            if place < 0 or size < 0 or size > end - place:
                return -1
            place += size
    return place


@compiled
def find_texts(data: Bytes, starts: Int64s, lengths: Int64s, counts: Int64s, found: Int64s) -> int:
    """Fill, for each row's list of texts, its number of items, and the (start, length) of each into ``found``.

    ``found`` may be too short: returns how many items there are in all.
    """
    total = 0
    for row in range(len(starts)):
        place = starts[row]
        end = starts[row] + lengths[row]
        counts[row] = 0
        while 0 <= place < end:
            count, place = read_varint(data, place, end)
            if count == 0:
                break
            if count < 0:
                count = -count
                _, place = read_varint(data, place, end)
            for _ in range(count):
                size, place = read_varint(data, place, end)
                if 2 * total + 1 < len(found):
                    found[2 * total] = place
                    found[2 * total + 1] = size
                total += 1
                counts[row] += 1
                place += size
    return total


@compiled
def copy_texts(data: Bytes, starts: Int64s, lengths: Int64s, out: Bytes) -> None:
    """Copy texts one after the other into ``out``."""
    place = 0
    for row in range(len(starts)):
        for byte in range(lengths[row]):
            out[place + byte] = data[starts[row] + byte]
        place += lengths[row]


@compiled
def decode_bodies(
    data: Bytes,
    begins: Int64s,
    ends: Int64s,
    chosen: Flags,
    steps: npt.NDArray[np.int32],
    owners: npt.NDArray[np.int32],
    symbols: npt.NDArray[np.int32],
    errors: Bytes,
    integers: Int64s,
    reals: Float64s,
    starts: Int64s,
    lengths: Int64s,
    present: Flags,
) -> None:
    """Walk the plan's steps over every chosen body."""
    word = np.zeros(1, np.uint64)
    double = word.view(np.float64)
    half = np.zeros(1, np.uint32)
    single = half.view(np.float32)
    for row in range(len(ends)):
        place = begins[row]
        end = ends[row]
        if not chosen[row]:
            continue
        place += HEADER_BYTES
        step = 0
        while step < len(steps) and place >= 0:
            what = steps[step, 0]
            if what == UNION:
                branch, place = read_varint(data, place, end)
                if place >= 0:
                    if branch == steps[step, 2]:
                        step += steps[step, 4]
                    elif branch < 0 or branch > 1:
                        place = -1
                step += 1
                continue
            owner = owners[step]
            if what in (LONG, LONG_AS_REAL):
                value, place = read_varint(data, place, end)
                if steps[step, 1] >= 0:
                    integers[row, steps[step, 1]] = value
                elif steps[step, 2] >= 0:
                    reals[row, steps[step, 2]] = value
            elif what == ENUM:
                value, place = read_varint(data, place, end)
                if value < 0 or value >= symbols[steps[step, 4]]:
                    place = -1
                else:
                    value = np.int64(symbols[steps[step, 4] + 1 + value])
                    integers[row, steps[step, 1]] = value
                    if value < 0:
                        place = -1
            elif what in (DECIMAL, TEXT):
                size, place = read_varint(data, place, end)
                if place < 0 or size < 0 or size > end - place:
                    place = -1
                else:
                    if what == DECIMAL:
                        value, fits = read_big_endian(data, place, size)
                        integers[row, steps[step, 1]] = value
                        place = place + size if fits else -1
                    else:
                        if steps[step, 3] >= 0:
                            starts[row, steps[step, 3]] = place
                            lengths[row, steps[step, 3]] = size
                        place += size
            elif what == TEXTS:
                begin = place
                place = skip_texts(data, place, end)
                if steps[step, 3] >= 0 and place >= 0:
                    starts[row, steps[step, 3]] = begin
                    lengths[row, steps[step, 3]] = place - begin
            elif what == BOOLEAN:
                if place >= end or data[place] > 1:
                    place = -1
                else:
                    if steps[step, 1] >= 0:
                        integers[row, steps[step, 1]] = data[place]
                    place += 1
            elif what == DOUBLE:
                if place + 8 > end:
                    place = -1
                else:
                    bits = np.uint64(0)
                    for byte in range(8):
                        bits |= np.uint64(data[place + byte]) << np.uint64(8 * byte)
                    word[0] = bits
                    if steps[step, 2] >= 0:
                        reals[row, steps[step, 2]] = double[0]
                    place += 8
            elif what == FLOAT:
                if place + 4 > end:
                    place = -1
                else:
                    small = np.uint32(0)
                    for byte in range(4):
                        small |= np.uint32(data[place + byte]) << np.uint32(8 * byte)
                    half[0] = small
                    if steps[step, 2] >= 0:
                        reals[row, steps[step, 2]] = single[0]
                    place += 4
            elif what == FIXED:
                place += steps[step, 4]
                if place > end:
                    place = -1
            if owner >= 0:
                present[row, owner] = True
            step += 1
        if place != end:
            errors[row] = UNDECODABLE


@dataclass(frozen=True, slots=True)
class _Writer:
    plan: Plan
    owners: npt.NDArray[np.int32]


class ColumnDecoder:
    """Decodes the values of one contract; knows every writer schema that the registry knows."""

    def __init__(self, contract: Contract, registry: SchemaRegistry) -> None:
        self._reader = contracts.load(contract)
        self._registry = registry
        self.layout = layout_of(self._reader)
        self._writers: dict[int, _Writer | None] = {}

    def decode(self, values: Sequence[bytes | None] | Spans) -> Columns:
        """Decode whole values (header included). Raises RegistryUnavailable where an id can't be asked for now."""
        spans = values if isinstance(values, Spans) else Spans.of(values)
        count = len(spans)
        layout = self.layout
        columns = Columns(
            np.zeros(count, np.uint8),
            spans.data,
            np.zeros((count, layout.integers), np.int64),
            np.full((count, layout.reals), np.nan),
            np.zeros((count, layout.texts), np.int64),
            np.zeros((count, layout.texts), np.int64),
            np.zeros((count, len(layout.columns)), np.bool_),
            layout,
        )
        self.decode_into(columns, spans, np.ones(count, np.bool_))
        return columns

    def decode_into(self, columns: Columns, spans: Spans, wanted: Flags) -> None:
        """Decode the wanted values into their rows of ``columns``, whose ``data`` is that of ``spans``.

        Raises:
            RegistryUnavailable: a schema id is new and the registry can't be asked for now.
        """
        columns.errors[wanted & spans.missing] = NO_VALUE
        errors = np.where(wanted, columns.errors, UNDECODABLE).astype(np.uint8)
        schema_ids = np.full(len(spans), -1, np.int64)
        read_headers(columns.data, spans.starts, spans.ends, errors, schema_ids)
        columns.errors[wanted] = errors[wanted]
        for schema_id in np.unique(schema_ids[errors == 0]).tolist():
            chosen = (schema_ids == schema_id) & (errors == 0)
            self._decode_group(schema_id, chosen, spans.starts, spans.ends, columns)

    def _decode_group(self, schema_id: int, chosen: Flags, begins: Int64s, ends: Int64s, columns: Columns) -> None:
        writer = self._writer(schema_id)
        if writer is None:
            columns.errors[chosen] = UNKNOWN_SCHEMA
            return
        for path in writer.plan.missing:
            self._fill_default(path, chosen, columns)
        decode_bodies(
            columns.data,
            begins,
            ends,
            chosen,
            writer.plan.steps,
            writer.owners,
            writer.plan.symbols,
            columns.errors,
            columns.integers,
            columns.reals,
            columns.starts,
            columns.lengths,
            columns.present,
        )

    def _fill_default(self, path: str, chosen: Flags, columns: Columns) -> None:
        column = self.layout.columns[path]
        default = column.default
        if default is None:
            return
        columns.present[chosen, column.number] = True
        if column.kind == "integer" and isinstance(default, (int, bool)):
            columns.integers[chosen, column.place] = int(default)
        elif column.kind == "real":
            columns.reals[chosen, column.place] = float(default)

    def _writer(self, schema_id: int) -> _Writer | None:
        if schema_id not in self._writers:
            try:
                plan = plan_for(self._registry.schema(schema_id), self._reader, self.layout)
            except (UnknownSchema, UnsupportedSchema):
                return None  # not remembered: it may be registered later
            self._writers[schema_id] = _Writer(plan, self._owners(plan))
        return self._writers[schema_id]

    def _owners(self, plan: Plan) -> npt.NDArray[np.int32]:
        """Return, per step, the field whose presence it shows."""
        by_place = {(column.kind, column.place): column.number for column in self.layout.columns.values()}
        owners = np.full(len(plan.steps), -1, np.int32)
        for step, (_, integer, real, text, _) in enumerate(plan.steps.tolist()):
            if plan.steps[step, 0] == UNION:
                continue
            for kind, place in (("integer", integer), ("real", real), ("text", text)):
                if place >= 0:
                    owners[step] = by_place[kind, place]
        return owners
