"""What our consumer promises beyond Faust's: no fetched record is skipped, only marked offsets are committed."""

import asyncio
from typing import Any

from aiokafka import TopicPartition
from faust.types import TP

from loanpulse.settings import load
from loanpulse.streams.worker import app

FIRST, SECOND, CHANGELOG = TP("spending-events", 0), TP("spending-events", 1), TP("loanpulse-borrowers-changelog", 0)


class StubConsumerThread:
    """Replaces the thread that talks to the broker and records what is asked of it."""

    def __init__(self, committed: dict[TP, int | None]) -> None:
        self.committed = committed
        self.wanted: list[set[TP]] = []
        self.to_beginning: set[TP] = set()

    async def getmany(self, active_partitions: set[TP], timeout: float) -> dict[Any, Any]:
        await asyncio.sleep(timeout)
        self.wanted.append(active_partitions)
        return {}

    async def seek_to_committed(self) -> dict[TP, int | None]:
        return self.committed

    async def seek_to_beginning(self, *partitions: TopicPartition) -> None:
        assert all(isinstance(each, TopicPartition) for each in partitions), "aiokafka accepts no other type"
        self.to_beginning |= {TP(each.topic, each.partition) for each in partitions}

    def assignment(self) -> set[TP]:
        return set(self.committed)


def consumer_of(thread: StubConsumerThread) -> Any:
    consumer = app.build(load(environment={})).app.consumer
    consumer._thread = thread
    return consumer


def test_a_fetch_keeps_to_its_partitions_though_all_are_paused_while_it_waits() -> None:
    async def run() -> None:
        thread = StubConsumerThread({})
        consumer = consumer_of(thread)
        active = {CHANGELOG}
        fetching = asyncio.create_task(consumer._getmany(active, 0.01))
        await asyncio.sleep(0)
        active.clear()
        await fetching
        assert thread.wanted == [{CHANGELOG}]

    asyncio.run(run())


def test_a_partition_without_a_commit_begins_anew_where_others_go_back_to_theirs() -> None:
    async def run() -> None:
        thread = StubConsumerThread({FIRST: 7, SECOND: None, CHANGELOG: None})
        await consumer_of(thread).perform_seek()
        assert thread.to_beginning == {SECOND}

    asyncio.run(run())


def test_only_marked_offsets_are_committable_and_a_revocation_drops_them() -> None:
    async def run() -> None:
        consumer = consumer_of(StubConsumerThread({FIRST: 0, SECOND: 0}))
        assert list(consumer._filter_tps_with_pending_acks()) == []
        consumer.mark_committable({FIRST: 5, SECOND: 3})
        assert consumer._filter_committable_offsets([FIRST, SECOND, CHANGELOG]) == {FIRST: 5, SECOND: 3}
        consumer.pause(SECOND)
        assert consumer.paused == {SECOND}
        await consumer.on_partitions_revoked({SECOND})
        assert consumer.paused == set()
        assert set(consumer._filter_tps_with_pending_acks()) == {FIRST}

    asyncio.run(run())
