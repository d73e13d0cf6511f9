"""Asking the warehouse wherever it is: the running loader, the folder, or the server."""

import http.client
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlencode

import pyarrow as pa

from loanpulse.settings.model import WarehouseSection
from loanpulse.sinks.connect import open_warehouse
from loanpulse.sinks.embedded import EmbeddedWarehouse
from loanpulse.sinks.endpoint import LOOPBACK, Endpoint, read_endpoint
from loanpulse.sinks.queries import EVENT_CLOCK, NamedQuery, bind
from loanpulse.sinks.warehouse import WarehouseError, WarehouseUnreachableError

TIMEOUT_SECONDS = 120


def run_named_query(settings: WarehouseSection, query: NamedQuery, given: Mapping[str, str]) -> pa.Table:
    """Return the result of a documented query; times before now count from the newest scored moment.

    Raises:
        QueryParameterError: a parameter is unknown, missing or not of its kind.
        WarehouseError: as ``run_query``.
    """
    bound = bind(query, given, datetime.now(UTC))  # what was asked wrongly is told before the warehouse is looked for
    if "Date" in query.statement:
        bound = bind(query, given, event_clock(settings))
    return run_query(settings, bound.statement, bound.values)


def event_clock(settings: WarehouseSection) -> datetime:
    """Return the newest scored moment, the wall clock where nothing was ever scored; raises WarehouseError."""
    now: datetime | None = run_query(settings, EVENT_CLOCK).column(0)[0].as_py()
    if now is None or now.year <= datetime.fromtimestamp(0, UTC).year:
        return datetime.now(UTC)
    return now.astimezone(UTC) if now.tzinfo else now.replace(tzinfo=UTC)


def run_query(settings: WarehouseSection, statement: str, parameters: Mapping[str, str] | None = None) -> pa.Table:
    """Return the result of a statement that reads. Parameters fill its ``{name:Type}`` places.

    Raises:
        WarehouseError: the statement was refused.
        WarehouseUnreachableError: there is no warehouse to ask; the text says what to do.
    """
    if settings.kind == "server":
        server = open_warehouse(settings, create=False)
        try:
            return server.query(statement, parameters)
        finally:
            server.close()
    path = Path(settings.path)
    endpoint = read_endpoint(path)
    if endpoint is not None:
        try:
            return _ask(endpoint, statement, parameters or {})
        except ConnectionError:
            pass  # the loader ended without taking its note away; the folder is free
    if not (path / "tables").exists():
        raise WarehouseUnreachableError(
            f"there is no warehouse in {path}; start `loanpulse demo` or `loanpulse migrate`, or set warehouse.path"
        )
    warehouse = EmbeddedWarehouse(path, settings.database, create=False)
    try:
        return warehouse.reader().query(statement, parameters)
    finally:
        warehouse.close()


def _ask(endpoint: Endpoint, statement: str, parameters: Mapping[str, str]) -> pa.Table:
    address = "/query?" + urlencode({f"param_{name}": value for name, value in parameters.items()})
    connection = http.client.HTTPConnection(LOOPBACK, endpoint.port, timeout=TIMEOUT_SECONDS)
    try:
        connection.request("POST", address, statement.encode(), {"Authorization": f"Bearer {endpoint.token}"})
        answer = connection.getresponse()
        body = answer.read()
    finally:
        connection.close()
    if answer.status != http.HTTPStatus.OK:
        raise WarehouseError(body.decode("utf-8", "replace"))
    return pa.ipc.open_stream(body).read_all()
