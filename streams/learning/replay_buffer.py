"""The newest matured examples, so that an online model may see each more than once, in bounded memory."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from loanpulse.streams.models.inputs import Labels, Reals

CAPACITY = 16_384


@dataclass(slots=True)
class ReplayBuffer:
    """The last ``CAPACITY`` examples of ``width`` features; draws depend on the seed that is given only."""

    width: int
    rows: Reals = field(init=False)
    labels: Labels = field(default_factory=lambda: np.zeros(0, np.bool_))

    def __post_init__(self) -> None:
        self.rows = np.zeros((0, self.width))

    def add(self, rows: Reals, labels: Labels) -> None:
        """Take new examples; the oldest go."""
        self.rows = np.concatenate([self.rows, rows])[-CAPACITY:]
        self.labels = np.concatenate([self.labels, labels])[-CAPACITY:]

    def draws(self, count: int, size: int, seed: int) -> Iterator[tuple[Reals, Labels]]:
        """Yield ``count`` batches of ``size`` drawn from what is held."""
        dice = np.random.default_rng(seed)
        for _ in range(count):
            places = dice.integers(0, len(self.labels), size)
            yield self.rows[places], self.labels[places]
