"""A log of records in memory, and the part of confluent-kafka's consumer over it that the loader uses."""

import time
from collections.abc import Callable, Sequence
from typing import Any

from confluent_kafka import TopicPartition

START_MS = 1_700_000_000_000


class Record:
    """A consumed message, as the loader sees it."""

    def __init__(
        self, topic: str, offset: int, key: bytes | None, value: bytes | None, headers: Any = None, partition: int = 0,
        stamp: int | None = None,
    ) -> None:  # fmt: skip
        self._topic, self._offset, self._partition = topic, offset, partition
        self._stamp = START_MS + offset if stamp is None else stamp
        self._key, self._value, self._headers = key, value, headers

    def topic(self) -> str:
        return self._topic

    def partition(self) -> int:
        return self._partition

    def offset(self) -> int:
        return self._offset

    def key(self) -> bytes | None:
        return self._key

    def value(self) -> bytes | None:
        return self._value

    def headers(self) -> Any:
        return self._headers

    def timestamp(self) -> tuple[int, int]:
        return 1, self._stamp

    def error(self) -> None:
        return None


Log = dict[tuple[str, int], list[Record]]


class MemoryConsumer:
    """Hands out a log in turns of partitions, from where it is told to begin, and counts what is asked of it."""

    def __init__(self, log: Log, at_once: int) -> None:
        self._log, self._at_once = log, at_once
        self._places = dict.fromkeys(log, 0)
        self._paused: set[tuple[str, int]] = set()
        self.polls = 0
        self.committed: dict[tuple[str, int], int] = {}

    def subscribe(self, topics: list[str], on_assign: Callable[..., None], on_revoke: Callable[..., None]) -> None:
        on_assign(self, [TopicPartition(topic, partition) for topic, partition in self._log])

    def assign(self, partitions: Sequence[TopicPartition]) -> None:
        for place in partitions:
            self._places[place.topic, place.partition] = max(place.offset, 0)

    def assignment(self) -> list[TopicPartition]:
        return [TopicPartition(topic, partition) for topic, partition in self._log]

    def get_watermark_offsets(self, place: TopicPartition, timeout: float) -> tuple[int, int]:
        return 0, len(self._log[place.topic, place.partition])

    def pause(self, partitions: Sequence[TopicPartition]) -> None:
        self._paused |= {(place.topic, place.partition) for place in partitions}

    def resume(self, partitions: Sequence[TopicPartition]) -> None:
        self._paused -= {(place.topic, place.partition) for place in partitions}

    def consume(self, count: int, timeout: float) -> list[Record]:
        self.polls += 1
        found = self._next()
        if not found:
            time.sleep(timeout)  # as the client waits; a loop that spins would starve the threads that insert
        return found

    def _next(self) -> list[Record]:
        found: list[Record] = []
        for place, records in self._log.items():
            if place not in self._paused:
                at = self._places[place]
                found += records[at : at + self._at_once]
                self._places[place] = min(at + self._at_once, len(records))
        return found

    def commit(self, offsets: Sequence[TopicPartition], asynchronous: bool) -> None:
        self.committed.update({(place.topic, place.partition): place.offset for place in offsets})

    @property
    def is_at_end(self) -> bool:
        return all(at == len(self._log[place]) for place, at in self._places.items())
