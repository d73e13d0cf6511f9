"""Folding one event into its borrower's record: every function takes a record and an event and changes the record only.

Folding is idempotent (an event id folded before is skipped, see ``seen_before``) and commutes within the allowed
lateness, so that the indicators depend on what happened and not on the order in which it was reported.
"""

import numpy as np

from loanpulse.schemas.compiled import compiled
from loanpulse.schemas.sources import REPAYMENT, SPENDING
from loanpulse.streams.fold.repayment import fold_repayment
from loanpulse.streams.fold.spending import fold_spending
from loanpulse.streams.fold.utility import fold_utility
from loanpulse.streams.record import decayed_sums
from loanpulse.streams.record.event import Event
from loanpulse.streams.record.layout import RECENT_EVENTS, Record


@compiled
def seen_before(record: Record, id_hash: int) -> bool:
    """Tell whether an event of this id is among those last folded."""
    low = np.uint64(id_hash) & np.uint64(0xFFFFFFFF)
    high = (np.uint64(id_hash) >> np.uint64(32)) & np.uint64(0xFFFF)
    for slot in range(RECENT_EVENTS):
        if record["recent_low"][slot] == low and record["recent_high"][slot] == high:
            return True
    return False


@compiled
def remember(record: Record, event: Event) -> None:
    """Note the event's id, time and source."""
    slot = int(record["recent_next"])
    record["recent_low"][slot] = event["id_hash"] & np.uint64(0xFFFFFFFF)
    record["recent_high"][slot] = (event["id_hash"] >> np.uint64(32)) & np.uint64(0xFFFF)
    record["recent_next"] = (slot + 1) % RECENT_EVENTS
    record["first_seen"] = min(record["first_seen"], event["event_time"])
    source = event["source"]
    record["last_seen"][source] = max(record["last_seen"][source], event["event_time"])


@compiled
def fold_event(record: Record, event: Event) -> None:
    """Fold one event that has not been folded before."""
    remember(record, event)
    decayed_sums.move_reference(record, event["event_time"])
    if event["source"] == REPAYMENT:
        fold_repayment(record, event)
    elif event["source"] == SPENDING:
        fold_spending(record, event)
    else:
        fold_utility(record, event)
