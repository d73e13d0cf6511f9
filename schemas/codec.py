"""One record at a time between native Python values and the Confluent wire format.

The hot path uses ``loanpulse.schemas.decoder``; this codec is for everything else.
"""

from __future__ import annotations

import io
import struct
from copy import deepcopy
from typing import Any

import fastavro

from loanpulse.schemas import contracts
from loanpulse.schemas.contracts import Contract
from loanpulse.schemas.registry import SchemaRegistry, UnknownSchema
from loanpulse.schemas.topics import contract_of, topic_of
from loanpulse.schemas.violations import Violation

HEADER = struct.Struct(">bI")
"""The wire format's header: a zero byte and the schema id."""


class CodecError(ValueError):
    """A value cannot be encoded or decoded; `code` says why in the words of dead letters."""

    def __init__(self, code: Violation, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class Codec:
    """Encodes and decodes values by topic.

    Native values: Decimal for money, aware UTC datetime for times, date for dates, symbols as str for enums,
    plain values or None for optional fields. `prefix` is what topic names start with on the broker.
    """

    def __init__(self, registry: SchemaRegistry, prefix: str = "") -> None:
        self._registry = registry
        self._prefix = prefix
        self._parsed: dict[Contract, Any] = {}
        self._writers: dict[int, Any] = {}
        self._ids: dict[str, int] = {}

    def schema_id(self, topic: str) -> int:
        """The id under which this codec writes values of `topic`."""
        if topic not in self._ids:
            contract = contract_of(topic, self._prefix)
            subject = topic_of(topic, self._prefix).subject
            self._ids[topic] = self._registry.register(self._prefix + subject, contracts.load(contract))
        return self._ids[topic]

    def encode(self, topic: str, value: dict[str, Any]) -> bytes:
        """The whole value, header included; raises CodecError (UNDECODABLE) if it does not fit the contract."""
        out = io.BytesIO()
        out.write(HEADER.pack(0, self.schema_id(topic)))
        try:
            fastavro.schemaless_writer(
                out, self._reader(contract_of(topic, self._prefix)), value, strict_allow_default=True
            )
        except Exception as error:
            raise CodecError(
                Violation.UNDECODABLE, f"the value does not fit the contract of {topic}: {error}"
            ) from error
        return out.getvalue()

    def decode(self, topic: str, data: bytes | None) -> dict[str, Any]:
        """The value in native Python, resolved from its writer's schema to the current contract."""
        if data is None:
            raise CodecError(Violation.NO_VALUE, Violation.NO_VALUE.sentence)
        if len(data) < HEADER.size or data[0] != 0:
            raise CodecError(Violation.BAD_MAGIC, Violation.BAD_MAGIC.sentence)
        schema_id = HEADER.unpack_from(data)[1]
        writer = self._writer(schema_id)
        # Where the writer's schema is the current one there is nothing to resolve, and nothing to compare.
        current = schema_id == self._ids.get(topic)
        reader = None if current else self._reader(contract_of(topic, self._prefix))
        body = io.BytesIO(data[HEADER.size :])
        try:
            value = fastavro.schemaless_reader(body, writer, reader)
        except Exception as error:
            raise CodecError(Violation.UNDECODABLE, Violation.UNDECODABLE.sentence) from error
        if body.tell() != len(data) - HEADER.size or not isinstance(value, dict):
            raise CodecError(Violation.UNDECODABLE, Violation.UNDECODABLE.sentence)
        return value

    def _writer(self, schema_id: int) -> Any:
        if schema_id not in self._writers:
            try:
                schema = self._registry.schema(schema_id)
            except UnknownSchema as error:
                raise CodecError(Violation.UNKNOWN_SCHEMA, Violation.UNKNOWN_SCHEMA.sentence) from error
            self._writers[schema_id] = fastavro.parse_schema(deepcopy(schema))
        return self._writers[schema_id]

    def _reader(self, contract: Contract) -> Any:
        if contract not in self._parsed:
            self._parsed[contract] = fastavro.parse_schema(deepcopy(contracts.load(contract)))
        return self._parsed[contract]
