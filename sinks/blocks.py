"""Blocks: consecutive records of one partition that are inserted together, and the warehouse's table of them.

A block's edges are stored in ``loader_blocks`` before it is inserted. After a crash the partition's next owner cuts
the same block from the same records. Its token is the same, so the tables ignore it if they have it already.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from loanpulse.sinks.warehouse import Warehouse

DIGEST_BYTES = 8

PartitionId = tuple[str, int]
"""A topic's full name and a partition."""


@dataclass(frozen=True, slots=True)
class Edges:
    """The first offset of a block, and the offset after its last."""

    first: int
    following: int


@dataclass(frozen=True, slots=True)
class LoadedUpTo:
    """How far the warehouse has loaded a partition: all before this offset, and a block that was not confirmed."""

    loaded_up_to: int
    under_way: Edges | None


@dataclass(slots=True)
class Block:
    """Consecutive messages of one partition. ``rows`` and ``refused`` are counted when it is inserted.

    ``planned`` is True once its edges are stored in the warehouse.
    """

    partition_id: PartitionId
    messages: Sequence[Any]
    edges: Edges
    planned: bool = False
    rows: int = 0
    refused: int = 0

    @property
    def token(self) -> str:
        """The block's name for deduplication. Other records at the same offsets give another token."""
        digest = hashlib.blake2b(digest_size=DIGEST_BYTES)
        for message in self.messages:
            digest.update(message.value() or b"\x00")
        topic, partition = self.partition_id
        return f"{topic}:{partition}:{self.edges.first}-{self.edges.following}:{digest.hexdigest()}"


def read_loaded(warehouse: Warehouse) -> dict[PartitionId, LoadedUpTo]:
    """Return how far each partition is loaded, for all partitions that the warehouse knows."""
    rows = warehouse.query(
        "SELECT topic, partition, argMax((first_offset, next_offset, loaded), written_at) AS newest "
        "FROM loader_blocks GROUP BY topic, partition"
    )
    found = {}
    for row in rows.to_pylist():
        first, following, loaded = row["newest"].values() if isinstance(row["newest"], dict) else row["newest"]
        found[row["topic"], row["partition"]] = (
            LoadedUpTo(following, None) if loaded else LoadedUpTo(first, Edges(first, following))
        )
    return found


def record_blocks(warehouse: Warehouse, blocks: Iterable[Block], *, loaded: bool) -> None:
    """Store the edges of blocks: before they are inserted, and again (``loaded``) when they are."""
    known = list(blocks)
    warehouse.insert(
        "loader_blocks",
        pa.table(
            {
                "topic": pa.array([block.partition_id[0] for block in known], pa.string()),
                "partition": pa.array([block.partition_id[1] for block in known], pa.uint32()),
                "first_offset": pa.array([block.edges.first for block in known], pa.int64()),
                "next_offset": pa.array([block.edges.following for block in known], pa.int64()),
                "loaded": pa.array([loaded] * len(known), pa.bool_()),
                "rows": pa.array([block.rows for block in known], pa.uint64()),
                "refused": pa.array([block.refused for block in known], pa.uint64()),
            }
        ),
    )
