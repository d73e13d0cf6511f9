"""The engine: what comes out depends on the log, not on how it was cut, redelivered or restarted."""

from collections import Counter, defaultdict
from itertools import pairwise

import numpy as np
import pytest

from loanpulse.city.writers import encoded
from loanpulse.schemas.partitioning import partition_of
from loanpulse.schemas.topics import EVENT_TOPICS
from loanpulse.schemas.violations import Violation
from loanpulse.streams.engine.decode import RecordBatch
from loanpulse.streams.engine.engine import Engine
from loanpulse.streams.partition.changelog import PARTITION_KEY
from loanpulse.streams.partition.watermark import PartitionClock
from loanpulse.streams.record.layout import BORROWER
from tests.support import sample_logs
from tests.support.engine_logs import (
    CODEC,
    END,
    OPTIONS,
    PARTITIONS,
    POLICY,
    REGISTRY,
    Found,
    Log,
    add,
    copy_state,
    log,
)

__all__ = ["log"]


def fetched(log: Log, source: int, partition: int, start: int, end: int) -> RecordBatch:
    part = log[source, partition][start:end]
    return RecordBatch.of(
        source, partition, range(start, start + len(part)),
        [stamp for stamp, _, _ in part], [key for _, key, _ in part], [value for _, _, value in part],
    )  # fmt: skip


def run(log: Log, batch: int, cut: int | None = None) -> tuple[Found, Engine]:
    """Feed the log in batches; after ``cut`` batches go on in a new engine from what a changelog would hold."""
    engine = Engine(OPTIONS, POLICY, REGISTRY)
    found: Found = {}
    longest = max(len(part) for part in log.values())
    for number, start in enumerate(range(0, longest, batch)):
        for source in range(len(EVENT_TOPICS)):
            for partition in range(PARTITIONS):
                engine.offer(fetched(log, source, partition, start, start + batch))
        for partition in range(PARTITIONS):
            exhausted = tuple(start + batch >= len(log[source, partition]) for source in range(len(EVENT_TOPICS)))
            add(found, engine, partition, engine.partition(partition).watermark.safe_until(exhausted))
        if number == cut:
            engine = restarted(engine, log, start + batch)
    for partition in range(PARTITIONS):
        add(found, engine, partition, END, inclusive=True)
    return found, engine


def restarted(engine: Engine, log: Log, position: int) -> Engine:
    """A new engine with the state that the changelog holds, given the log again from each partition's next offset."""
    fresh = Engine(OPTIONS, POLICY, REGISTRY)
    for number, partition in engine.partitions.items():
        again = fresh.partition(number)
        copy_state(partition, again)
        for source in range(len(EVENT_TOPICS)):
            # From before the committed offset, as after a crash: what was folded is skipped.
            start = max(0, int(again.buffer.next_offset[source]) - 50)
            fresh.offer(fetched(log, source, number, start, position))
    return fresh


@pytest.fixture(scope="module")
def straight(log: Log) -> Found:
    return run(log, 100_000)[0]


@pytest.mark.parametrize("batch", [1_000, 97])
def test_the_batch_size_changes_nothing(log: Log, straight: Found, batch: int) -> None:
    assert run(log, batch)[0] == straight


def test_batches_of_one_change_nothing() -> None:
    small: Log = defaultdict(list)
    for record in sample_logs.city(4, 40):
        key = record.key.encode()
        small[EVENT_TOPICS.index(record.topic), partition_of(key, PARTITIONS)].append(
            (record.at_ms, key, encoded(record, CODEC))
        )
    assert run(small, 1)[0] == run(small, 1_000)[0]


@pytest.mark.parametrize("most", [1, 500])
def test_carrying_a_bounded_number_of_events_at_a_time_changes_nothing(log: Log, straight: Found, most: int) -> None:
    engine = Engine(OPTIONS, POLICY, REGISTRY)
    found: Found = {}
    for (source, partition), part in log.items():
        engine.offer(fetched(log, source, partition, 0, len(part)))
    for partition in range(PARTITIONS):
        buffer = engine.partition(partition).buffer
        limit = engine.partition(partition).watermark.safe_until()
        waiting = sum(map(buffer.count, range(3)))
        while (reach := buffer.time_after(most)) < limit:
            add(found, engine, partition, reach)
            left = sum(map(buffer.count, range(3)))
            assert left < waiting, "each step goes on"
            assert most == 1 or waiting - left <= most
            waiting = left
        add(found, engine, partition, END, inclusive=True)
    assert found == straight


