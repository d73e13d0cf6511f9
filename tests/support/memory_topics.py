"""Topics in memory that a trainer reads and writes: each record keeps its partition and offset, as a broker would."""

from collections import defaultdict
from collections.abc import Callable
from typing import Any

import numpy as np

from loanpulse.broker.producer import ANY_PARTITION
from loanpulse.schemas.partitioning import partition_of
from loanpulse.schemas.spans import Spans
from loanpulse.schemas.topics import MODEL_HEALTH, MODEL_SNAPSHOTS
from loanpulse.streams.faust_kafka.record_batches import FetchedRecords


class MemoryTopics:
    """All partitions of all topics. It also replaces the trainer's ``DurableProducer``."""

    def __init__(self, partitions: int) -> None:
        self.partitions = partitions
        self.records: dict[tuple[str, int], list[tuple[bytes, bytes]]] = defaultdict(list)

    def produce(self, topic: str, key: bytes, value: bytes, *, partition: int = ANY_PARTITION) -> None:
        if partition == ANY_PARTITION:
            partition = 0 if topic in (MODEL_SNAPSHOTS, MODEL_HEALTH) else partition_of(key, self.partitions)
        self.records[topic, partition].append((key, value))

    def flush(self) -> None:
        """Everything is durable at once."""

    def end(self, topic: str, partition: int) -> int:
        return len(self.records[topic, partition])

    def fetched(self, topic: str, partition: int, first: int) -> FetchedRecords | None:
        """Return the records from an offset on, None where there are none."""
        found = self.records[topic, partition][first:]
        if not found:
            return None
        keys, values = zip(*found, strict=True)
        offsets = np.arange(first, first + len(found), dtype=np.int64)
        return FetchedRecords(
            offsets, np.zeros(len(found), np.int64), Spans.of(keys), Spans.of(values), Spans.of([b""] * len(found))
        )

    def values(self, topic: str, decode: Callable[[str, bytes], dict[str, Any]]) -> list[dict[str, Any]]:
        """Return the decoded values of a topic, partition after partition."""
        return [decode(topic, value) for part in range(self.partitions) for _, value in self.records[topic, part]]
