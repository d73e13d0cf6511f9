"""How calm the levels are."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from loanpulse.schemas.units import DAY_MS

FLIP_DAYS = 7


def flip_rate(changes: npt.NDArray[np.void]) -> tuple[int, float]:
    """Return the number of level changes, and the share of them that the next change undid within seven days.

    Undone is a change whose successor brings the borrower back to the level before it, or beyond.
    """
    ordered = changes[np.lexsort((changes["time"], changes["borrower"]))]
    if not len(ordered):
        return 0, float("nan")
    first, second = ordered[:-1], ordered[1:]
    same = (first["borrower"] == second["borrower"]) & (second["time"] - first["time"] <= FLIP_DAYS * DAY_MS)
    worsened = first["after"] > first["before"]
    back = np.where(worsened, second["after"] <= first["before"], second["after"] >= first["before"])
    return len(ordered), float((same & back).sum() / len(ordered))
