"""Converts records of a topic to rows of its table, as Arrow columns."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from loanpulse.schemas import dead_letters, rules
from loanpulse.schemas.codec import Codec, CodecError
from loanpulse.schemas.column_plan import UnsupportedSchema
from loanpulse.schemas.contracts import Contract
from loanpulse.schemas.decoder import ColumnDecoder
from loanpulse.schemas.registry import SchemaRegistry
from loanpulse.schemas.sources import EVENT_CONTRACTS
from loanpulse.schemas.spans import Spans
from loanpulse.schemas.topics import full_name
from loanpulse.schemas.violations import Violation
from loanpulse.sinks.arrow_columns import MILLISECONDS, carried_by_columns, table_of
from loanpulse.sinks.arrow_values import table_of_values
from loanpulse.sinks.tables import TABLES, TopicTable

LOAD_STAGE = "LOAD"
DEAD_LETTER_TABLE = "dead_letters"


class Message(Protocol):
    """The part of a consumed message (confluent-kafka's) that this module reads."""

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
    """The rows of a topic's table, and the dead letters of the records that were refused."""

    table: str
    rows: pa.Table
    refused: pa.Table | None = None


class RowMaker:
    """Makes rows of consumed records. ``prefix`` is the start of all topic names.

    The loader applies the same validation as the worker. Invalid events go to ``dead_letters``; the row has the same
    key as the row of the worker's own dead letter, so one replaces the other.
    """

    def __init__(self, registry: SchemaRegistry, prefix: str = "", currency: str = "CNY") -> None:
        self._codec = Codec(registry, prefix)
        self._currency = currency
        self._tables = {full_name(table.topic, prefix): table for table in TABLES}
        self._decoders = {table.name: _decoder(table, registry) for table in TABLES}

    @property
    def topics(self) -> list[str]:
        """The topics (full names) that have a table."""
        return list(self._tables)

    def rows(self, topic: str, messages: Sequence[Message]) -> Rows:
        """Return the rows of consecutive messages of one topic."""
        table = self._tables[topic]
        if table.contract is None:
            return Rows(table.name, _letters(messages))
        messages = [message for message in messages if message.value() is not None]  # a tombstone makes no row
        decoder = self._decoders[table.name]
        if decoder is None:
            return self._by_values(table, table.contract, topic, messages)
        columns = decoder.decode([message.value() for message in messages])
        if table.contract in EVENT_CONTRACTS:
            keys = Spans.of([message.key() for message in messages])
            rules.check(columns, table.contract, keys, self._currency)
        rows = _filled(_add_origin(table_of(columns, table.contract), messages), table)
        good = columns.errors == 0
        if good.all():
            return Rows(table.name, rows)
        bad = [(messages[place], Violation(int(columns.errors[place]))) for place in np.flatnonzero(~good).tolist()]
        return Rows(table.name, rows.filter(pa.array(good)), _refused(bad, table.contract))

    def _by_values(self, table: TopicTable, contract: Contract, topic: str, messages: Sequence[Message]) -> Rows:
        values: list[dict[str, Any]] = []
        taken: list[Message] = []
        bad: list[tuple[Message, Violation]] = []
        for message in messages:
            try:
                values.append(self._codec.decode(topic, message.value()))
                taken.append(message)
            except CodecError as error:
                bad.append((message, error.code))
        rows = _filled(_add_origin(table_of_values(values, contract), taken), table)
        return Rows(table.name, rows, _refused(bad, contract) if bad else None)


def _decoder(table: TopicTable, registry: SchemaRegistry) -> ColumnDecoder | None:
    """Return the decoder of a table's topic, None if the contract has fields that it can't read by columns."""
    if table.contract is None:
        return None
    try:
        decoder = ColumnDecoder(table.contract, registry)
    except UnsupportedSchema:
        return None
    return decoder if carried_by_columns(decoder.layout.columns, table.contract) else None


def _filled(rows: pa.Table, table: TopicTable) -> pa.Table:
    """Replace null in columns that are not nullable, by the value that ``table.filled`` names."""
    for name, expression in table.filled.items():
        column = rows.column(name)
        if column.null_count:
            default = "" if expression == "''" else rows.column(expression)
            rows = rows.set_column(rows.column_names.index(name), name, pc.coalesce(column, default))
    return rows


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


def _letters(messages: Sequence[Message]) -> pa.Table:
    """Return dead letters as rows, 8 µs each.

    The content is in headers, which the client returns as Python objects anyway, so columns would save nothing.
    """
    rows = []
    for message in messages:
        try:
            letter = dead_letters.parse(message.key(), message.value(), message.headers())
        except ValueError as error:
            rows.append(_letter_row(message, LOAD_STAGE, "UNDECODABLE", str(error)))
            continue
        violation = letter.violation
        row = _letter_row(message, violation.stage, violation.name, violation.sentence)
        row.update(topic=letter.topic, partition=letter.partition, offset=letter.offset, record_time=letter.timestamp)
        rows.append(row)
    return _add_origin(pa.Table.from_pylist(rows, schema=LETTER_ROWS), messages)


def _add_origin(rows: pa.Table, messages: Sequence[Message]) -> pa.Table:
    return (
        rows.append_column("kafka_partition", pa.array([message.partition() for message in messages], pa.uint32()))
        .append_column("kafka_offset", pa.array([message.offset() for message in messages], pa.int64()))
        .append_column("published_at", pa.array([message.timestamp()[1] for message in messages], MILLISECONDS))
    )


def _refused(bad: Sequence[tuple[Message, Violation]], contract: Contract) -> pa.Table:
    is_event = contract in EVENT_CONTRACTS
    rows = [
        _letter_row(message, violation.stage if is_event else LOAD_STAGE, violation.name, violation.sentence)
        for message, violation in bad
    ]
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
