"""The newest matured examples, so that an online model may see each more than once, in bounded memory."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from loanpulse.streams.models.inputs import Labels, Reals

CAPACITY = 16_384


@dataclass(slots=True)
class ReplayBuffer:
    """The last ``CAPACITY`` examples of ``width`` features; draws depend only on the given seed."""

    width: int
    rows: Reals = field(init=False)
    labels: Labels = field(default_factory=lambda: np.zeros(0, np.bool_))

    def __post_init__(self) -> None:
        self.rows = np.zeros((0, self.width))

    def add(self, rows: Reals, labels: Labels) -> None:
        """Add examples; the oldest are dropped."""
        self.rows = np.concatenate([self.rows, rows])[-CAPACITY:]
        self.labels = np.concatenate([self.labels, labels])[-CAPACITY:]

    def draws(self, count: int, size: int, seed: int) -> Iterator[tuple[Reals, Labels]]:
        """Yield ``count`` batches of ``size`` examples, drawn with replacement."""
        rng = np.random.default_rng(seed)
        for _ in range(count):
            indexes = rng.integers(0, len(self.labels), size)
            yield self.rows[indexes], self.labels[indexes]
