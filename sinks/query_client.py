"""Asking the warehouse wherever it is: the running loader, the folder, or the server."""

import http.client
from pathlib import Path

import pyarrow as pa

from loanpulse.settings.model import WarehouseSection
from loanpulse.sinks.connect import open_warehouse
from loanpulse.sinks.embedded import EmbeddedWarehouse
from loanpulse.sinks.endpoint import LOOPBACK, Endpoint, read_endpoint
from loanpulse.sinks.warehouse import WarehouseError, WarehouseUnreachableError

TIMEOUT_SECONDS = 120


def run_query(settings: WarehouseSection, statement: str) -> pa.Table:
    """Return the result of a statement that reads.

    Raises:
        WarehouseError: the statement was refused.
        WarehouseUnreachableError: there is no warehouse to ask; the text says what to do.
    """
    if settings.kind == "server":
        server = open_warehouse(settings, create=False)
        try:
            return server.query(statement)
        finally:
            server.close()
    path = Path(settings.path)
    endpoint = read_endpoint(path)
    if endpoint is not None:
        try:
            return _ask(endpoint, statement)
        except ConnectionError:
            pass  # the loader ended without taking its note away; the folder is free
    if not (path / "tables").exists():
        raise WarehouseUnreachableError(
            f"there is no warehouse in {path}; start `loanpulse demo` or `loanpulse migrate`, or set warehouse.path"
        )
    warehouse = EmbeddedWarehouse(path, settings.database, create=False)
    try:
        return warehouse.reader().query(statement)
    finally:
        warehouse.close()


def _ask(endpoint: Endpoint, statement: str) -> pa.Table:
    connection = http.client.HTTPConnection(LOOPBACK, endpoint.port, timeout=TIMEOUT_SECONDS)
    try:
        connection.request("POST", "/query", statement.encode(), {"Authorization": f"Bearer {endpoint.token}"})
        answer = connection.getresponse()
        body = answer.read()
    finally:
        connection.close()
    if answer.status != http.HTTPStatus.OK:
        raise WarehouseError(body.decode("utf-8", "replace"))
    return pa.ipc.open_stream(body).read_all()
