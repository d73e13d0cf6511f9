"""The embedded warehouse: the ClickHouse engine in this process, its tables in a folder."""

import fcntl
import os
import re
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa

from loanpulse.sinks.warehouse import WarehouseError, WarehouseUnreachableError

# Rows that replace each other have equal times, so FINAL need not compare one month with another.
PARTITIONS_APART = "do_not_merge_across_partitions_select_final = 1"
INSERT_SETTINGS = (
    "async_insert = 0",
    # A repeated block also reaches the aggregates, which ignore it by its token as the table does.
    "deduplicate_blocks_in_dependent_materialized_views = 1",
    # One block of rows is one part per partition of the table: all or none.
    "max_insert_block_size = 10000000",
    "min_insert_block_size_rows = 10000000",
    "min_insert_block_size_bytes = 0",
    # Rows replace each other when parts are merged; to do it at every insert too costs more than the insert.
    "optimize_on_insert = 0",
)
# The only way in which a SELECT can write: a file, as this process's user.
OUTFILE = re.compile(r"\binto\s+outfile\b", re.IGNORECASE)


class EmbeddedWarehouse:
    """chDB over a folder, locked by one process at a time. Threads may share it; calls are serialised.

    Raises:
        WarehouseUnreachableError: another process has locked the folder.
    """

    def __init__(self, path: Path, database: str, *, create: bool = True) -> None:
        from chdb import session

        path.mkdir(parents=True, exist_ok=True)
        self._lock = self._lock_folder(path)
        self._session = session.Session(str(path / "tables"))
        self._path = path
        self._asking = threading.Lock()
        self._readers: list[ReadOnlySession] = []
        self.database = database
        if create:
            self.execute(f"CREATE DATABASE IF NOT EXISTS {database}")
        self.execute(f"USE {database}")
        for setting in (*INSERT_SETTINGS, PARTITIONS_APART):
            self.execute(f"SET {setting}")

    @staticmethod
    def _lock_folder(path: Path) -> int:
        lock = os.open(path / "held", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(lock)
            raise WarehouseUnreachableError(
                f"the warehouse in {path} is locked by another process, most likely the loader; "
                "stop it, or query it with `loanpulse query`"
            ) from None
        return lock

    def execute(self, statement: str) -> None:
        """Run one statement; raises WarehouseError."""
        with self._asking:
            _run(self._session, statement)

    def query(self, statement: str, parameters: Mapping[str, Any] | None = None) -> pa.Table:
        """Return a query's result; raises WarehouseError."""
        with self._asking:
            return _table(self._session, statement, parameters)

    def insert(self, table: str, rows: pa.Table, token: str = "") -> None:
        """Insert rows by column names, all or none."""
        if not rows.num_rows:
            return
        # The engine finds the Arrow table by the name of the local variable.
        arrow_rows = rows
        names = ", ".join(arrow_rows.column_names)
        settings = f" SETTINGS insert_deduplication_token = '{token}'" if token else ""
        statement = f"INSERT INTO {table} ({names}){settings} SELECT {names} FROM Python(arrow_rows)"
        with self._asking:
            _run(self._session, statement, arrow_rows)

    def reader(self) -> "ReadOnlySession":
        """Return a read-only session for queries of other processes; it closes with the warehouse."""
        reader = ReadOnlySession(self._path, self.database)
        self._readers.append(reader)
        return reader

    def close(self) -> None:
        """Close all sessions and unlock the folder."""
        for reader in self._readers:
            reader.close()
        self._session.close()
        os.close(self._lock)


class ReadOnlySession:
    """A session over the same engine in which the engine refuses every statement that would change something."""

    def __init__(self, path: Path, database: str) -> None:
        from chdb import session

        self._session = session.Session(str(path / "tables"))
        _run(self._session, f"USE {database}")
        _run(self._session, "SET max_execution_time = 60")
        _run(self._session, f"SET {PARTITIONS_APART}")
        _run(self._session, "SET readonly = 1")

    def query(self, statement: str, parameters: Mapping[str, Any] | None = None) -> pa.Table:
        """Return the result of a statement that reads; raises WarehouseError."""
        if OUTFILE.search(statement):
            raise WarehouseError("INTO OUTFILE is refused: use `loanpulse query --format … > file`")
        return _table(self._session, statement, parameters)

    def close(self) -> None:
        """End the session."""
        self._session.close()


def _table(session: Any, statement: str, parameters: Mapping[str, Any] | None) -> pa.Table:
    try:
        result = session.query(statement, "ArrowTable", params=dict(parameters or {}))
    except Exception as error:
        raise WarehouseError(_reason(error)) from error
    return result if isinstance(result, pa.Table) else pa.table({})


def _run(session: Any, statement: str, arrow_rows: pa.Table | None = None) -> None:
    try:
        session.query(statement)
    except Exception as error:
        raise WarehouseError(_reason(error)) from error


def _reason(error: Exception) -> str:
    """Return the engine's sentence without its stack."""
    return str(error).split("Stack trace", 1)[0].split("\n", 1)[0].strip()
