"""What a worker's steps may do side by side and apart, and when state follows outputs."""

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np
import pytest

from loanpulse.city.writers import encoded
from loanpulse.schemas.codec import Codec
from loanpulse.schemas.partitioning import partition_of
from loanpulse.schemas.registry import LocalRegistry
from loanpulse.schemas.spans import Spans
from loanpulse.schemas.topics import (
    EVENT_TOPICS,
    LIQUIDITY_SNAPSHOTS,
    REPAYMENT_EVENTS,
    SPENDING_EVENTS,
    UTILITY_EVENTS,
)
from loanpulse.streams.engine.engine import Engine, EngineOptions
from loanpulse.streams.faust_kafka.record_batches import FetchedRecords
from loanpulse.streams.policy import policy_file
from loanpulse.streams.worker.checkpoint import Checkpoint
from loanpulse.streams.worker.checkpoint_loop import BEHIND_FACTOR, STATE_REST_FACTOR, CheckpointLoop
from loanpulse.streams.worker.worker import BorrowerWorker
from tests.support import sample_logs

REGISTRY = LocalRegistry()
CODEC = Codec(REGISTRY)
POLICY = policy_file.built(policy_file.parse(policy_file.read(), "test"), 1.0)
PARTITIONS = 3
STATE_SECONDS = 2.0

Outputs = dict[tuple[str, int], list[tuple[bytes, bytes]]]


def started(publisher: Any = None, **options: Any) -> BorrowerWorker:
    """A worker of all partitions in which nothing waits."""
    worker = BorrowerWorker(
        Engine(EngineOptions(PARTITIONS), POLICY, REGISTRY), CODEC, publisher, lambda *_: True, wall=lambda: 1.0,
        **{"idle_after_seconds": 0.0, **options},
    )  # fmt: skip
    worker.owned.begin_recovery(set(range(PARTITIONS)))
    worker.owned.recovered(set(range(PARTITIONS)))
    return worker


@cache
def records() -> dict[tuple[str, int], list[Any]]:
    """A city's log by topic and partition: time, key and value of each record."""
    found: dict[tuple[str, int], list[Any]] = defaultdict(list)
    for record in sample_logs.city(100, 140, 7):
        key = record.key.encode()
        found[record.topic, partition_of(key, PARTITIONS)].append((record.at_ms, key, encoded(record, CODEC)))
    return found


def take(worker: BorrowerWorker, topics: Sequence[str], until_ms: int | None = None, from_ms: int = 0) -> None:
    """Hand over what the log has of these topics between two times."""
    for topic in topics:
        for partition in range(PARTITIONS):
            log = records()[topic, partition]
            end = len(log) if until_ms is None else sum(at_ms < until_ms for at_ms, *_ in log)
            start = sum(at_ms < from_ms for at_ms, *_ in log)
            stamps, keys, values = zip(*log[start:end], strict=True)
            fetched = FetchedRecords(
                np.arange(start, end, dtype=np.int64), np.array(stamps, np.int64),
                Spans.of(keys), Spans.of(values), Spans.of([b""] * len(keys)),
            )  # fmt: skip
            worker.submit(topic, partition, fetched)


def filled(publisher: Any = None, threads: int = 1) -> BorrowerWorker:
    """A worker of all partitions in which a city's events wait."""
    worker = started(publisher, threads=threads)
    take(worker, EVENT_TOPICS)
    return worker


def said(checkpoint: Checkpoint) -> Outputs:
    """All that a step says to others."""
    found: Outputs = defaultdict(list)
    messages = [*checkpoint.outputs.items(), *((place, encode()) for place, encode in checkpoint.unencoded)]
    for place, some in messages:
        found[place] += [(message["key"], message["value"]) for message in some]
    return found


def test_partitions_advanced_side_by_side_publish_what_they_publish_in_turn() -> None:
    one, more = filled(threads=1).step(), filled(threads=PARTITIONS).step()
    assert {place[1] for place in said(one)} == set(range(PARTITIONS))
    assert said(one) == said(more)
    assert one.changelog == more.changelog
    assert one.offsets == more.offsets


