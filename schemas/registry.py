"""Schema registries: ids for schemas, and schemas for ids.

`LocalRegistry` needs no server: it derives stable ids from the files. `ConfluentRegistry` talks to a
Confluent-compatible server.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from typing import Any, Protocol

import orjson

from loanpulse.schemas import contracts
from loanpulse.schemas.contracts import Contract, Schema


class UnknownSchema(LookupError):
    """No schema is registered under the id."""


class RegistryUnavailable(ConnectionError):
    """The registry cannot be asked now. Nothing is said about the id: try again, refuse no record."""


class SchemaRegistry(Protocol):
    """What the codec needs of a registry."""

    def register(self, subject: str, schema: Schema) -> int:
        """The id of `schema` under `subject` (`<topic>-value`), registered if it was not yet."""

    def schema(self, schema_id: int) -> Schema:
        """The schema with this id; raises UnknownSchema, or RegistryUnavailable if it cannot be asked."""

    def is_registered(self, subject: str, schema: Schema) -> bool:
        """Whether ``schema`` is registered under ``subject``; nothing is changed. Raises RegistryUnavailable."""


def stable_id(schema: Schema) -> int:
    """An id in 1..2**31-1 derived from the schema.

    DecodedBatch from the SHA-256 of its JSON without docs and with sorted keys. Avro's own canonical form would also
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
        """The stable id of `schema`; the same under every subject."""
        schema_id = stable_id(schema)
        known = self._schemas.setdefault(schema_id, schema)
        if known is not schema and _without_docs(known) != _without_docs(schema):
            raise ValueError(f"{subject}: id {schema_id} belongs to another schema; change a field's default or order")
        return schema_id

    def schema(self, schema_id: int) -> Schema:
        """The schema with this id; raises UnknownSchema."""
        try:
            return self._schemas[schema_id]
        except KeyError:
            raise UnknownSchema(f"schema id {schema_id} is not in the local registry") from None

    def is_registered(self, subject: str, schema: Schema) -> bool:
        """Whether the id of ``schema`` is known; subjects are of no meaning here."""
        return stable_id(schema) in self._schemas


class RegistrySettings(Protocol):
    """What ``open_registry`` needs of the configuration; an empty ``url`` means the local registry."""

    @property
    def url(self) -> str:
        """Where the registry answers."""

    @property
    def username(self) -> str:
        """Who asks, empty for nobody."""

    @property
    def password(self) -> Any:
        """The secret, with ``get_secret_value()``."""


class ConfluentRegistry:
    """A Confluent-compatible registry over HTTP; what was asked once is remembered.

    Contracts are registered under BACKWARD_TRANSITIVE compatibility.
    """

    def __init__(self, url: str, username: str = "", password: str = "") -> None:
        from confluent_kafka.schema_registry import SchemaRegistryClient

        config: dict[str, Any] = {"url": url, "timeout": 10}
        if username:
            config["basic.auth.user.info"] = f"{username}:{password}"
        self._url = url
        self._client = SchemaRegistryClient(config)
        self._subjects: set[str] = set()

    def register(self, subject: str, schema: Schema) -> int:
        """The id of ``schema`` under ``subject``; raises RegistryUnavailable."""
        from confluent_kafka.schema_registry import Schema as RegisteredSchema

        text = orjson.dumps(schema).decode()
        if subject not in self._subjects:
            self._ask(lambda: self._client.set_compatibility(subject, "BACKWARD_TRANSITIVE"))
            self._subjects.add(subject)
        return int(self._ask(lambda: self._client.register_schema(subject, RegisteredSchema(text, "AVRO"))))

    def schema(self, schema_id: int) -> Schema:
        """The schema with this id; raises UnknownSchema or RegistryUnavailable."""
        found = self._ask(lambda: self._client.get_schema(schema_id))
        schema: Schema = orjson.loads(found.schema_str)
        return schema

    def is_registered(self, subject: str, schema: Schema) -> bool:
        """Whether ``schema`` is registered under ``subject``; raises RegistryUnavailable."""
        from confluent_kafka.schema_registry import Schema as RegisteredSchema

        text = orjson.dumps(schema).decode()
        try:
            self._ask(lambda: self._client.lookup_schema(subject, RegisteredSchema(text, "AVRO")))
        except UnknownSchema:
            return False
        return True

    def _ask(self, call: Callable[[], Any]) -> Any:
        from confluent_kafka.schema_registry.error import SchemaRegistryError

        try:
            return call()
        except SchemaRegistryError as error:
            if error.http_status_code in (404, 422):
                raise UnknownSchema(f"the registry at {self._url} does not know the schema: {error}") from error
            raise RegistryUnavailable(f"the registry at {self._url} answered with an error: {error}") from error
        except Exception as error:
            raise RegistryUnavailable(f"the registry at {self._url} can't be asked: {error}") from error


def open_registry(settings: RegistrySettings) -> SchemaRegistry:
    """The configured registry: a Confluent-compatible one where a url is given, else the local one."""
    if settings.url:
        return ConfluentRegistry(settings.url, settings.username, settings.password.get_secret_value())
    return LocalRegistry()
