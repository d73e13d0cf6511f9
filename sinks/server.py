"""A ClickHouse server over the native protocol."""

import functools
import ssl
import threading
from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from loanpulse.settings.model import WarehouseSection
from loanpulse.sinks.statements import filled
from loanpulse.sinks.warehouse import WarehouseError, WarehouseUnreachableError

INSERT_BLOCK = 1_048_576
FIRST_WITH_TOKENS = (22, 6)
"""The first server version that deduplicates by token; INSERT_SETTINGS are for this and later ones."""

INSERT_SETTINGS = {
    "async_insert": 0,
    "deduplicate_blocks_in_dependent_materialized_views": 1,
    "optimize_on_insert": 0,
    # On a cluster: the insert returns when the rows are on their shards, with the block's token.
    "insert_distributed_sync": 1,
}


class ServerWarehouse:
    """ClickHouse through clickhouse-driver: columns in and out, compressed, with fallback hosts.

    Each thread has its own connection. ``create`` creates the database if it is missing.
    """

    def __init__(self, settings: WarehouseSection, *, create: bool = True) -> None:
        from clickhouse_driver import Client

        self._threads = threading.local()
        self._opened: list[Any] = []
        hosts = [host.strip() for host in settings.host.split(",") if host.strip()]
        self.database = settings.database
        self._address = f"{settings.host}:{settings.port}"
        options: dict[str, Any] = {
            "port": settings.port,
            "user": settings.username,
            "password": settings.password.get_secret_value(),
            "secure": settings.secure,
            "compression": "lz4",
            "connect_timeout": settings.connect_timeout_seconds,
            "send_receive_timeout": settings.query_timeout_seconds,
            "sync_request_timeout": settings.connect_timeout_seconds,
            "alt_hosts": ",".join(f"{host}:{settings.port}" for host in hosts[1:]) or None,
            "client_name": "loanpulse",
        }
        if settings.secure:
            options["ca_certs"] = settings.ca_location or ssl.get_default_verify_paths().cafile
        self._new_client = functools.partial(Client, hosts[0], **options)
        if create:
            first = self._new_client(database="default")
            # Checked first: a user without the right to CREATE DATABASE can use one that exists.
            known = f"SELECT count() FROM system.databases WHERE name = '{settings.database}'"
            if not self._ask(lambda: first.execute(known))[0][0]:
                self._ask(lambda: first.execute(f"CREATE DATABASE IF NOT EXISTS {settings.database}"))
            first.disconnect()

    @property
    def is_compressed(self) -> bool:
        """True if blocks are compressed on the connection."""
        return self._client.connection.compressor_cls is not None

    @property
    def _client(self) -> Any:
        """The calling thread's own connection."""
        client = getattr(self._threads, "client", None)
        if client is None:
            client = self._threads.client = self._new_client(database=self.database)
            self._opened.append(client)
        return client

    def execute(self, statement: str) -> None:
        """Run one statement; raises WarehouseError."""
        self._ask(lambda: self._client.execute(statement))

    def query(self, statement: str, parameters: Mapping[str, Any] | None = None) -> pa.Table:
        """Return a query's result; raises WarehouseError."""
        text = filled(statement, parameters or {})
        columns, described = self._ask(lambda: self._client.execute(text, with_column_types=True, columnar=True))
        if not described:
            return pa.table({})
        filled_columns = columns or [[] for _ in described]
        return pa.table({name: _arrow(values) for (name, _), values in zip(described, filled_columns, strict=True)})

    def insert(self, table: str, rows: pa.Table, token: str = "") -> None:
        """Insert rows by column names, all or none (one block up to a million rows)."""
        if not rows.num_rows:
            return
        names = ", ".join(rows.column_names)
        values = [_column(rows.column(name)) for name in rows.column_names]
        statement = f"INSERT INTO {table} ({names}) VALUES"
        self._ask(lambda: self._client.execute(statement, values, columnar=True, settings=self._insert_settings(token)))

    def close(self) -> None:
        """Close the connections of all threads."""
        for client in self._opened:
            client.disconnect()

    def _insert_settings(self, token: str) -> dict[str, Any]:
        connection = self._client.connection
        if not connection.connected:
            connection.connect()
        server = connection.server_info
        settings: dict[str, Any] = {"insert_block_size": INSERT_BLOCK}
        if (server.version_major, server.version_minor) >= FIRST_WITH_TOKENS:
            settings |= INSERT_SETTINGS
            if token:
                settings["insert_deduplication_token"] = token
        return settings

    def _ask(self, call: Any) -> Any:
        from clickhouse_driver import errors

        try:
            return call()
        except (errors.NetworkError, errors.SocketTimeoutError, EOFError, OSError) as error:
            raise WarehouseUnreachableError(
                f"no ClickHouse answers at {self._address}: {error}; check warehouse.host and warehouse.port"
            ) from error
        except errors.Error as error:
            raise WarehouseError(str(error).split("Stack trace", 1)[0].strip()) from error


def _column(column: pa.ChunkedArray) -> list[Any]:
    if pa.types.is_struct(getattr(column.type, "value_type", pa.null())):
        return [[tuple(item.values()) for item in items] for items in column.to_pylist()]
    if pa.types.is_timestamp(column.type):
        column = column.cast(pa.int64())  # the driver takes milliseconds as they are
    values: list[Any] = column.to_pylist()
    return values


def _arrow(values: Any) -> pa.Array:
    try:
        return pa.array(values)
    except (pa.ArrowInvalid, pa.ArrowTypeError):
        return pa.array([str(value) for value in values])
