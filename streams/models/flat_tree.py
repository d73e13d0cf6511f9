"""A tree of the challenger's forest as arrays: how it is published, and scored with for many at once."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from loanpulse.schemas.compiled import compiled
from loanpulse.streams.models.inputs import Reals

LEAF = -1


@dataclass(frozen=True, slots=True)
class FlatTree:
    """One tree as arrays, by node: ``feature`` is LEAF at a leaf, else a value above ``threshold`` goes right."""

    feature: npt.NDArray[np.int32]
    threshold: Reals
    left: npt.NDArray[np.int32]
    right: npt.NDArray[np.int32]
    proba: Reals

    @property
    def nbytes(self) -> int:
        """Bytes of the arrays."""
        return sum(part.nbytes for part in (self.feature, self.threshold, self.left, self.right, self.proba))


@compiled
def add_votes(
    rows: Reals,
    feature: npt.NDArray[np.int32],
    threshold: Reals,
    left: npt.NDArray[np.int32],
    right: npt.NDArray[np.int32],
    proba: Reals,
    votes: Reals,
) -> None:
    """Add one tree's probability of each row to ``votes``."""
    for row in range(len(rows)):
        node = 0
        while feature[node] >= 0:
            node = left[node] if rows[row, feature[node]] <= threshold[node] else right[node]
        votes[row] += proba[node]


def vote(trees: Sequence[FlatTree], rows: Reals) -> Reals:
    """Return the mean probability of the trees for each row."""
    votes = np.zeros(len(rows))
    for one in trees:
        add_votes(rows, one.feature, one.threshold, one.left, one.right, one.proba, votes)
    return votes / max(1, len(trees))
