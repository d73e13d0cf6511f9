"""The borrower's own cash-flow model: what a day brings and takes, outside of paydays and instalments.

It is River's ``EWMean(FADING)`` and ``EWVar(FADING)`` over the daily net flow, whose numbers live in the record. Days
are learned in the order of event time as they close, ``OPEN_DAYS`` after they began, so that a late movement still
lands in its day.
"""

import math

from loanpulse.schemas.compiled import compiled
from loanpulse.streams.record.codes import (
    CASH_WITHDRAWAL,
    CATEGORY_LOAN_REPAYMENT,
    CATEGORY_OTHER,
    EARNED,
    PURCHASE,
    REFUND,
    TRANSFER_IN,
    TRANSFER_OUT,
)
from loanpulse.streams.record.event import Event
from loanpulse.streams.record.layout import OPEN_DAYS, Record
from loanpulse.streams.record.units import local_day

FADING = 0.03
"""The weight of the newest day: a time constant of about a month."""
EMPTY_DAYS_LEARNED = 120
"""The most days without any movement that are learned at once: after so many, nothing else is left."""
MOST_UNITS = (1 << 31) - 1
LAST_DAY = (1 << 16) - 1


@compiled
def net_amount(event: Event) -> float:
    """Return what a movement adds to the daily net flow; 0 for pay, instalments and advances, which are not of it."""
    kind = event["kind"]
    amount: float = event["amount"]
    if kind in (REFUND, TRANSFER_IN) or (kind == EARNED and event["category"] == CATEGORY_OTHER):
        return amount
    if kind in (PURCHASE, CASH_WITHDRAWAL) or (kind == TRANSFER_OUT and event["category"] != CATEGORY_LOAN_REPAYMENT):
        return -amount
    return 0.0


@compiled
def learn_day(record: Record, net: float) -> None:
    """Teach the model the net flow of one day, in currency.

    Examples:
        >>> from loanpulse.streams.record.layout import empty_records
        >>> record = empty_records(1)[0]
        >>> learn_day(record, -100.0)
        >>> learn_day(record, 0.0)
        >>> round(float(record["flow_mean"]), 6)
        -97.0
    """
    if record["flow_days"] == 0:
        record["flow_mean"] = net
        record["flow_square"] = net * net
    else:
        record["flow_mean"] = FADING * net + (1.0 - FADING) * record["flow_mean"]
        record["flow_square"] = FADING * (net * net) + (1.0 - FADING) * record["flow_square"]
    record["flow_days"] = min(255, int(record["flow_days"]) + 1)


@compiled
def open_day(record: Record, day: int) -> None:
    """Open the local ``day`` and those before it, closing and learning what they push out."""
    newest = int(record["flow_newest"])
    for ahead in range(1, min(day - newest, OPEN_DAYS) + 1):
        slot = (newest + ahead) % OPEN_DAYS
        if newest + ahead - OPEN_DAYS >= record["flow_first"]:
            learn_day(record, float(record["flow_day"][slot]))
        record["flow_day"][slot] = 0
    for _ in range(min(day - newest - OPEN_DAYS, EMPTY_DAYS_LEARNED)):
        learn_day(record, 0.0)
    record["flow_newest"] = day


@compiled
def note_movement(record: Record, event: Event) -> None:
    """Add a movement, in whole units of the currency, to the net flow of its day; too late for it is too late."""
    day = local_day(event["event_time"])
    if not OPEN_DAYS < day <= LAST_DAY:
        return
    newest = int(record["flow_newest"])
    if newest == 0:
        record["flow_newest"] = day
        record["flow_first"] = day
    elif day > newest:
        open_day(record, day)
    elif day <= newest - OPEN_DAYS:
        return
    record["flow_first"] = min(int(record["flow_first"]), day)
    units = math.floor(net_amount(event) + 0.5)
    slot = day % OPEN_DAYS
    total = int(record["flow_day"][slot]) + int(min(max(units, -MOST_UNITS), MOST_UNITS))
    record["flow_day"][slot] = min(max(total, -MOST_UNITS), MOST_UNITS)


@compiled
def daily_flow(record: Record) -> tuple[float, float]:
    """Return mean (currency a day) and variance of the daily net flow; NaN before the first day has closed."""
    if record["flow_days"] == 0:
        return math.nan, math.nan
    mean: float = record["flow_mean"]
    return mean, max(0.0, record["flow_square"] - mean * mean)
