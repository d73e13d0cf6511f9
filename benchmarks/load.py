"""The load of the benchmark: a simulated city encoded for the broker, and a steady stream of purchases."""

import time
import uuid
from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
from confluent_kafka import Producer

from loanpulse.city.plan import CityPlan
from loanpulse.city.simulation import City
from loanpulse.city.writers import encoded
from loanpulse.schemas.codec import Codec
from loanpulse.schemas.column_encoder import NULL, ColumnEncoder
from loanpulse.schemas.contracts import Contract, SpendingCategory, SpendingKind
from loanpulse.schemas.partitioning import partition_of
from loanpulse.schemas.registry import LocalRegistry
from loanpulse.schemas.topics import EVENT_TOPICS, SPENDING_EVENTS

DAYS = 6
"""Long enough that a run's start and end, a second each, weigh little in the rate."""


@dataclass(slots=True)
class Part:
    """What stands in one partition of one source, in order."""

    timestamps: list[int]
    keys: list[bytes]
    values: list[bytes]


Log = dict[tuple[int, int], Part]


def city_log(borrowers: int, partitions: int) -> Log:
    """The events of a city's first days by source and partition."""
    codec = Codec(LocalRegistry())
    log: Log = defaultdict(lambda: Part([], [], []))
    plan = CityPlan(borrowers, 11, datetime(2026, 6, 1, tzinfo=UTC), DAYS)
    for record in City(plan).events():
        key = record.key.encode()
        part = log[EVENT_TOPICS.index(record.topic), partition_of(key, partitions)]
        part.timestamps.append(record.at_ms)
        part.keys.append(key)
        part.values.append(encoded(record, codec))
    return dict(log)


def size(log: Log) -> int:
    return sum(len(part.keys) for part in log.values())


def publish(log: Log, properties: dict[str, object], prefix: str = "") -> float:
    """Publish the log; returns records a second."""
    producer = Producer({**properties, "queue.buffering.max.messages": 2_000_000, "delivery.report.only.error": True})
    began = time.perf_counter()
    for (source, partition), part in log.items():
        topic = prefix + EVENT_TOPICS[source]
        for start in range(0, len(part.keys), 10_000):
            end = start + 10_000
            rows = zip(part.keys[start:end], part.values[start:end], strict=True)
            messages = [{"key": key, "value": value} for key, value in rows]
            producer.produce_batch(topic, messages, partition)
            producer.poll(0)
    producer.flush()
    return size(log) / (time.perf_counter() - began)


class Purchases:
    """Purchases of many borrowers, made now: encoded by columns so that making them leaves the cores to the worker."""

    def __init__(self, borrowers: int, partitions: int) -> None:
        self._keys = [f"p-{number:08d}".encode() for number in range(borrowers)]
        self._partitions = [partition_of(key, partitions) for key in self._keys]
        self._encoder = ColumnEncoder(Contract.SPENDING_EVENT, Codec(LocalRegistry()).schema_id(SPENDING_EVENTS))
        self._random = np.random.default_rng(3)
        self._made = 0

    def make(self, count: int) -> list[dict[str, object]]:
        """Return messages of ``count`` purchases that happen now."""
        rows = self._random.integers(0, len(self._keys), count)
        now = int(time.time() * 1000)
        base = uuid.UUID(int=0, version=4).hex
        ids = [
            f"{base[:8]}-{base[8:12]}-{base[12:16]}-{base[16:20]}-{self._made + place:012x}" for place in range(count)
        ]
        self._made += count
        keys = [self._keys[row] for row in rows]
        buffer, ends = self._encoder.encode(
            {
                "event_id": np.array(ids, "S36"),
                "borrower_id": np.array(keys),
                "event_time": np.full(count, now),
                "source": np.full(count, b"bank"),
                "kind": np.full(count, int(SpendingKind.PURCHASE)),
                "amount": self._random.integers(100, 20_000, count),
                "currency": np.full(count, b"CNY"),
                "category": np.full(count, int(SpendingCategory.GROCERIES)),
                "balance_after": np.full(count, NULL),
                "loan_id": np.full(count, b""),
            }
        )
        starts = np.concatenate([[0], ends[:-1]]).tolist()
        return [
            {"key": key, "value": bytes(buffer[start:end]), "partition": self._partitions[row]}
            for key, start, end, row in zip(keys, starts, ends.tolist(), rows.tolist(), strict=True)
        ]
