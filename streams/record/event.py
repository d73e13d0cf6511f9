"""One row per event, whatever its topic: what the fold reads.

The three event contracts are projected onto one numpy layout, so that the fold is one loop without a Python
object per event. A missing number is NaN, a missing day ``NO_DAY``, a missing key 0, a missing enum -1.
"""

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Event: TypeAlias = np.void
"""One event: an element of an array of ``EVENT``."""
Events: TypeAlias = npt.NDArray[np.void]

NO_DAY = np.iinfo(np.int32).min
FORGET = 127
"""In ``kind``: not an event but an order to forget the row's borrower, which is merged like an event."""

EVENT = np.dtype(
    [
        ("source", "i1"),
        ("kind", "i1"),
        ("utility", "i1"),
        ("category", "i1"),
        ("status", "i1"),
        ("purpose", "i1"),
        ("product", "i1"),
        ("error", "u1"),
        ("row", "i4"),
        ("due_day", "i4"),
        ("offset", "i8"),
        ("event_time", "i8"),
        ("merge_time", "i8"),  # when its source partition had reached it: its position in the merge
        ("id_hash", "u8"),
        ("loan_key", "u8"),
        ("loan_reference", "u4"),  # the loan's id without its lender, 0 = none
        ("lender", "u8", (3,)),
        ("amount", "f8"),
        ("outstanding", "f8"),
        ("credit_limit", "f8"),
        ("minimum_due", "f8"),
        ("balance", "f8"),
        ("usage", "f8"),
    ]
)
"""The layout. A borrower's stored undo log holds late events: a change needs a new ``VERSION`` of the record."""
