"""From records of a topic to rows of its table, as Arrow columns."""

import base64
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import pyarrow as pa

from loanpulse.schemas import contracts, dead_letters
from loanpulse.schemas.codec import Codec, CodecError
from loanpulse.schemas.columns import ColumnDecoder, Columns
from loanpulse.schemas.contracts import Contract
from loanpulse.schemas.registry import SchemaRegistry
from loanpulse.schemas.topics import DEAD_LETTERS, LIQUIDITY_ALERTS, LIQUIDITY_SNAPSHOTS
from loanpulse.schemas.violations import Violation

MILLISECONDS = pa.timestamp("ms", "UTC")
LOAD_STAGE = "LOAD"


class Message(Protocol):
    """What is needed of a consumed message (confluent-kafka's)."""

    def topic(self) -> str | None:
        """Return the record's topic."""

    def partition(self) -> int | None:
        """Return the record's partition."""

    def offset(self) -> int | None:
        """Return the record's offset."""

    def key(self) -> bytes | None:
        """Return the record's key."""

    def value(self) -> bytes | None:
        """Return the record's value."""

    def headers(self) -> list[tuple[str, bytes | None]] | None:
        """Return the record's headers."""

    def timestamp(self) -> tuple[int, int]:
        """Return the record's timestamp."""


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows by table: those of the topic's own, and dead letters for records that can't be rows."""

    table: str
    rows: pa.Table
    refused: pa.Table | None = None


class RowMaker:
    """Makes rows of the records that the loader takes. ``prefix`` is what topic names start with."""

    def __init__(self, registry: SchemaRegistry, prefix: str = "") -> None:
        self._codec = Codec(registry, prefix)
        self._snapshots = ColumnDecoder(Contract.LIQUIDITY_SNAPSHOT, registry)
        self._prefix = prefix
        self._makers: dict[str, Callable[[Sequence[Message]], Rows]] = {
            LIQUIDITY_SNAPSHOTS: self._snapshot_rows,
            LIQUIDITY_ALERTS: self._alert_rows,
            DEAD_LETTERS: self._letter_rows,
        }

    @property
    def topics(self) -> list[str]:
        """The topics (full names) that have a table."""
        return [self._prefix + name for name in self._makers]

    def rows(self, topic: str, messages: Sequence[Message]) -> Rows:
        """Return the rows of consecutive messages of one topic."""
        return self._makers[topic.removeprefix(self._prefix)](messages)

    def _snapshot_rows(self, messages: Sequence[Message]) -> Rows:
        columns = self._snapshots.decode([message.value() for message in messages])
        rows = _add_origin(table_of(columns, Contract.LIQUIDITY_SNAPSHOT), messages)
        good = columns.errors == 0
        if good.all():
            return Rows("snapshots", rows)
        bad = [(messages[place], Violation(int(columns.errors[place]))) for place in np.flatnonzero(~good).tolist()]
        return Rows("snapshots", rows.filter(pa.array(good)), _refused(bad))

    def _alert_rows(self, messages: Sequence[Message]) -> Rows:
        values: list[dict[str, Any]] = []
        taken: list[Message] = []
        bad: list[tuple[Message, Violation]] = []
        for message in messages:
            try:
                values.append(self._codec.decode(str(message.topic()), message.value()))
                taken.append(message)
            except CodecError as error:
                bad.append((message, error.code))
        rows = _add_origin(pa.Table.from_pylist(values, schema=ALERT_ROWS), taken)
        return Rows("alerts", rows, _refused(bad) if bad else None)

    def _letter_rows(self, messages: Sequence[Message]) -> Rows:
        rows = []
        for message in messages:
            try:
                letter = dead_letters.parse(message.key(), message.value(), message.headers())
            except ValueError as error:
                rows.append(_letter_row(message, LOAD_STAGE, "UNDECODABLE", str(error)))
                continue
            violation = letter.violation
            row = _letter_row(message, violation.stage, violation.name, violation.sentence)
            row.update(
                topic=letter.topic, partition=letter.partition, offset=letter.offset, record_time=letter.timestamp
            )
            rows.append(row)
        return Rows("dead_letters", _add_origin(pa.Table.from_pylist(rows, schema=LETTER_ROWS), messages))


LETTER_ROWS = pa.schema(
    {
        "topic": pa.string(),
        "partition": pa.uint32(),
        "offset": pa.int64(),
        "record_time": MILLISECONDS,
        "stage": pa.string(),
        "code": pa.string(),
        "message": pa.string(),
        "key": pa.string(),
        "value": pa.string(),
    }
)
_REASON = pa.struct(
    [
        pa.field("code", pa.string()),
        pa.field("points", pa.float64()),
        pa.field("text_en", pa.string()),
        pa.field("text_zh", pa.string()),
    ]
)


def _alert_schema() -> pa.Schema:
    kinds: dict[str, Any] = {
        "lhi": pa.float64(),
        "pd": pa.float64(),
        "confidence": pa.float64(),
        "runway_days": pa.float64(),
        "reasons": pa.list_(_REASON),
        "actions": pa.list_(pa.string()),
        "event_time": MILLISECONDS,
        "detection_time": MILLISECONDS,
    }
    fields = contracts.load(Contract.LIQUIDITY_ALERT)["fields"]
    return pa.schema({entry["name"]: kinds.get(entry["name"], pa.string()) for entry in fields})


ALERT_ROWS = _alert_schema()


def _add_origin(rows: pa.Table, messages: Sequence[Message]) -> pa.Table:
    count = len(messages)
    topic = messages[0].topic() if messages else ""
    return (
        rows.append_column("kafka_topic", pa.array([topic] * count, pa.string()))
        .append_column("kafka_partition", pa.array([message.partition() for message in messages], pa.uint32()))
        .append_column("kafka_offset", pa.array([message.offset() for message in messages], pa.int64()))
        .append_column("published_at", pa.array([message.timestamp()[1] for message in messages], MILLISECONDS))
    )


def _refused(bad: Sequence[tuple[Message, Violation]]) -> pa.Table:
    rows = [_letter_row(message, LOAD_STAGE, violation.name, violation.sentence) for message, violation in bad]
    return _add_origin(pa.Table.from_pylist(rows, schema=LETTER_ROWS), [message for message, _ in bad])


def _letter_row(message: Message, stage: str, code: str, sentence: str) -> dict[str, Any]:
    return {
        "topic": message.topic(),
        "partition": message.partition(),
        "offset": message.offset(),
        "record_time": message.timestamp()[1],
        "stage": stage,
        "code": code,
        "message": sentence,
        "key": _base64(message.key()),
        "value": _base64(message.value()),
    }


def _base64(data: bytes | None) -> str | None:
    return None if data is None else base64.b64encode(data).decode()


def table_of(columns: Columns, contract: Contract) -> pa.Table:
    """Return decoded columns as an Arrow table; fields of nested records become ``outer_inner``."""
    arrays: dict[str, pa.Array] = {}
    for path, schema in _leaves(contracts.load(contract), {}, ""):
        arrays[path.replace(".", "_")] = _array(columns, path, schema)
    return pa.table(arrays)


def _leaves(schema: Any, names: dict[str, Any], prefix: str) -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = []
    for entry in schema["fields"]:
        inner = entry["type"]
        if isinstance(inner, list):
            inner = next(branch for branch in inner if branch != "null")
        if isinstance(inner, str):
            inner = names.get(inner, {"type": inner})
        if "name" in inner:
            names[inner["name"]] = inner
        path = prefix + entry["name"]
        if inner["type"] == "record":
            found += _leaves(inner, names, path + ".")
        else:
            found.append((path, inner))
    return found


def _array(columns: Columns, path: str, schema: Any) -> pa.Array:
    kind, logical = schema["type"], schema.get("logicalType")
    absent = ~columns.is_present(path)
    missing = absent if absent.any() else None
    if kind == "array":
        starts, data, offsets = columns.text_lists(path)
        return pa.ListArray.from_arrays(pa.array(starts.astype(np.int32)), _texts(data, offsets))
    if kind == "string":
        return _texts(*columns.texts(path))
    if kind in ("float", "double"):
        values = columns.real(path)
        # NaN stands for "no evidence" on the wire; in the tables it is null, which averages pass over.
        return pa.array(values, pa.float32() if kind == "float" else pa.float64(), mask=np.isnan(values))
    integers = np.ascontiguousarray(columns.integer(path))
    if kind == "enum":
        symbols = pa.array(schema["symbols"], pa.string())
        return pa.DictionaryArray.from_arrays(pa.array(integers.astype(np.int32), mask=missing), symbols)
    if logical == "timestamp-millis":
        return pa.array(integers, pa.int64(), mask=missing).cast(MILLISECONDS)
    if logical == "date":
        return pa.array(integers.astype(np.int32), pa.int32(), mask=missing).cast(pa.date32())
    if logical == "decimal":
        return _decimals(integers, missing, schema["precision"], schema["scale"])
    return pa.array(integers, pa.int32() if kind == "int" else pa.int64(), mask=missing)


def _texts(data: Any, offsets: Any) -> pa.Array:
    return pa.StringArray.from_buffers(
        len(offsets) - 1, pa.py_buffer(offsets.astype(np.int32).tobytes()), pa.py_buffer(data.tobytes())
    )


def _decimals(unscaled: Any, missing: Any, precision: int, scale: int) -> pa.Array:
    words = np.empty((len(unscaled), 2), np.int64)
    words[:, 0] = unscaled
    words[:, 1] = unscaled >> 63
    valid = None if missing is None else pa.py_buffer(np.packbits(~missing, bitorder="little").tobytes())
    return pa.Array.from_buffers(pa.decimal128(precision, scale), len(unscaled), [valid, pa.py_buffer(words.tobytes())])
