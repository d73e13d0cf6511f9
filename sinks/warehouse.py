"""The interface to ClickHouse that a server and the embedded engine implement."""

from collections.abc import Mapping
from typing import Any, Protocol

import pyarrow as pa


class WarehouseError(RuntimeError):
    """The warehouse refused a statement; trying the same again will not help."""


class WarehouseUnreachableError(WarehouseError):
    """The warehouse can't be reached now; trying again may help."""


class Warehouse(Protocol):
    """A database of tables. Parameters are ClickHouse's own: ``{name:Type}`` in the statement."""

    def execute(self, statement: str) -> None:
        """Run one statement; raises WarehouseError."""

    def query(self, statement: str, parameters: Mapping[str, Any] | None = None) -> pa.Table:
        """Return a query's result; raises WarehouseError."""

    def insert(self, table: str, rows: pa.Table, token: str = "") -> None:
        """Insert rows by column names, all or none; the table ignores a block whose ``token`` it knows."""

    def close(self) -> None:
        """Close the connections."""
