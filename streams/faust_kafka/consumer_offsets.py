"""A Faust app's consumer as workers see it: has everything been delivered, and commit these offsets."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from faust.types import TP


@dataclass(frozen=True, slots=True)
class ConsumerOffsets:
    """The offsets of an app's consumer by (topic, partition); all of them are the next to read."""

    app: Any

    def caught_up(self, topic: str, partition: int, next_offset: int) -> bool:
        """Return True if the broker has no records from ``next_offset`` on, neither in a queue here nor to be fetched.

        May be called from any thread.
        """
        tp = TP(topic, partition)
        consumer = self.app.consumer
        return bool(consumer.delivered.get(tp, next_offset) <= next_offset and consumer.is_caught_up(tp))

    async def commit(self, offsets: Mapping[tuple[str, int], int]) -> None:
        """Commit offsets: all records before them are durable."""
        consumer = self.app.consumer
        consumer.mark_committable({TP(*partition): offset for partition, offset in offsets.items()})
        await consumer.commit()
