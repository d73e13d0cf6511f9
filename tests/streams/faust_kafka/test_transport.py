"""What the consumer under Faust promises beyond Faust's own: nothing that was fetched is passed over."""

import asyncio
from typing import Any

from aiokafka import TopicPartition
from faust.types import TP

from loanpulse.settings import load
from loanpulse.streams.worker import app

FIRST, SECOND, CHANGELOG = TP("spending-events", 0), TP("spending-events", 1), TP("loanpulse-borrowers-changelog", 0)


class Asked:
    """Stands where the thread that talks to the broker would, and notes what it is asked for."""

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
        assert all(isinstance(place, TopicPartition) for place in partitions), "aiokafka takes no other"
        self.to_beginning |= {TP(place.topic, place.partition) for place in partitions}

    def assignment(self) -> set[TP]:
        return set(self.committed)


def consumer_of(asked: Asked) -> Any:
    consumer = app.build(load(environment={})).app.consumer
    consumer._thread = asked
    return consumer


def test_a_fetch_keeps_to_its_partitions_though_all_are_paused_while_it_waits() -> None:
    async def run() -> None:
        asked = Asked({})
        consumer = consumer_of(asked)
        active = {CHANGELOG}
        fetching = asyncio.create_task(consumer._getmany(active, 0.01))
        await asyncio.sleep(0)
        active.clear()
        await fetching
        assert asked.wanted == [{CHANGELOG}]

    asyncio.run(run())


def test_a_partition_without_a_commit_begins_anew_where_others_go_back_to_theirs() -> None:
    async def run() -> None:
        asked = Asked({FIRST: 7, SECOND: None, CHANGELOG: None})
        await consumer_of(asked).perform_seek()
        assert asked.to_beginning == {SECOND}

    asyncio.run(run())
