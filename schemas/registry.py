"""Schema registries: ids for schemas, and schemas for ids.

``LocalRegistry`` needs no server: it derives stable ids from the files. The client of a registry server is in
``confluent_registry.py``.
"""

import hashlib
from collections.abc import Mapping
from typing import Any, Protocol

import orjson

from loanpulse.schemas import contracts
from loanpulse.schemas.contracts import Contract, Schema


class UnknownSchema(LookupError):
    """No schema is registered under the id."""


class RegistryUnavailable(ConnectionError):
    """The registry cannot be asked now. The id may be valid: try again, refuse no record."""


class SchemaRegistry(Protocol):
    """What the codec needs of a registry."""

    def register(self, subject: str, schema: Schema) -> int:
        """Return the id of ``schema`` under ``subject`` (``<topic>-value``), registered if it was not yet."""

    def schema(self, schema_id: int) -> Schema:
        """Return the schema with this id; raises UnknownSchema, or RegistryUnavailable if it cannot be asked."""

    def is_registered(self, subject: str, schema: Schema) -> bool:
        """Tell whether ``schema`` is registered under ``subject``, changing nothing; raises RegistryUnavailable."""


def stable_id(schema: Schema) -> int:
    """Return an id in 1..2**31-1 derived from the schema.

    Taken from the SHA-256 of its JSON without docs and with sorted keys. Avro's own canonical form would also
    drop logical types and defaults, and give money of two different scales the same id.
    """
    body = orjson.dumps(_without_docs(schema), option=orjson.OPT_SORT_KEYS)
    digest = int.from_bytes(hashlib.sha256(body).digest()[:4], "big") & 0x7FFFFFFF
    return digest or 1


def _without_docs(node: Any) -> Any:
    if isinstance(node, Mapping):
        # "doc" is dropped only where it documents; a default value may hold any key.
        return {key: value if key == "default" else _without_docs(value) for key, value in node.items() if key != "doc"}
    if isinstance(node, list):
        return [_without_docs(item) for item in node]
    return node


class LocalRegistry:
    """Knows the current contracts and every version in the committed history; new ones last for the process."""

    def __init__(self) -> None:
        self._schemas: dict[int, Schema] = {}
        for contract in Contract:
            self.register(contract.value, contracts.load(contract))
        for subject, versions in contracts.history().items():
            for version in versions:
                self.register(subject, version)

    def register(self, subject: str, schema: Schema) -> int:
        """Return the stable id of ``schema``; the same under every subject."""
        schema_id = stable_id(schema)
        known = self._schemas.setdefault(schema_id, schema)
        if known is not schema and _without_docs(known) != _without_docs(schema):
            raise ValueError(f"{subject}: id {schema_id} belongs to another schema; change a field's default or order")
        return schema_id

    def schema(self, schema_id: int) -> Schema:
        """Return the schema with this id; raises UnknownSchema."""
        try:
            return self._schemas[schema_id]
        except KeyError:
            raise UnknownSchema(f"schema id {schema_id} is not in the local registry") from None

    def is_registered(self, subject: str, schema: Schema) -> bool:
        """Tell whether the id of ``schema`` is known; subjects have no meaning here."""
        return stable_id(schema) in self._schemas
