"""Opening the configured warehouse."""

from pathlib import Path

from loanpulse.settings.model import WarehouseSection
from loanpulse.sinks.embedded import EmbeddedWarehouse
from loanpulse.sinks.server import ServerWarehouse

AnyWarehouse = EmbeddedWarehouse | ServerWarehouse


def open_warehouse(settings: WarehouseSection, *, create: bool = True) -> AnyWarehouse:
    """Return the configured warehouse.

    Raises:
        WarehouseUnreachableError: the server does not answer, or another process holds the folder.
    """
    if settings.kind == "embedded":
        return EmbeddedWarehouse(Path(settings.path), settings.database, create=create)
    return ServerWarehouse(settings, create=create)