def test_state_of_some_partitions_leaves_that_of_the_others_for_later() -> None:
    whole = filled().step()
    worker = filled()
    parts = [worker.step(state_of={0}), worker.step(state_of=set()), worker.step(state_of={1, 2})]
    assert said(parts[0]) == said(whole)
    assert [set(part.changelog) for part in parts] == [{0}, set(), {1, 2}]
    assert parts[0].changelog | parts[2].changelog == whole.changelog
    assert parts[0].own_entries | parts[2].own_entries == whole.own_entries
    assert {place[1] for place in parts[0].offsets} == {0}
    assert parts[0].offsets | parts[2].offsets == whole.offsets


def test_sources_that_become_active_one_after_another_are_merged_as_if_at_once() -> None:
    """What was published at once may come source by source; the first to come is not run ahead with."""
    clock = [100.0]
    worker = started(idle_after_seconds=0.5, monotonic=lambda: clock[0])
    half = sample_logs.city(100, 140, 7)[6_000].at_ms
    told: set[tuple[bytes, bytes]] = set()

    def steps(*pauses: float) -> None:
        for pause in pauses:
            clock[0] += pause
            told.update(
                one for place, some in said(worker.step()).items() if place[0] == LIQUIDITY_SNAPSHOTS for one in some
            )

    take(worker, EVENT_TOPICS, half)
    steps(0.0, 0.2, 5.0)
    take(worker, [UTILITY_EVENTS], from_ms=half)
    steps(0.1, 0.3)
    take(worker, [REPAYMENT_EVENTS, SPENDING_EVENTS], from_ms=half)
    steps(0.1, 5.0)
    expected = {one for place, some in said(filled().step()).items() if place[0] == LIQUIDITY_SNAPSHOTS for one in some}
    assert len(expected) > 10_000
    assert told == expected


@dataclass(slots=True)
class Diary:
    """Notes in their order what is made durable; writing state takes as long as told, by the clock that it is."""

    took: float = 0.0
    now: float = 100.0
    notes: list[tuple[str, frozenset[int]]] = field(default_factory=list)

    def publish_outputs(self, checkpoint: Checkpoint) -> None:
        self.notes.append(("outputs", frozenset(partition for _, partition in said(checkpoint))))

    def publish_state(self, checkpoint: Checkpoint) -> None:
        self.now += self.took
        self.notes.append(("state", frozenset(checkpoint.own_entries)))

    async def commit(self, offsets: dict[tuple[str, int], int]) -> None:
        self.notes.append(("commit", frozenset(partition for _, partition in offsets)))


async def passed(loop: CheckpointLoop, diary: Diary, seconds: float) -> None:
    """Let steps come ten times a second for so long, each made durable before the next."""
    end = diary.now + seconds
    while diary.now < end:
        diary.now += 0.1
        await loop.run_step()
        await loop._outputs_written()
        await loop._states_written()


def test_each_part_of_the_state_follows_the_outputs_that_it_counts_and_comes_before_its_offsets() -> None:
    diary = Diary()

    async def run() -> None:
        await passed(CheckpointLoop(filled(diary), STATE_SECONDS, diary.commit, 60.0, lambda: diary.now), diary, 3.0)

    asyncio.run(run())
    assert diary.notes[0] == ("outputs", frozenset(range(PARTITIONS)))
    states = [part for what, part in diary.notes if what == "state"]
    assert states == [{partition} for partition in range(PARTITIONS)]
    for place, (what, part) in enumerate(diary.notes):
        if what == "state":
            assert diary.notes[place + 1] == ("commit", part)


@pytest.mark.parametrize(
    ("behind", "took", "rest"),
    [
        (False, 0.0, STATE_SECONDS),
        (True, 0.0, STATE_SECONDS * BEHIND_FACTOR),
        (False, 1.5, STATE_REST_FACTOR * 1.5),
    ],
)
def test_state_rests_longer_in_a_backlog_and_where_writing_it_takes_long(
    behind: bool, took: float, rest: float
) -> None:
    """While something is said with every step; where nothing is, state follows at once."""
    diary = Diary(now=100.0)
    loop = CheckpointLoop(filled(diary), STATE_SECONDS, diary.commit, 60.0, lambda: diary.now)
    loop._state_at_s, loop._state_took_s = diary.now, took
    loop._behind_at_s = diary.now + rest if behind else -1.0
    diary.now += rest - 0.01
    assert loop._next_state() == frozenset()
    diary.now += 0.02
    assert loop._next_state() == {0}
    loop._state_due, loop._state_at_s, loop._at_rest = [], diary.now, True
    diary.now += 0.6
    assert loop._next_state() == {0}
