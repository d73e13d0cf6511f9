"""The client of a Confluent-compatible schema registry, and the choice between it and the local one.

The client library is imported only where a registry server is configured: importing it takes long.
"""

from collections.abc import Callable
from typing import Any, Protocol

import orjson

from loanpulse.schemas.contracts import Schema
from loanpulse.schemas.registry import LocalRegistry, RegistryUnavailable, SchemaRegistry, UnknownSchema


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
    """A Confluent-compatible registry over HTTP. Answers are cached.

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
        """Return the id of ``schema`` under ``subject``; raises RegistryUnavailable."""
        from confluent_kafka.schema_registry import Schema as RegisteredSchema

        text = orjson.dumps(schema).decode()
        if subject not in self._subjects:
            self._ask(lambda: self._client.set_compatibility(subject, "BACKWARD_TRANSITIVE"))
            self._subjects.add(subject)
        return int(self._ask(lambda: self._client.register_schema(subject, RegisteredSchema(text, "AVRO"))))

    def schema(self, schema_id: int) -> Schema:
        """Return the schema with this id; raises UnknownSchema or RegistryUnavailable."""
        found = self._ask(lambda: self._client.get_schema(schema_id))
        schema: Schema = orjson.loads(found.schema_str)
        return schema

    def is_registered(self, subject: str, schema: Schema) -> bool:
        """Tell whether ``schema`` is registered under ``subject``; raises RegistryUnavailable."""
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
    """Return the configured registry: a Confluent-compatible one where a url is given, else the local one."""
    if settings.url:
        return ConfluentRegistry(settings.url, settings.username, settings.password.get_secret_value())
    return LocalRegistry()
