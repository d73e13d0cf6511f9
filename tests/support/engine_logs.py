"""Logs for an engine, and what it makes of them."""

from collections import defaultdict

import numpy as np
import pytest

from loanpulse.city.writers import encoded
from loanpulse.schemas.codec import Codec
from loanpulse.schemas.partitioning import partition_of
from loanpulse.schemas.registry import LocalRegistry
from loanpulse.schemas.topics import EVENT_TOPICS
from loanpulse.streams.engine.engine import Engine, EngineOptions
from loanpulse.streams.partition.partition import Partition
from loanpulse.streams.policy import policy_file
from loanpulse.streams.scoring.score import SCORE, Scores
from tests.support import sample_logs

PARTITIONS = 2
REGISTRY = LocalRegistry()
CODEC = Codec(REGISTRY)
POLICY = policy_file.load(interval_seconds=1.0)
OPTIONS = EngineOptions(PARTITIONS)
END = 1_900_000_000_000
Log = dict[tuple[int, int], list[tuple[int, bytes, bytes]]]
Found = dict[bytes, tuple[bytes, int, float, int]]


@pytest.fixture(scope="module")
def log() -> Log:
    """The flawed city's log: per source and partition, (timestamp, key, value) by offset."""
    found: Log = defaultdict(list)
    for record in sample_logs.city(flawed=True):
        key = record.key.encode()
        source = EVENT_TOPICS.index(record.topic)
        found[source, partition_of(key, PARTITIONS)].append((record.at_ms, key, encoded(record, CODEC)))
    return found


def add(found: Found, engine: Engine, partition: int, limit: int, inclusive: bool = False) -> None:
    for scored in engine.partition(partition).advance(limit, inclusive=inclusive):
        for score, key, identity in zip(scored.scores, scored.keys, scored.ids, strict=True):
            value = (key, int(score["time"]), float(score["lhi"]), int(score["level"]))
            assert found.setdefault(identity, value) == value, "the same id must never mean two things"
        scored.release()


def scores_until(engine: Engine, partition: int, limit: int) -> Scores:
    """Advance a partition up to and at ``limit``; returns all its scorings."""
    results = engine.partition(partition).advance(limit, inclusive=True)
    return np.concatenate([np.zeros(0, SCORE), *(scored.scores for scored in results)])


def copy_state(partition: Partition, fresh: Partition) -> None:
    """Restore a fresh partition from what a changelog would hold of another."""
    partition.store.dirty[: len(partition.store)] = True
    changes = partition.changed(0)
    for key, value in changes.entries if changes is not None else []:
        fresh.restore(key, value)
    fresh.restore(*partition.own_entry(0))
