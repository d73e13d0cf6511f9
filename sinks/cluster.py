"""The same tables on a cluster: replicated on every shard, with a distributed table of the plain name over them.

Pure: statements in, statements out. Rows are sharded by borrower, so all rows of one borrower are on one shard, where
they replace each other and fill the aggregates. Views read the distributed tables.
"""

import re

from loanpulse.sinks.tables import BLOCKS_REMEMBERED

LOCAL = "_local"
SHARDED_BY = "borrower_id"
TABLE = re.compile(
    r"^CREATE TABLE (IF NOT EXISTS )?(\w+)\n(.*?)\nENGINE = (\w*MergeTree)(?:\(([^()]*)\))?(.*)$", re.DOTALL
)
FILLING_VIEW = re.compile(r"^CREATE MATERIALIZED VIEW (\w+) TO (\w+) AS\n(.*)$", re.DOTALL)
VIEW = re.compile(r"^CREATE (OR REPLACE )?VIEW (\w+) AS\n(.*)$", re.DOTALL)
ALTERED = re.compile(r"^ALTER TABLE (\w+) (.*)$", re.DOTALL)
OF_A_COLUMN = re.compile(r"^[A-Z]+ COLUMN ")
DROPPED_TABLE = re.compile(r"^DROP TABLE (\w+)$")
DROPPED_VIEW = re.compile(r"^DROP VIEW (\w+)$")
SOURCE = re.compile(r"^FROM (\w+)$", re.MULTILINE)
PLAIN_WINDOW = f"non_replicated_deduplication_window = {BLOCKS_REMEMBERED}"
REPLICATED_WINDOW = f"replicated_deduplication_window = {BLOCKS_REMEMBERED}"


def clustered(statement: str, cluster: str, database: str) -> list[str]:
    """Return a migration's statement as it runs on a cluster; one that only uses distributed tables is unchanged."""
    if found := TABLE.match(statement):
        return _tables(found, cluster, database)
    if found := FILLING_VIEW.match(statement):
        name, target, select = found.groups()
        local = SOURCE.sub(lambda source: f"FROM {source[1]}{LOCAL} AS {source[1]}", select, count=1)
        return [f"CREATE MATERIALIZED VIEW {name} ON CLUSTER '{cluster}' TO {target}{LOCAL} AS\n{local}"]
    if found := VIEW.match(statement):
        return [f"CREATE {found[1] or ''}VIEW {found[2]} ON CLUSTER '{cluster}' AS\n{found[3]}"]
    if found := ALTERED.match(statement):
        name, change = found.groups()
        # A distributed table has columns of its own; everything else is a property of the local tables.
        names = (name + LOCAL, name) if OF_A_COLUMN.match(change) else (name + LOCAL,)
        return [f"ALTER TABLE {altered} ON CLUSTER '{cluster}' {change}" for altered in names]
    if found := DROPPED_TABLE.match(statement):
        return [f"DROP TABLE {name} ON CLUSTER '{cluster}' SYNC" for name in (found[1], found[1] + LOCAL)]
    if found := DROPPED_VIEW.match(statement):
        return [f"DROP VIEW {found[1]} ON CLUSTER '{cluster}'"]
    return [statement]


def _tables(found: re.Match[str], cluster: str, database: str) -> list[str]:
    condition, name, columns, engine, arguments, rest = found.groups()
    known = condition or ""
    place = f"'/clickhouse/tables/{{shard}}/{database}/{name}', '{{replica}}'"
    replicated = f"Replicated{engine}({place}{', ' + arguments if arguments else ''})"
    key = f"cityHash64({SHARDED_BY})" if f"    {SHARDED_BY} " in columns else "1"
    return [
        f"CREATE TABLE {known}{name}{LOCAL} ON CLUSTER '{cluster}'\n{columns}\n"
        f"ENGINE = {replicated}{rest.replace(PLAIN_WINDOW, REPLICATED_WINDOW)}",
        f"CREATE TABLE {known}{name} ON CLUSTER '{cluster}' AS {name}{LOCAL}\n"
        f"ENGINE = Distributed('{cluster}', '{database}', '{name}{LOCAL}', {key})",
    ]
