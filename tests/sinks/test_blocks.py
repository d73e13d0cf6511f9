"""What waits is cut into blocks; a block under way is made again as it was; a slow warehouse costs no membership."""

import threading
import time
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from loanpulse.schemas.registry import LocalRegistry
from loanpulse.settings import load
from loanpulse.sinks.backlog import MISSING_SECONDS, Backlog
from loanpulse.sinks.blocks import Block, Edges
from loanpulse.sinks.loader import Loader
from loanpulse.sinks.rows import RowMaker
from loanpulse.sinks.warehouse import WarehouseUnreachableError
from tests.support import sample_records
from tests.support.memory_log import Log, MemoryConsumer, Record

PARTITION = ("topic", 0)


def waiting(offsets: list[int], partition: int = 0) -> Backlog:
    backlog = Backlog()
    for offset in offsets:
        backlog.add(Record("topic", offset, b"k", b"%d" % offset, None, partition), 0.0)
    return backlog


def edges(blocks: list[Block]) -> list[Edges]:
    return [block.edges for block in blocks]


def test_messages_become_one_block_of_their_partition() -> None:
    backlog = waiting([5, 6, 9])
    assert edges(backlog.cut(1.0)) == [Edges(5, 10)]
    assert backlog.count == 0


def test_a_planned_block_is_cut_at_its_edges() -> None:
    backlog = waiting([5, 6])
    backlog.fixed[PARTITION] = Edges(5, 8)
    assert backlog.cut(1.0) == []
    backlog.add(Record("topic", 7, b"k", b"7"), 1.0)
    backlog.add(Record("topic", 8, b"k", b"8"), 1.0)
    (again,) = backlog.cut(2.0)
    assert (again.edges, [m.offset() for m in again.messages], again.planned) == (Edges(5, 8), [5, 6, 7], True)
    assert edges(backlog.cut(3.0)) == [Edges(8, 9)]


def test_a_planned_block_with_a_compacted_end_is_cut_after_a_timeout() -> None:
    backlog = waiting([5, 6])
    backlog.fixed[PARTITION] = Edges(5, 8)
    assert backlog.cut(1.0) == []
    assert backlog.cut(1.0 + MISSING_SECONDS / 2) == []
    assert edges(backlog.cut(1.0 + MISSING_SECONDS)) == [Edges(5, 8)]


def test_a_token_depends_on_the_records() -> None:
    (one,), (same,) = waiting([1, 2]).cut(0.0), waiting([1, 2]).cut(9.0)
    (shorter,) = waiting([1]).cut(0.0)
    other = Block(PARTITION, [Record("topic", 1, b"k", b"1"), Record("topic", 2, b"k", b"changed")], Edges(1, 3))
    assert one.token == same.token
    assert len({one.token, shorter.token, other.token}) == 3


class SlowWarehouse:
    """A warehouse that is unreachable until ``is_back`` is set, and then keeps what is inserted."""

    def __init__(self) -> None:
        self.is_back = threading.Event()
        self.tried = 0
        self.inserted: list[tuple[str, int, str]] = []

    def query(self, statement: str, parameters: Any = None) -> pa.Table:
        return pa.table({"topic": [], "partition": [], "newest": []})

    def insert(self, table: str, rows: pa.Table, token: str = "") -> None:
        if not self.is_back.is_set():
            self.tried += 1
            time.sleep(0.02)
            raise WarehouseUnreachableError("away")
        self.inserted.append((table, rows.num_rows, token))

    def execute(self, statement: str) -> None:
        raise NotImplementedError

    def close(self) -> None:
        raise NotImplementedError


def test_polling_goes_on_while_the_warehouse_is_unreachable() -> None:
    values = [sample_records.alert(f"b-{n}", sample_records.START) for n in range(400)]
    log: Log = {(sample_records.ALERTS, 0): sample_records.records(sample_records.ALERTS, values)}
    consumer, warehouse = MemoryConsumer(log, at_once=20), SlowWarehouse()
    settings = load(environment={"LOANPULSE_WAREHOUSE__BATCH_ROWS": "40"})
    loader = Loader(settings, consumer, warehouse, RowMaker(LocalRegistry()))
    loader.subscribe()
    deadline = time.monotonic() + 30.0
    while consumer.polls <= 15 or warehouse.tried <= 1:
        assert time.monotonic() < deadline
        loader.step()
        time.sleep(0.005)
    assert loader._backlog.count <= 60
    assert not consumer.committed
    warehouse.is_back.set()
    while not consumer.is_at_end:
        loader.step()
        time.sleep(0.005)
    loader.finish()
    alerts = [entry for entry in warehouse.inserted if entry[0] == "alerts"]
    assert sum(count for _, count, _ in alerts) == 400
    assert len({token for _, _, token in alerts}) == len(alerts)
    assert consumer.committed == {(sample_records.ALERTS, 0): 400}


@pytest.mark.integration
def test_a_loader_resumes_where_the_warehouse_says(tmp_path: Path) -> None:
    from loanpulse.sinks.embedded import EmbeddedWarehouse
    from loanpulse.sinks.migrate import migrate

    warehouse = EmbeddedWarehouse(tmp_path, "loanpulse")
    migrate(warehouse)
    values = [sample_records.alert(f"b-{n}", sample_records.START) for n in range(60)]
    records = sample_records.records(sample_records.ALERTS, values)
    settings = load(environment={})
    for known in (30, 60):
        consumer = MemoryConsumer({(sample_records.ALERTS, 0): records[:known]}, at_once=100)
        loader = Loader(settings, consumer, warehouse, RowMaker(LocalRegistry()))
        loader.subscribe()
        loader.step()
        loader.finish()
        assert loader.counts.rows == 30
    assert warehouse.query("SELECT count() FROM alerts").column(0)[0].as_py() == 60
    warehouse.close()


@pytest.mark.parametrize(
    "topic", [sample_records.ALERTS, sample_records.SNAPSHOTS, sample_records.REPAYMENTS, sample_records.FEEDBACK]
)
def test_a_tombstone_makes_neither_a_row_nor_a_letter(topic: str) -> None:
    rows = RowMaker(LocalRegistry()).rows(topic, [Record(topic, 0, b"b-1", None)])
    assert (rows.rows.num_rows, rows.refused) == (0, None)


def test_an_invalid_event_gives_the_dead_letter_of_the_stream() -> None:
    wrong = sample_records.repayment("b-1", "loan-1", "DISBURSED", sample_records.START, amount=None)
    (record,) = sample_records.records(sample_records.REPAYMENTS, [wrong])
    rows = RowMaker(LocalRegistry()).rows(sample_records.REPAYMENTS, [record])
    assert rows.rows.num_rows == 0
    assert rows.refused is not None
    letter = rows.refused.to_pylist()[0]
    assert (letter["stage"], letter["code"], letter["offset"]) == ("CONTRACT", "AMOUNT_MISSING", 0)