@pytest.mark.parametrize("cut", [0, 3, 11])
def test_a_restart_from_the_changelog_changes_nothing(log: Log, straight: Found, cut: int) -> None:
    assert run(log, 97, cut)[0] == straight


def test_a_restart_leaves_the_same_state_and_the_same_past(log: Log) -> None:
    def state(engine: Engine) -> dict[bytes, bytes]:
        for partition in engine.partitions.values():
            partition.store.dirty[: len(partition.store)] = True
        return dict(pair for partition in engine.partitions.values() for pair in partition.store.drain_dirty())

    straight, restarted = (state(run(log, 97, cut)[1]) for cut in (None, 5))
    assert straight == restarted
    assert max(map(len, straight.values())) > min(map(len, straight.values())) >= BORROWER.itemsize


def test_the_city_scores_and_moves_levels(straight: Found) -> None:
    levels = {level for _, _, _, level in straight.values()}
    assert len(straight) > 3_000
    assert len(levels) >= 4


def test_every_touched_borrower_is_scored_within_the_interval(log: Log) -> None:
    _, engine = run(log, 1_000)
    for partition in engine.partitions.values():
        records = partition.store.records[: len(partition.store)]
        assert (records["pending_at"] > END).all()
        assert (records["scored"] == 1).all()


def test_flaws_are_refused_with_their_code(log: Log) -> None:
    engine = Engine(OPTIONS, POLICY, REGISTRY)
    codes = set()
    for source, partition in log:
        for refused in engine.offer(fetched(log, source, partition, 0, 100_000)):
            codes.add(refused.violation)
    assert codes >= {
        Violation.UNDECODABLE, Violation.BAD_MAGIC, Violation.UNKNOWN_SCHEMA, Violation.KEY_MISMATCH,
        Violation.AMOUNT_NEGATIVE, Violation.CURRENCY_NOT_TAKEN, Violation.TIME_IN_FUTURE,
    }  # fmt: skip


def test_an_unpaid_due_date_is_found_by_time_alone(log: Log) -> None:
    """Nobody sends anything more: the borrower is still scored when the due date passes."""
    engine = Engine(OPTIONS, POLICY, REGISTRY)
    for source, partition in log:
        part = log[source, partition]
        engine.offer(fetched(log, source, partition, 0, len(part) // 2))
    before: Found = {}
    after: Found = {}
    for partition in range(PARTITIONS):
        store, watermark = engine.partition(partition).store, engine.partition(partition).watermark
        add(before, engine, partition, watermark.max_ms() + 1, inclusive=True)
        dues = store.records["instalment_day"][: len(store)]
        assert (dues > 0).any()
        add(after, engine, partition, watermark.max_ms() + 40 * 86_400_000)
    assert len(after) > 20
    assert max(level for _, _, _, level in after.values()) >= 3


def test_a_partitions_own_entry_is_restored() -> None:
    partition = Engine(OPTIONS, POLICY, REGISTRY).partition(0)
    partition.buffer.next_offset[1], partition.watermark.reached_ms = 77, 123
    again = Engine(OPTIONS, POLICY, REGISTRY).partition(0)
    again.restore(*partition.own_entry(5))
    assert (again.buffer.next_offset[1], again.watermark.reached_ms) == (77, 123)
    assert again.watermark.clock == PartitionClock(event_ms=123, wall_ms=5)
    assert PARTITION_KEY[0] == 0
    with pytest.raises(ValueError, match="not known"):
        again.restore(PARTITION_KEY, b"short")


def test_scores_of_a_borrower_come_in_order_of_time(log: Log) -> None:
    engine = Engine(OPTIONS, POLICY, REGISTRY)
    for source, partition in log:
        engine.offer(fetched(log, source, partition, 0, 100_000))
    (scored,) = engine.partition(0).advance(END, inclusive=True)
    times: dict[bytes, list[tuple[int, int]]] = defaultdict(list)
    for score, key in zip(scored.scores, scored.keys, strict=True):
        # Restatements come before the scoring at whose time they were known.
        times[key].append((int(score["known_at"]), int(score["time"])))
    restated = scored.scores[scored.scores["restated"] == 1]
    at_once = Counter(zip(restated["row"].tolist(), restated["known_at"].tolist(), strict=True))
    assert max(at_once.values()) > 5
    assert all(a < b for instants in times.values() for a, b in pairwise(instants))
    assert np.isfinite(scored.scores["lhi"]).all()
