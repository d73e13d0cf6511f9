"""How long rows are kept, by table: the configuration's days as the tables' TTL, counted from when a row was loaded."""

import re

from loanpulse.settings.model import RetentionSection
from loanpulse.sinks.warehouse import Warehouse

DAY_SECONDS = 86_400
TTL = re.compile(r" TTL toDateTime\(loaded_at\) \+ toIntervalSecond\((\d+)\)")


def apply_retention(
    warehouse: Warehouse, retention: RetentionSection, local: str = "", on_cluster: str = ""
) -> list[str]:
    """Give every table the TTL that is configured; returns the tables changed. 0 days keeps for ever.

    ``local`` is what the tables that hold rows end with, and ``on_cluster`` the clause that reaches all of them.

    Raises:
        WarehouseError: the warehouse refused.
    """
    standing = _standing(warehouse)
    changed = []
    for table, days in retention.days().items():
        seconds, name = int(days * DAY_SECONDS), table + local
        if standing.get(name, 0) == seconds:
            continue
        what = f"MODIFY TTL toDateTime(loaded_at) + toIntervalSecond({seconds})" if seconds else "REMOVE TTL"
        warehouse.execute(f"ALTER TABLE {name}{on_cluster} {what}")
        changed.append(table)
    return changed


def _standing(warehouse: Warehouse) -> dict[str, int]:
    rows = warehouse.query("SELECT name, engine_full FROM system.tables WHERE database = currentDatabase()").to_pylist()
    found = {row["name"]: TTL.search(row["engine_full"]) for row in rows}
    return {name: int(ttl[1]) for name, ttl in found.items() if ttl}
