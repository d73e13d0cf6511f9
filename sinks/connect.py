"""Opens and migrates the configured warehouse."""

from pathlib import Path

from loanpulse.settings import Settings
from loanpulse.settings.model import WarehouseSection
from loanpulse.sinks.cluster import LOCAL
from loanpulse.sinks.embedded import EmbeddedWarehouse
from loanpulse.sinks.migrate import Migration, Status, migrate, pending, status
from loanpulse.sinks.retention import apply_retention
from loanpulse.sinks.server import ServerWarehouse

AnyWarehouse = EmbeddedWarehouse | ServerWarehouse


def open_warehouse(settings: WarehouseSection, *, create: bool = True) -> AnyWarehouse:
    """Return the configured warehouse.

    Raises:
        WarehouseUnreachableError: the server does not answer, or another process has locked the folder.
    """
    if settings.kind == "embedded":
        return EmbeddedWarehouse(Path(settings.path), settings.database, create=create)
    return ServerWarehouse(settings, create=create)


def bring_up_to_date(warehouse: AnyWarehouse, settings: Settings) -> list[Migration]:
    """Apply missing migrations and the configured retention; return the migrations applied.

    Raises:
        MigrationError: this version can't use the warehouse.
        WarehouseError: the warehouse refused the retention.
    """
    cluster = settings.warehouse.cluster
    applied = migrate(warehouse, cluster=cluster, database=settings.warehouse.database)
    if cluster:
        apply_retention(warehouse, settings.retention, LOCAL, f" ON CLUSTER '{cluster}'")
    else:
        apply_retention(warehouse, settings.retention)
    return applied


def migration_status(settings: WarehouseSection) -> list[Status]:
    """Return every migration and whether it has been applied; creates nothing, not even the warehouse's folder.

    Raises:
        WarehouseUnreachableError: there is no warehouse.
        MigrationError: this version can't use the warehouse.
    """
    if settings.kind == "embedded" and not (Path(settings.path) / "tables").exists():
        return pending()
    warehouse = open_warehouse(settings, create=False)
    try:
        return status(warehouse)
    finally:
        warehouse.close()
