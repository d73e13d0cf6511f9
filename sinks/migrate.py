"""Numbered migrations. An applied one is recorded with its checksum and must not change afterwards."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from loanpulse.sinks.cluster import clustered
from loanpulse.sinks.warehouse import Warehouse, WarehouseError

FOLDER = Path(__file__).with_name("migrations")
BOOKKEEPING = """CREATE TABLE IF NOT EXISTS schema_migrations
(
    number UInt32 COMMENT 'Number of the migration',
    name String COMMENT 'Name of its file',
    checksum String COMMENT 'SHA-256 of its statements',
    applied_at DateTime64(0, 'UTC') DEFAULT now64(0, 'UTC') COMMENT 'When it was applied'
)
ENGINE = MergeTree
ORDER BY number
COMMENT 'Migrations that have been applied'"""


class MigrationError(RuntimeError):
    """A migration failed, or this version can't use the warehouse; the text says which migration and what to do."""


@dataclass(frozen=True, slots=True)
class Migration:
    """One numbered file of statements."""

    number: int
    name: str
    statements: tuple[str, ...]
    checksum: str


@dataclass(frozen=True, slots=True)
class Status:
    """A migration and whether it has been applied."""

    migration: Migration
    applied: bool


def load_migrations(folder: Path = FOLDER) -> list[Migration]:
    """Return the migrations of a folder in their order.

    Raises:
        MigrationError: a file's name does not begin with its number, or numbers are not 1, 2, 3…
    """
    migrations = []
    for file in sorted(folder.glob("*.sql")):
        head = file.stem.split("_", 1)[0]
        if not head.isdigit():
            raise MigrationError(f"{file.name} must begin with its number, such as 0007_name.sql")
        text = file.read_text(encoding="utf-8")
        statements = tuple(statement for part in text.split(";\n") if (statement := _without_comments(part)))
        migrations.append(
            Migration(int(head), file.stem, statements, hashlib.sha256("\x00".join(statements).encode()).hexdigest())
        )
    for expected, migration in enumerate(migrations, start=1):
        if migration.number != expected:
            raise MigrationError(f"migration {migration.name} should have number {expected}")
    return migrations


def status(warehouse: Warehouse, folder: Path = FOLDER) -> list[Status]:
    """Return every migration and whether it has been applied; raises MigrationError where an old one was changed."""
    applied = _applied(warehouse)
    migrations = load_migrations(folder)
    for migration in migrations:
        known = applied.get(migration.number)
        if known is not None and known != migration.checksum:
            raise MigrationError(
                f"migration {migration.name} was changed after it had been applied; restore the file and "
                "write a new migration for the change"
            )
    newest = max((migration.number for migration in migrations), default=0)
    ahead = [number for number in applied if number > newest]
    if ahead:
        raise MigrationError(
            f"the warehouse has migration {max(ahead)}, which this version does not know; use a newer Loanpulse"
        )
    return [Status(migration, migration.number in applied) for migration in migrations]


def statements_of(migration: Migration, cluster: str = "", database: str = "") -> list[str]:
    """Return a migration's statements as they run, on a cluster or on one server."""
    if not cluster:
        return list(migration.statements)
    return [own for statement in migration.statements for own in clustered(statement, cluster, database)]


def migrate(warehouse: Warehouse, folder: Path = FOLDER, *, cluster: str = "", database: str = "") -> list[Migration]:
    """Apply the missing migrations and return them. Raises MigrationError."""
    if not _is_there(warehouse):  # checked first: a user without the right to CREATE can use a migrated warehouse
        for statement in clustered(BOOKKEEPING, cluster, database) if cluster else [BOOKKEEPING]:
            warehouse.execute(statement)
    done = []
    for entry in status(warehouse, folder):
        if entry.applied:
            continue
        migration = entry.migration
        for statement in statements_of(migration, cluster, database):
            try:
                warehouse.execute(statement)
            except WarehouseError as error:
                raise MigrationError(f"migration {migration.name} failed: {error}") from error
        warehouse.execute(
            "INSERT INTO schema_migrations (number, name, checksum) VALUES "
            f"({migration.number}, '{migration.name}', '{migration.checksum}')"
        )
        done.append(migration)
    return done


def pending(folder: Path = FOLDER) -> list[Status]:
    """Return every migration as not applied: the state of a warehouse that does not exist yet."""
    return [Status(migration, applied=False) for migration in load_migrations(folder)]


def _applied(warehouse: Warehouse) -> dict[int, str]:
    if not _is_there(warehouse):
        return {}
    rows = warehouse.query("SELECT number, checksum FROM schema_migrations").to_pylist()
    return {int(row["number"]): str(row["checksum"]) for row in rows}


def _is_there(warehouse: Warehouse) -> bool:
    return bool(warehouse.query("EXISTS TABLE schema_migrations").column(0)[0].as_py())


def _without_comments(part: str) -> str:
    """Return a statement without the comments before it; empty if there is no statement."""
    lines = part.strip().splitlines()
    while lines and (not lines[0].strip() or lines[0].startswith("--")):
        del lines[0]
    return "\n".join(lines)
