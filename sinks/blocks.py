"""Blocks: consecutive records of one partition that are inserted together, and the warehouse's own word about them.

A block's edges are written down before it is inserted. Whoever takes up the partition after a crash makes the same
block of the same records, whose token is the same, and the tables add nothing that they have already.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from loanpulse.sinks.warehouse import Warehouse

DIGEST_BYTES = 8

Place = tuple[str, int]
"""A topic's full name and a partition."""


@dataclass(frozen=True, slots=True)
class Edges:
    """Where a block begins, and the offset after its end."""

    first: int
    following: int


@dataclass(frozen=True, slots=True)
class LoadedUpTo:
    """What the warehouse says of a partition: the offset up to which it is loaded, and a block that was under way."""

    loaded_up_to: int
    under_way: Edges | None


@dataclass(slots=True)
class Block:
    """Consecutive messages of one partition. ``rows`` and ``refused`` are known once it is loaded."""

    place: Place
    messages: Sequence[Any]
    edges: Edges
    planned: bool = False
    rows: int = 0
    refused: int = 0

    @property
    def token(self) -> str:
        """The name of this block of exactly these records: other records at the same offsets have another."""
        digest = hashlib.blake2b(digest_size=DIGEST_BYTES)
        for message in self.messages:
            digest.update(message.value() or b"\x00")
        topic, partition = self.place
        return f"{topic}:{partition}:{self.edges.first}-{self.edges.following}:{digest.hexdigest()}"


def read_standings(warehouse: Warehouse) -> dict[Place, LoadedUpTo]:
    """Return what the warehouse says of every partition that it has seen."""
    rows = warehouse.query(
        "SELECT topic, partition, argMax((first_offset, next_offset, loaded), written_at) AS newest "
        "FROM loader_blocks GROUP BY topic, partition"
    )
    found = {}
    for row in rows.to_pylist():
        first, following, loaded = row["newest"].values() if isinstance(row["newest"], dict) else row["newest"]
        standing = LoadedUpTo(following, None) if loaded else LoadedUpTo(first, Edges(first, following))
        found[row["topic"], row["partition"]] = standing
    return found


def write_down(warehouse: Warehouse, blocks: Iterable[Block], *, loaded: bool) -> None:
    """Write down blocks that are about to be inserted, or that have been."""
    known = list(blocks)
    warehouse.insert(
        "loader_blocks",
        pa.table(
            {
                "topic": pa.array([block.place[0] for block in known], pa.string()),
                "partition": pa.array([block.place[1] for block in known], pa.uint32()),
                "first_offset": pa.array([block.edges.first for block in known], pa.int64()),
                "next_offset": pa.array([block.edges.following for block in known], pa.int64()),
                "loaded": pa.array([loaded] * len(known), pa.bool_()),
                "rows": pa.array([block.rows for block in known], pa.uint64()),
                "refused": pa.array([block.refused for block in known], pa.uint64()),
            }
        ),
    )
