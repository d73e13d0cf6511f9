"""The way to a real ClickHouse server: columns, compression, TLS, fallback, time-outs, users, and reconnecting."""

import socket
import ssl
import threading
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pytest
import trustme
from pydantic import SecretStr

from loanpulse.settings.model import WarehouseSection
from loanpulse.sinks import server
from loanpulse.sinks.server import ServerWarehouse
from loanpulse.sinks.warehouse import WarehouseError, WarehouseUnreachableError
from tests.support import clickhouse_node
from tests.support.clickhouse_node import PASSWORD, USER, ClickHouseNode

pytestmark = [pytest.mark.integration]

ROWS = pa.table(
    {
        "id": pa.array([1, 2, 3], pa.uint64()),
        "name": pa.array(["b-1", "b-2", "逾期"]).dictionary_encode(),
        "amount": pa.array([Decimal("1.25"), None, Decimal("-3.50")], pa.decimal128(14, 2)),
        "share": pa.array([0.5, None, 1.0], pa.float64()),
        "lender_ids": pa.array([["a", "b"], [], ["c"]]),
    }
)
TABLE = """CREATE TABLE things (id UInt64, name String, amount Nullable(Decimal(14, 2)), share Nullable(Float64),
    lender_ids Array(String)) ENGINE = MergeTree() ORDER BY id"""


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClickHouseNode]:
    if clickhouse_node.missing():
        pytest.skip(clickhouse_node.missing())
    node = ClickHouseNode(tmp_path_factory.mktemp("server")).start()
    yield node
    node.stop()


def section(port: int, **changes: object) -> WarehouseSection:
    asked = {"kind": "server", "host": "127.0.0.1", "port": port, "username": USER, "password": SecretStr(PASSWORD)}
    return WarehouseSection.model_validate(asked | changes)


@pytest.fixture
def warehouse(node: ClickHouseNode) -> Iterator[ServerWarehouse]:
    warehouse = ServerWarehouse(section(node.port))
    warehouse.execute("DROP TABLE IF EXISTS things")
    warehouse.execute(TABLE)
    yield warehouse
    warehouse.close()


def test_inserted_columns_are_read_back(warehouse: ServerWarehouse) -> None:
    warehouse.insert("things", ROWS)
    found = warehouse.query("SELECT * FROM things WHERE id >= {least:UInt64} ORDER BY id", {"least": 2})
    assert found.to_pylist() == ROWS.slice(1).to_pylist()


def test_a_large_block_is_compressed_and_whole(warehouse: ServerWarehouse) -> None:
    count = 50_000
    rows = pa.table({"id": pa.array(range(count), pa.uint64()), "name": pa.array(["same"] * count)})
    warehouse.insert("things", rows)
    assert warehouse.is_compressed
    asked = "SELECT count(), uniqExact(id), countIf(name = 'same') FROM things"
    assert list(warehouse.query(asked).to_pylist()[0].values()) == [count] * 3
    parts = warehouse.query("SELECT count() FROM system.parts WHERE table = 'things' AND active").column(0)[0].as_py()
    assert parts == 1


def test_many_threads_insert_at_a_time(warehouse: ServerWarehouse) -> None:
    threads = [threading.Thread(target=warehouse.insert, args=("things", ROWS)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert warehouse.query("SELECT count() FROM things").column(0)[0].as_py() == 24


def test_a_refusal_of_the_server_is_reported(warehouse: ServerWarehouse) -> None:
    with pytest.raises(WarehouseError, match="nowhere") as told:
        warehouse.query("SELECT * FROM nowhere")
    assert not isinstance(told.value, WarehouseUnreachableError)
    assert "Stack trace" not in str(told.value)


def test_a_wrong_password_is_refused_and_not_shown(node: ClickHouseNode) -> None:
    with pytest.raises(WarehouseError) as told:
        ServerWarehouse(section(node.port, password=SecretStr("a wrong one")))
    assert not isinstance(told.value, WarehouseUnreachableError)
    assert "a wrong one" not in str(told.value)


def test_the_next_host_is_used_if_the_first_does_not_answer(node: ClickHouseNode) -> None:
    warehouse = ServerWarehouse(section(node.port, host="127.0.0.9, 127.0.0.1"))
    assert warehouse.query("SELECT 1").column(0)[0].as_py() == 1
    warehouse.close()


def test_columns_pass_an_encrypted_connection(node: ClickHouseNode, warehouse: ServerWarehouse) -> None:
    encrypted = ServerWarehouse(section(node.secure_port, secure=True, ca_location=str(node.authority)))
    encrypted.insert("things", ROWS)
    assert encrypted.query("SELECT * FROM things ORDER BY id").to_pylist() == ROWS.to_pylist()
    assert isinstance(encrypted._client.connection.socket, ssl.SSLSocket)
    encrypted.close()
    assert warehouse.query("SELECT count() FROM things").column(0)[0].as_py() == ROWS.num_rows


def test_a_certificate_of_an_unknown_authority_is_refused(node: ClickHouseNode, tmp_path: Path) -> None:
    stranger = tmp_path / "stranger.pem"
    trustme.CA().cert_pem.write_to_path(str(stranger))
    for trusted in ("", str(stranger)):
        with pytest.raises(WarehouseUnreachableError, match=r"(?i)certificate.verify.failed"):
            ServerWarehouse(section(node.secure_port, secure=True, ca_location=trusted))


def test_a_certificate_for_another_host_is_refused(node: ClickHouseNode) -> None:
    with pytest.raises(WarehouseUnreachableError, match="IP address mismatch"):
        ServerWarehouse(section(node.secure_port, secure=True, ca_location=str(node.authority), host="127.0.0.2"))


def test_a_plain_text_server_is_refused_over_tls(node: ClickHouseNode) -> None:
    with pytest.raises(WarehouseUnreachableError):
        ServerWarehouse(section(node.port, secure=True, ca_location=str(node.authority), connect_timeout_seconds=2))


def test_a_timeout_means_unreachable() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as silent,
        pytest.raises(WarehouseUnreachableError, match=r"warehouse\.host"),
    ):
        ServerWarehouse(section(silent.getsockname()[1], connect_timeout_seconds=1, query_timeout_seconds=1))


def test_a_server_that_comes_back_is_used_again(node: ClickHouseNode, warehouse: ServerWarehouse) -> None:
    warehouse.insert("things", ROWS)
    node.stop()
    with pytest.raises(WarehouseUnreachableError):
        warehouse.query("SELECT 1")
    node.start()
    assert warehouse.query("SELECT count() FROM things").column(0)[0].as_py() == ROWS.num_rows


def test_the_folder_of_an_embedded_warehouse_is_no_cluster(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="cluster needs kind = server"):
        WarehouseSection(kind="embedded", path=str(tmp_path), cluster="main")


def test_times_are_sent_as_milliseconds() -> None:
    times = pa.chunked_array([pa.array([1_772_366_400_123, None], pa.timestamp("ms", "UTC"))])
    assert server._column(times) == [1_772_366_400_123, None]
