"""Queries while the loader has locked the embedded warehouse: the loader answers them, read-only, on loopback.

A file in the warehouse's folder, readable by this user only, has the port and a token.
"""

import secrets
import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import orjson
import pyarrow as pa

from loanpulse.sinks.embedded import EmbeddedWarehouse
from loanpulse.sinks.warehouse import WarehouseError

LOOPBACK = "127.0.0.1"
LONGEST_QUERY = 1_000_000


def endpoint_file(warehouse_path: Path) -> Path:
    """Return the file that holds the endpoint of a warehouse folder."""
    return warehouse_path / "endpoint.json"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """The port on which a loader answers, and the token that it asks for."""

    port: int
    token: str


def read_endpoint(warehouse_path: Path) -> Endpoint | None:
    """Return the endpoint that a loader has published, None if there is none."""
    try:
        content = orjson.loads(endpoint_file(warehouse_path).read_bytes())
        return Endpoint(int(content["port"]), str(content["token"]))
    except (OSError, orjson.JSONDecodeError, KeyError, ValueError):
        return None


class QueryServer:
    """Answers POST /query with the result as an Arrow stream.

    The statement is the body; its parameters are in the query string as with ClickHouse itself, ``?param_name=value``.
    """

    def __init__(self, warehouse: EmbeddedWarehouse, path: Path, port: int = 0) -> None:
        self._file = endpoint_file(path)
        token = secrets.token_urlsafe(24)
        reader, lock = warehouse.reader(), threading.Lock()

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                if not secrets.compare_digest(self.headers.get("Authorization", ""), f"Bearer {token}"):
                    self._answer(401, b"the token is missing or wrong")
                    return
                size = int(self.headers.get("Content-Length") or 0)
                address = urlsplit(self.path)
                parameters = {name.removeprefix("param_"): value for name, value in parse_qsl(address.query)}
                if address.path != "/query" or not 0 < size <= LONGEST_QUERY:
                    self._answer(404, b"POST a statement to /query")
                    return
                statement = self.rfile.read(size).decode("utf-8", "replace")
                try:
                    with lock:
                        result = reader.query(statement, parameters)
                except WarehouseError as error:
                    self._answer(400, str(error).encode())
                    return
                self._answer(200, _stream(result))

            def _answer(self, status: int, body: bytes) -> None:
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: Any) -> None:
                """Log nothing: queries may name borrowers."""

        self._server = ThreadingHTTPServer((LOOPBACK, port), Handler)
        self._server.daemon_threads = True
        self.endpoint = Endpoint(int(self._server.server_address[1]), token)
        self._thread = threading.Thread(target=self._server.serve_forever, name="queries", daemon=True)

    def start(self) -> None:
        """Start to answer, and write the endpoint's file."""
        self._thread.start()
        self._file.touch(mode=0o600)
        self._file.write_bytes(orjson.dumps({"port": self.endpoint.port, "token": self.endpoint.token}))

    def stop(self) -> None:
        """Remove the endpoint's file and stop to answer."""
        self._file.unlink(missing_ok=True)
        self._server.shutdown()
        self._server.server_close()


def _stream(result: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, result.schema) as writer:
        writer.write_table(result)
    body: bytes = sink.getvalue().to_pybytes()
    return body
