"""What the behaviours remember of events, in small rings of the record: paydays, bills, peaks of the balance, advances.

Each keeps the newest entries by a key of the event alone, and merges what falls on the same key by a sum of whole
numbers, a maximum or a union, so that the order of arrival leaves no trace.
"""

import math

from loanpulse.schemas.compiled import compiled
from loanpulse.schemas.units import DAY_MS
from loanpulse.streams.behaviours.household import CALLED_OVERDUE, PAID_IN_TIME, PAID_LATE
from loanpulse.streams.record.codes import (
    BILL_ISSUED,
    BILL_OVERDUE,
    BILL_PAID,
    CASH_ADVANCE,
    CASH_WITHDRAWAL,
    CATEGORY_OTHER,
    EARNED,
    PURCHASE,
    TRANSFER_OUT,
)
from loanpulse.streams.record.debt import past_due_at_ms
from loanpulse.streams.record.event import NO_DAY, Event
from loanpulse.streams.record.layout import BILLS_IN_A_ROW, PAYS, PEAK_BUCKET_DAYS, PEAKS, Record
from loanpulse.streams.record.units import local_day

OUTGOING = (PURCHASE, TRANSFER_OUT, CASH_WITHDRAWAL)
MOST_PAY = (1 << 31) - 1
LAST_DAY = (1 << 16) - 1
"""The last day that a ring can hold: in the year 2149."""


@compiled
def note_pay(record: Record, day: int, amount: float, regular: bool) -> None:
    """Keep a pay among the latest, in whole units of the currency; salary and benefits go before other income.

    Other income stands with its amount negated.
    """
    units = int(min(math.floor(amount + 0.5), MOST_PAY))
    if units == 0:
        return
    sign = 1 if regular else -1
    least = 0
    for slot in range(PAYS):
        held = int(record["pay_amount"][slot])
        if held * sign > 0 and record["pay_day"][slot] == day:
            record["pay_amount"][slot] = sign * min(abs(held) + units, MOST_PAY)
            return
        if pay_rank(record, slot) < pay_rank(record, least):
            least = slot
    if (LAST_DAY + 1 if regular else 0) + day > pay_rank(record, least):
        record["pay_day"][least] = day
        record["pay_amount"][least] = sign * units


@compiled
def pay_rank(record: Record, slot: int) -> int:
    """Return what decides which pay a full ring keeps: -1 for none, other income by day, salary by day."""
    if record["pay_amount"][slot] == 0:
        return -1
    return (LAST_DAY + 1 if record["pay_amount"][slot] > 0 else 0) + int(record["pay_day"][slot])


@compiled
def note_balance(record: Record, day: int, balance: float, purchase: float) -> None:
    """Raise the peak and the largest purchase of the five-day bucket in which ``day`` lies."""
    bucket = day // PEAK_BUCKET_DAYS
    newest = int(record["peak_newest"])
    if bucket > newest:
        for one in range(max(newest + 1, bucket - PEAKS + 1), bucket + 1):
            record["balance_peak"][one % PEAKS] = 0.0
            record["largest_purchase"][one % PEAKS] = 0.0
        record["peak_newest"] = bucket
    elif bucket <= newest - PEAKS:
        return
    slot = bucket % PEAKS
    record["balance_peak"][slot] = max(float(record["balance_peak"][slot]), balance)
    record["largest_purchase"][slot] = max(float(record["largest_purchase"][slot]), purchase)


@compiled
def note_advance(record: Record, day: int) -> None:
    """Keep the day of a cash advance among the latest."""
    oldest = 0
    for slot in range(1, len(record["advance_day"])):
        if record["advance_day"][slot] < record["advance_day"][oldest]:
            oldest = slot
    if day > record["advance_day"][oldest]:
        record["advance_day"][oldest] = day


@compiled
def note_bill(record: Record, utility: int, day: int, sign: int) -> None:
    """Add a sign to a utility's bill due on ``day``; the newest bills of each utility are kept."""
    oldest = 0
    for slot in range(BILLS_IN_A_ROW):
        if record["late_bill_day"][utility][slot] == day:
            record["late_bill_signs"][utility][slot] |= sign
            return
        if record["late_bill_day"][utility][slot] < record["late_bill_day"][utility][oldest]:
            oldest = slot
    if day > record["late_bill_day"][utility][oldest]:
        record["late_bill_day"][utility][oldest] = day
        record["late_bill_signs"][utility][oldest] = sign


@compiled
def note_spending(record: Record, event: Event) -> None:
    """Note what a movement of the account says to the behaviours."""
    day = local_day(event["event_time"])
    kind = event["kind"]
    if not 0 < day <= LAST_DAY:
        return
    if kind == EARNED:
        note_pay(record, day, event["amount"], event["category"] != CATEGORY_OTHER)
    elif kind == CASH_ADVANCE:
        note_advance(record, day)
    balance = 0.0
    if not math.isnan(event["balance"]):
        # What stood before money went out is as much a height of the balance as what stands after.
        balance = max(0.0, event["balance"] + (event["amount"] if kind in OUTGOING else 0.0))
    note_balance(record, day, balance, event["amount"] if kind == PURCHASE else 0.0)


@compiled
def note_utility(record: Record, event: Event) -> None:
    """Note what a bill says to the behaviours."""
    day = event["due_day"]
    kind = event["kind"]
    if day == NO_DAY or not 0 < day <= LAST_DAY:
        return
    if kind == BILL_PAID:
        late = event["event_time"] >= past_due_at_ms(day) + DAY_MS
        note_bill(record, event["utility"], day, PAID_LATE if late else PAID_IN_TIME)
    elif kind == BILL_OVERDUE:
        note_bill(record, event["utility"], day, CALLED_OVERDUE)
    elif kind == BILL_ISSUED:
        note_bill(record, event["utility"], day, 0)
