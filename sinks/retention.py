"""Sets each table's TTL to the configured days of retention, counted from when a row was loaded."""

import re

from loanpulse.settings.model import RetentionSection
from loanpulse.sinks.warehouse import Warehouse

DAY_SECONDS = 86_400
TTL = re.compile(r" TTL toDateTime\(loaded_at\) \+ toIntervalSecond\((\d+)\)")


def apply_retention(
    warehouse: Warehouse, retention: RetentionSection, local: str = "", on_cluster: str = ""
) -> list[str]:
    """Set every table's TTL to the configured days; return the tables changed. 0 days means no TTL.

    On a cluster ``local`` is the suffix of the local tables and ``on_cluster`` the clause that runs on all nodes.

    Raises:
        WarehouseError: the warehouse refused.
    """
    present = _ttl_seconds(warehouse)
    changed = []
    for table, days in retention.days().items():
        seconds, name = int(days * DAY_SECONDS), table + local
        if present.get(name, 0) == seconds:
            continue
        what = f"MODIFY TTL toDateTime(loaded_at) + toIntervalSecond({seconds})" if seconds else "REMOVE TTL"
        warehouse.execute(f"ALTER TABLE {name}{on_cluster} {what}")
        changed.append(table)
    return changed


def _ttl_seconds(warehouse: Warehouse) -> dict[str, int]:
    """Return the TTL (seconds) of each table that has one."""
    rows = warehouse.query("SELECT name, engine_full FROM system.tables WHERE database = currentDatabase()").to_pylist()
    found = {row["name"]: TTL.search(row["engine_full"]) for row in rows}
    return {name: int(ttl[1]) for name, ttl in found.items() if ttl}
