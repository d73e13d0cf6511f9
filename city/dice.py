"""Random numbers of one household, drawn in blocks because single draws from numpy are slow."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import NormalDist
from typing import TypeVar

import numpy as np

BLOCK = 64
_NORMAL = NormalDist()
_LEAST = 1e-12

Item = TypeVar("Item")


class Dice:
    """A stream of random numbers that depends on `seed` and `path` alone."""

    __slots__ = ("_generator", "_numbers")

    def __init__(self, seed: int, *path: int) -> None:
        bits = np.random.PCG64(np.random.SeedSequence(seed, spawn_key=path))
        self._generator = np.random.Generator(bits)
        self._numbers: list[float] = []

    def roll(self) -> float:
        """A number in [0, 1)."""
        if not self._numbers:
            self._numbers = self._generator.random(BLOCK).tolist()
        return self._numbers.pop()

    def chance(self, probability: float) -> bool:
        """True with `probability`."""
        return self.roll() < probability

    def between(self, low: float, high: float) -> float:
        """A number in [low, high)."""
        return low + (high - low) * self.roll()

    def whole(self, low: int, high: int) -> int:
        """A whole number in low..high, both included."""
        return low + int((high - low + 1) * self.roll())

    def pick(self, items: Sequence[Item]) -> Item:
        """One of `items`, each as likely."""
        return items[int(len(items) * self.roll())]

    def spread(self, sigma: float) -> float:
        """A log-normal factor around 1 (its median) with `sigma` in log units."""
        return math.exp(sigma * _NORMAL.inv_cdf(max(_LEAST, self.roll())))

    def days_until(self, rate_a_day: float) -> float:
        """Days until the next event of a process with `rate_a_day`; infinite at rate zero."""
        return math.inf if rate_a_day <= 0.0 else -math.log(1.0 - self.roll()) / rate_a_day
