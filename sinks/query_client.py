"""Queries the warehouse wherever it is: through the running loader, in its folder, or on a server."""

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
    """Return the result of a documented query; times such as 30d count back from the newest scoring.

    Raises:
        QueryParameterError: a parameter is unknown, missing or of the wrong type.
        WarehouseError: as ``run_query``.
    """
    bound = bind(query, given, datetime.now(UTC))  # a wrong parameter is reported even if there is no warehouse
    if "Date" in query.statement:
        bound = bind(query, given, event_clock(settings))
    return run_query(settings, bound.statement, bound.values)


def event_clock(settings: WarehouseSection) -> datetime:
    """Return the event time of the newest scoring, or the wall clock if there is none; raises WarehouseError."""
    now: datetime | None = run_query(settings, EVENT_CLOCK).column(0)[0].as_py()
    if now is None or now.year <= datetime.fromtimestamp(0, UTC).year:
        return datetime.now(UTC)
    return now.astimezone(UTC) if now.tzinfo else now.replace(tzinfo=UTC)


def run_query(settings: WarehouseSection, statement: str, parameters: Mapping[str, str] | None = None) -> pa.Table:
    """Return the result of a SELECT. Parameters fill its ``{name:Type}`` placeholders.

    Raises:
        WarehouseError: the statement was refused.
        WarehouseUnreachableError: there is no warehouse; the text says what to do.
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
            pass  # a loader was killed and left its endpoint's file; the folder is not locked
    if not (path / "tables").exists():
        raise WarehouseUnreachableError(
            f"there is no warehouse in {path}; start `loanpulse demo`, run `loanpulse warehouse migrate`, or set "
            "warehouse.path"
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
