"""An order to forget stands in the log like an event: it takes a borrower out of the state and touches no other."""

from collections import Counter

import pytest

from loanpulse.schemas.forgetting import FORGET_HEADER, forget_headers, is_order_to_forget
from loanpulse.schemas.partitioning import partition_of
from loanpulse.streams.engine.decode import RecordBatch
from loanpulse.streams.engine.engine import Engine
from loanpulse.streams.partition.changelog import PARTITION_KEY
from tests.support.engine_logs import END, OPTIONS, PARTITIONS, POLICY, REGISTRY, Found, Log, add, log

__all__ = ["log"]

SOURCES = 3
LATE = 1_800_000_000_000


@pytest.fixture(scope="module")
def borrower(log: Log) -> bytes:
    return Counter(key for part in log.values() for _, key, _ in part).most_common(1)[0][0]


def with_orders(log: Log, key: bytes, at: float) -> Log:
    """The log with an order to forget at a share of the way through each source's partition of the borrower."""
    changed: Log = {place: list(part) for place, part in log.items()}
    for source in range(SOURCES):
        part = changed[source, partition_of(key, PARTITIONS)]
        part.insert(int(len(part) * at), (LATE, key, b""))
    return changed


def run(log: Log, batch: int) -> tuple[Found, Engine]:
    engine = Engine(OPTIONS, POLICY, REGISTRY)
    found: Found = {}
    longest = max(len(part) for part in log.values())
    for start in range(0, longest, batch):
        for (source, partition), records in log.items():
            part = records[start : start + batch]
            engine.offer(
                RecordBatch.of(
                    source, partition, range(start, start + len(part)),
                    [stamp for stamp, _, _ in part], [key for _, key, _ in part],
                    [value or None for _, _, value in part],
                    [place for place, (_, _, value) in enumerate(part) if not value],
                )
            )  # fmt: skip
        for partition in range(PARTITIONS):
            exhausted = tuple(start + batch >= len(log[source, partition]) for source in range(SOURCES))
            add(found, engine, partition, engine.partition(partition).watermark.safe_until(exhausted))
    for partition in range(PARTITIONS):
        add(found, engine, partition, END, inclusive=True)
    return found, engine


def state(engine: Engine) -> dict[bytes, bytes | None]:
    changes = [partition.changed(0) for partition in engine.partitions.values()]
    return dict(entry for change in changes if change is not None for entry in change.entries)


def test_a_forgotten_borrower_is_out_of_state_and_changelog_and_no_other_is_touched(log: Log, borrower: bytes) -> None:
    untouched, engine = run(log, 5_000)
    before = state(engine)
    found, engine = run(with_orders(log, borrower, 1.0), 5_000)
    changed = state(engine)
    assert changed.pop(borrower) is None, "the changelog gets a tombstone"
    assert before.pop(borrower) is not None
    # Offsets of the borrower's own partition moved on by the order itself, and by nothing else.
    assert set(changed) == set(before)
    store = engine.partition(partition_of(borrower, PARTITIONS)).store
    assert store.find(borrower) == -1
    assert borrower not in store.keys.tobytes()
    others = {identity: value for identity, value in found.items() if value[0] != borrower}
    assert others == {identity: value for identity, value in untouched.items() if value[0] != borrower}


@pytest.mark.parametrize("batch", [1_000, 97])
def test_in_the_middle_of_the_log_batches_change_nothing_and_life_begins_anew(
    log: Log, borrower: bytes, batch: int
) -> None:
    ordered = with_orders(log, borrower, 0.5)
    found, engine = run(ordered, 5_000)
    again, other = run(ordered, batch)
    assert again == found
    raw = state(engine)[borrower]
    assert raw is not None, "events after the order make a new record"
    assert raw == state(other)[borrower]
    whole, undisturbed = run(log, 5_000)
    assert raw != state(undisturbed)[borrower]
    assert found != whole


def test_recovery_from_the_changelog_drops_the_borrower(log: Log, borrower: bytes) -> None:
    _, engine = run(log, 5_000)
    partition = partition_of(borrower, PARTITIONS)
    store = engine.partition(partition).store
    fresh = Engine(OPTIONS, POLICY, REGISTRY).partition(partition)
    changes = engine.partition(partition).changed(0)
    assert changes is not None
    for key, raw in changes.entries:
        assert key != PARTITION_KEY
        fresh.restore(key, raw)
    fresh.restore(borrower, None)
    fresh.restore(b"b-never-seen", None)
    assert fresh.store.find(borrower) == -1
    known = [key for key in store.keys[: len(store)].tolist() if key != borrower]
    for key in known:
        assert fresh.store.find(key) >= 0
    # The index still finds everybody after it has grown past the emptied place.
    for number in range(600):
        fresh.store.row(f"b-new-{number}".encode())
    assert all(fresh.store.find(key) >= 0 for key in known)
    assert fresh.store.find(borrower) == -1


def test_only_a_record_that_means_it_is_an_order() -> None:
    assert is_order_to_forget(None, forget_headers("r1"))
    assert not is_order_to_forget(None, [])
    assert not is_order_to_forget(None, [("other", b"x")])
    assert not is_order_to_forget(b"x", [(FORGET_HEADER, b"r1")])
