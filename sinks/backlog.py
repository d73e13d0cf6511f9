"""Consumed messages that wait to be inserted, and how they are cut into blocks. Pure: no client, no clock."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from loanpulse.sinks.blocks import Block, Edges, PartitionId

MISSING_SECONDS = 30.0
"""Time to wait for the last records of a planned block; after that they count as removed by compaction."""


@dataclass(slots=True)
class Backlog:
    """Messages by partition, in order. ``since`` is when the oldest was added, in seconds of the caller's clock.

    ``fixed`` holds the edges of blocks that a loader had planned but not confirmed when it ended. Such a block is cut
    at exactly these edges, once all of its messages have been read again.
    """

    messages: dict[PartitionId, list[Any]] = field(default_factory=dict)
    fixed: dict[PartitionId, Edges] = field(default_factory=dict)
    held_since: dict[PartitionId, float] = field(default_factory=dict)
    count: int = 0
    since: float = 0.0

    def add(self, message: Any, now: float) -> None:
        """Add one message."""
        if not self.count:
            self.since = now
        self.messages.setdefault((message.topic(), message.partition()), []).append(message)
        self.count += 1

    def forget(self, partition_id: PartitionId) -> None:
        """Drop the messages of a revoked partition; its next owner reads them again."""
        self.count -= len(self.messages.pop(partition_id, ()))
        self.fixed.pop(partition_id, None)
        self.held_since.pop(partition_id, None)

    def cut(self, now: float) -> list[Block]:
        """Return the blocks that can be inserted now; the other messages stay."""
        blocks = [block for partition_id in sorted(self.messages) for block in self._cut(partition_id, now)]
        self.count = sum(len(waiting) for waiting in self.messages.values())
        self.since = now
        return blocks

    def _cut(self, partition_id: PartitionId, now: float) -> Iterable[Block]:
        waiting = self.messages.pop(partition_id)
        fixed = self.fixed.get(partition_id)
        if fixed is None:
            yield Block(partition_id, waiting, Edges(waiting[0].offset(), waiting[-1].offset() + 1))
            return
        inside = [message for message in waiting if message.offset() < fixed.following]
        rest = waiting[len(inside) :]
        complete = rest or (inside and inside[-1].offset() + 1 == fixed.following)
        if not complete and now - self.held_since.setdefault(partition_id, now) < MISSING_SECONDS:
            self.messages[partition_id] = waiting
            return
        del self.fixed[partition_id]
        self.held_since.pop(partition_id, None)
        if rest:
            self.messages[partition_id] = rest
        if inside:
            yield Block(partition_id, inside, fixed, planned=True)
