"""Messages that wait to be inserted, cut into blocks. Pure: no client, no clock."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from loanpulse.sinks.blocks import Block, Edges, Place

MISSING_SECONDS = 30.0
"""How long the last records of a block under way are waited for before they count as compacted away."""


@dataclass(slots=True)
class Backlog:
    """Messages by partition, in order, and since when (seconds of the caller's clock) the oldest waits.

    ``fixed`` holds the edges of blocks that were under way when a loader ended: such a block is cut at exactly these
    edges, once all of its messages have come again.
    """

    messages: dict[Place, list[Any]] = field(default_factory=dict)
    fixed: dict[Place, Edges] = field(default_factory=dict)
    held_since: dict[Place, float] = field(default_factory=dict)
    count: int = 0
    since: float = 0.0

    def add(self, message: Any, now: float) -> None:
        """Take one message."""
        if not self.count:
            self.since = now
        self.messages.setdefault((message.topic(), message.partition()), []).append(message)
        self.count += 1

    def forget(self, place: Place) -> None:
        """Drop what waits of a partition; another loader will read it again."""
        self.count -= len(self.messages.pop(place, ()))
        self.fixed.pop(place, None)
        self.held_since.pop(place, None)

    def cut(self, now: float) -> list[Block]:
        """Return the blocks that can be inserted now; the rest goes on waiting."""
        blocks = [block for place in sorted(self.messages) for block in self._cut(place, now)]
        self.count = sum(len(waiting) for waiting in self.messages.values())
        self.since = now
        return blocks

    def _cut(self, place: Place, now: float) -> Iterable[Block]:
        waiting = self.messages.pop(place)
        fixed = self.fixed.get(place)
        if fixed is None:
            yield Block(place, waiting, Edges(waiting[0].offset(), waiting[-1].offset() + 1))
            return
        inside = [message for message in waiting if message.offset() < fixed.following]
        rest = waiting[len(inside) :]
        complete = rest or (inside and inside[-1].offset() + 1 == fixed.following)
        if not complete and now - self.held_since.setdefault(place, now) < MISSING_SECONDS:
            self.messages[place] = waiting
            return
        del self.fixed[place]
        self.held_since.pop(place, None)
        if rest:
            self.messages[place] = rest
        if inside:
            yield Block(place, inside, fixed, planned=True)
