"""A forest of River's Hoeffding trees on random patches of the features."""

import random
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from river import tree

from loanpulse.streams.models.flat_tree import LEAF, FlatTree
from loanpulse.streams.models.inputs import Labels, Reals


def flatten(model: Any, base_rate: float) -> FlatTree:
    """Return a River tree with majority-class leaves as arrays; a leaf without examples has ``base_rate``."""
    feature: list[int] = []
    threshold: list[float] = []
    left: list[int] = []
    right: list[int] = []
    proba: list[float] = []

    def visit(node: Any) -> int:
        index = len(feature)
        split = getattr(node, "feature", None)
        seen = sum(node.stats.values()) if node is not None and node.stats else 0.0
        feature.append(LEAF if split is None else int(split))
        threshold.append(0.0 if split is None else float(node.threshold))
        proba.append(node.stats.get(True, 0.0) / seen if seen > 0 else base_rate)
        left.append(LEAF)
        right.append(LEAF)
        if split is not None:
            left[index], right[index] = visit(node.children[0]), visit(node.children[1])
        return index

    visit(model._root)  # noqa: SLF001 - River offers no walk over a tree's nodes
    return FlatTree(
        np.array(feature, np.int32), np.array(threshold), np.array(left, np.int32), np.array(right, np.int32),
        np.array(proba),
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class ForestOptions:
    """How the forest grows. ``patch`` is the share of features that each tree sees, ``bag`` the mean of its Poisson."""

    trees: int = 10
    patch: float = 0.4
    bag: float = 3.0
    grace_period: int = 150
    delta: float = 1e-4
    tau: float = 0.03
    max_depth: int = 9
    life: int = 60_000
    """Examples after which a tree is replaced by a new one, so that the forest follows changes and stays small."""


@dataclass(slots=True)
class Forest:
    """Learns one example at a time. The same examples in the same order and the same seed give the same forest."""

    width: int
    options: ForestOptions = ForestOptions()
    seed: int = 1
    _trees: list[Any] = field(default_factory=list)
    _patches: list[list[int]] = field(default_factory=list)
    _ages: list[int] = field(default_factory=list)
    _rng: random.Random = field(init=False)
    _positives: int = 0
    _examples: int = 0

    def __post_init__(self) -> None:
        self._rng = random.Random(self.seed)  # noqa: S311 - chance for bagging, not for secrets
        for number in range(self.options.trees):
            self._trees.append(self._new())
            self._patches.append(self._patch())
            # Staggered, so that they are not all replaced at once.
            self._ages.append(-number * self.options.life // self.options.trees)

    def _new(self) -> Any:
        return tree.HoeffdingTreeClassifier(
            grace_period=self.options.grace_period,
            delta=self.options.delta,
            tau=self.options.tau,
            max_depth=self.options.max_depth,
            leaf_prediction="mc",
        )

    def _patch(self) -> list[int]:
        return sorted(self._rng.sample(range(self.width), max(1, round(self.options.patch * self.width))))

    def _weight(self) -> int:
        # Knuth's method: few draws at such means, and it depends on this forest's own generator only.
        limit, product, count = np.exp(-self.options.bag), self._rng.random(), 0
        while product > limit:
            product *= self._rng.random()
            count += 1
        return count

    def learn(self, rows: Reals, outcomes: Labels) -> None:
        """Learn rows in their order."""
        for values, outcome in zip(rows.tolist(), outcomes.tolist(), strict=True):
            self._examples += 1
            self._positives += outcome
            for number in range(len(self._trees)):
                weight = self._weight()
                if weight:
                    patch = {index: values[index] for index in self._patches[number]}
                    self._trees[number].learn_one(patch, outcome, w=weight)
                self._ages[number] += 1
                if self._ages[number] > self.options.life:
                    self._trees[number], self._patches[number], self._ages[number] = self._new(), self._patch(), 0

    @property
    def base_rate(self) -> float:
        """Share of positives seen."""
        return (self._positives + 1) / (self._examples + 2)

    def flat(self) -> tuple[FlatTree, ...]:
        """Return the trees that have learned something, as arrays."""
        grown = [one for one in self._trees if one._root is not None]  # noqa: SLF001 - as in ``flatten``
        return tuple(flatten(one, self.base_rate) for one in grown)

    def reference(self, rows: Reals) -> Reals:
        """Return River's own answer, row by row: what the flat form must equal."""
        grown = [number for number, one in enumerate(self._trees) if one._root is not None]  # noqa: SLF001
        answers = []
        for values in rows.tolist():
            votes = [
                self._trees[number].predict_proba_one({index: values[index] for index in self._patches[number]})
                for number in grown
            ]
            answers.append(sum(one.get(True, 0.0) for one in votes) / max(1, len(votes)))
        return np.array(answers)
