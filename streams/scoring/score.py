"""The layout of one scoring: what snapshots and alerts are made from."""

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from loanpulse.schemas.compiled import compiled
from loanpulse.streams.indicators.catalogue import COUNT
from loanpulse.streams.record.codes import LEVEL_UNKNOWN, STABLE
from loanpulse.streams.record.layout import BEHAVIOURS, LOANS

SCORE = np.dtype(
    [
        ("row", "i4"),
        ("cause", "i1"),
        ("level", "i1"),
        ("previous_level", "i1"),
        ("hard_event", "i1"),
        ("restated", "i1"),
        ("kept", "i4"),  # index of the borrower's record as it was then, among those kept for alerts; -1 without
        ("days_past_due", "i4"),
        ("open_loans", "i4"),
        ("behaviours", "u4"),  # bits of the behaviours whose episode is open
        ("opened", "u4"),  # bits of those that this scoring opened, INSTALMENT_MISSED also for a further lender
        ("missed_loans", "u1"),  # bits of the loans (by slot) of the lenders for whom it opened INSTALMENT_MISSED
        ("unmet_day", "i4"),  # due day of the oldest instalment past due that the balance can't meet, -1 for none
        ("time", "i8"),
        ("known_at", "i8"),
        ("lhi", "f8"),
        ("pd", "f8"),
        ("confidence", "f8"),
        ("runway_days", "f8"),
        ("overdue_amount", "f8"),
        ("balance", "f8"),
        ("shortfall_days", "f8", (3,)),  # quantiles 10, 50 and 90
        ("timeliness", "f8"),
        ("elasticity", "f8"),
        ("purpose_share", "f8"),
        ("purpose_deviation", "f8"),
        ("credit_score", "f8"),
        ("scenario_score", "f8"),
        ("cqplm_score", "f8"),
        ("behaviour_value", "f8", (BEHAVIOURS,)),  # what each behaviour measures, NaN where it is not known
        ("value", "f8", (COUNT,)),
        ("utility", "f8", (COUNT,)),  # each value's health, 0 (unhealthy) to 1 (healthy)
        ("evidence", "f8", (COUNT,)),
        ("points", "f8", (COUNT,)),  # index points that each indicator costs against a perfect borrower
        ("age_days", "f8", (COUNT,)),  # since the newest data behind it, -1 where there is none
        ("lender", "u8", (LOANS, 3)),
    ]
)
"""One scoring of one borrower. ``row`` is the borrower's row in the store; ``time_ms`` and ``known_at`` are UTC ms."""

Score: TypeAlias = np.void
"""One scoring: an element of an array of ``SCORE``."""
Scores: TypeAlias = npt.NDArray[np.void]


@compiled
def calls_for_alert(score: Score) -> bool:
    """Tell whether lenders may be alerted: a level moved or a behaviour opened, and the scoring is no restatement.

    A borrower's first scoring counts only where it is worse than STABLE, the level that an unknown borrower starts
    from, or opens a behaviour.
    """
    if score["restated"] != 0:
        return False
    if score["previous_level"] == LEVEL_UNKNOWN:
        return bool(score["level"] > STABLE or score["opened"] != 0)
    return bool(score["level"] != score["previous_level"] or score["opened"] != 0)
