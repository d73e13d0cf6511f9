"""Which partitions this worker owns: assigned, recovered from the changelog, and taken away again."""

from collections.abc import Callable
from dataclasses import dataclass, field

import structlog

from loanpulse.streams.engine.engine import Engine

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class OwnedPartitions:
    """The partitions of ``engine`` that this worker owns; ``monotonic`` is a clock that never jumps (seconds)."""

    engine: Engine
    monotonic: Callable[[], float]
    _recovering: set[int] = field(default_factory=set)
    _owned: set[int] = field(default_factory=set)

    def __contains__(self, partition: int) -> bool:
        return partition in self._owned

    @property
    def numbers(self) -> list[int]:
        """The partitions that are owned and whose state is complete, ascending."""
        return sorted(self._owned)

    def begin_recovery(self, partitions: set[int]) -> None:
        """Make room for partitions newly assigned."""
        self.drop(partitions)
        self._recovering |= partitions

    def drop(self, partitions: set[int]) -> None:
        """Drop partitions that another worker takes over."""
        for number in partitions:
            self.engine.drop(number)
        self._recovering -= partitions
        self._owned -= partitions

    def restore(self, partition: int, key: bytes, value: bytes | None) -> None:
        """Put one changelog record in place; ignored for a partition that is not being recovered."""
        if partition in self._recovering:
            self.engine.partition(partition).restore(key, value)

    def recovered(self, partitions: set[int]) -> None:
        """Begin to process partitions whose state is complete."""
        for number in partitions & self._recovering:
            partition = self.engine.partition(number)
            partition.watermark.start(self.monotonic())
            log.info("partition recovered", partition=number, borrowers=len(partition.store))
        self._owned |= partitions
        self._recovering -= partitions

    def suspend(self) -> None:
        """Process no partition until its state is confirmed anew: a rebalance has begun."""
        self._owned.clear()
