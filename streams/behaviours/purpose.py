"""The behaviour of spending a loan's proceeds on other things than declared."""

import math

from loanpulse.schemas.compiled import compiled
from loanpulse.streams.record.layout import Reals

SHARE = 1


@compiled
def purpose_deviation(deviation: float, parameters: Reals) -> tuple[float, bool]:
    """Return the scenario dimension's ``deviation`` (share of traced proceeds), and whether it is beyond the limit.

    Examples:
        >>> import numpy as np
        >>> share, deviates = purpose_deviation(0.3, np.array([14.0, 0.2]))
        >>> share, bool(deviates)
        (0.3, True)
    """
    return deviation, not math.isnan(deviation) and deviation > parameters[SHARE]
