"""Events without a field, to which a test adds what it needs."""

import numpy as np

from loanpulse.streams.record.event import EVENT, NO_DAY, Events


def empty_events(count: int) -> Events:
    """Return ``count`` events with every optional field missing."""
    events = np.zeros(count, EVENT)
    for field in ("utility", "category", "status", "purpose", "product"):
        events[field] = -1
    events["due_day"] = NO_DAY
    for field in ("amount", "outstanding", "credit_limit", "minimum_due", "balance", "usage"):
        events[field] = np.nan
    return events
