"""Erases a borrower from every table, and searches every text column for one."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

import pyarrow as pa

from loanpulse.sinks.cluster import LOCAL
from loanpulse.sinks.statements import filled
from loanpulse.sinks.warehouse import Warehouse

AUDIT_TABLE = "erasures"

_TABLES = """SELECT
    name,
    name IN (SELECT table FROM system.columns WHERE database = currentDatabase() AND name = 'borrower_id') AS by_id,
    name IN (SELECT table FROM system.columns WHERE database = currentDatabase() AND name = 'value'
        AND table LIKE 'dead_letters%') AS by_content
FROM system.tables
WHERE database = currentDatabase() AND engine LIKE '%MergeTree' AND (by_id OR by_content)
ORDER BY name"""
_TEXTS = """SELECT table, name
FROM system.columns
WHERE database = currentDatabase() AND type LIKE '%String%' AND type NOT LIKE 'AggregateFunction%'
    AND table IN (SELECT name FROM system.tables WHERE database = currentDatabase() AND engine LIKE '%MergeTree')
ORDER BY table, position"""
_BY_ID = "borrower_id = {borrower:String}"
_BY_CONTENT = (
    "ifNull(key = base64Encode({borrower:String}) OR position(tryBase64Decode(value), {borrower:String}) > 0, 0)"
)


@dataclass(frozen=True, slots=True)
class Erased:
    """Rows erased from a table."""

    table: str
    rows: int


def borrower_hash(borrower_id: str) -> str:
    """Return the SHA-256 of a pseudonym; who knows the pseudonym can find its audit rows."""
    return hashlib.sha256(borrower_id.encode()).hexdigest()


def erase(warehouse: Warehouse, borrower_id: str, cluster: str = "") -> list[Erased]:
    """Erase a borrower from every table; return the tables that had rows. Raises WarehouseError.

    On a ``cluster`` the local tables are cleaned on every node. Aggregates over many borrowers keep their counts,
    which identify nobody; tables of aggregates with a row per borrower lose it.
    """
    erased = []
    for table in warehouse.query(_TABLES).to_pylist():
        where = filled(_BY_ID if table["by_id"] else _BY_CONTENT, {"borrower": borrower_id})
        everywhere = str(table["name"]).removesuffix(LOCAL) if cluster else table["name"]
        rows = int(warehouse.query(f"SELECT count() FROM {everywhere} WHERE {where}").column(0)[0].as_py())
        if rows:
            on_cluster = f" ON CLUSTER '{cluster}'" if cluster else ""
            warehouse.execute(
                f"ALTER TABLE {table['name']}{on_cluster} DELETE WHERE {where} SETTINGS mutations_sync = 2"
            )
            erased.append(Erased(everywhere, rows))
    return erased


def search_statement(texts: Iterable[tuple[str, str]], borrower_id: str) -> str:
    """Return the statement that counts, per table, the rows with the pseudonym anywhere in a text column.

    ``texts`` are (table, column) pairs. On a cluster they name this shard's local tables; it counts on all shards.
    """
    by_table: dict[str, list[str]] = {}
    for holding, column in texts:
        table = holding.removesuffix(LOCAL)
        by_table.setdefault(table, []).append(f"position(toString({column}), {{borrower:String}}) > 0")
        if table == "dead_letters" and column in ("key", "value"):
            by_table[table].append(f"position(tryBase64Decode(ifNull({column}, '')), {{borrower:String}}) > 0")
    parts = [
        f"SELECT '{table}' AS place, toUInt64(countIf(ifNull({' OR '.join(conditions)}, 0))) AS found FROM {table}"
        for table, conditions in by_table.items()
    ]
    return filled(" UNION ALL ".join(parts), {"borrower": borrower_id})


def texts_statement() -> str:
    """Return the statement that lists the text columns."""
    return _TEXTS


def write_audit(warehouse: Warehouse, request_id: str, borrower_id: str, topic: str, erased: list[Erased]) -> None:
    """Insert audit rows of an erasure, without the pseudonym; ``topic`` is the one with the forget request."""
    rows = erased or [Erased("", 0)]
    count = len(rows)
    warehouse.insert(
        AUDIT_TABLE,
        pa.table(
            {
                "request_id": pa.array([request_id] * count, pa.string()),
                "borrower_hash": pa.array([borrower_hash(borrower_id)] * count, pa.string()),
                "topic": pa.array([topic] * count, pa.string()),
                "table_name": pa.array([row.table for row in rows], pa.string()),
                "rows": pa.array([row.rows for row in rows], pa.uint64()),
            }
        ),
    )
