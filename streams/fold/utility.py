"""Folding what a utility reports: a bill, its payment, a meter reading, a disconnection notice."""

from loanpulse.schemas.compiled import compiled
from loanpulse.schemas.units import DAY_MS
from loanpulse.streams.fold import behaviour_traces
from loanpulse.streams.record import slots, usage_forecaster
from loanpulse.streams.record.codes import BILL_OVERDUE, BILL_PAID, DISCONNECTION_NOTICE, METER_READ
from loanpulse.streams.record.event import NO_DAY, Event
from loanpulse.streams.record.layout import NO_TIME_S, Record
from loanpulse.streams.record.units import seconds_of


@compiled
def fold_utility(record: Record, event: Event) -> None:
    """Fold a bill, its payment, a reading or a notice of a utility."""
    utility = event["utility"]
    kind = event["kind"]
    epoch2020_s = seconds_of(event["event_time"])
    behaviour_traces.note_utility(record, event)
    if kind == METER_READ:
        usage_forecaster.wait(record, utility, event["event_time"] // DAY_MS, event["usage"])
    elif kind == DISCONNECTION_NOTICE:
        record["disconnection_at"] = max(int(record["disconnection_at"]), epoch2020_s)
    elif event["due_day"] != NO_DAY:
        slot = slots.bill_slot(record, utility, int(event["due_day"]))
        if slot >= 0 and kind == BILL_PAID:
            paid_at = int(record["bill_paid_at"][slot])
            record["bill_paid_at"][slot] = epoch2020_s if paid_at == NO_TIME_S else min(paid_at, epoch2020_s)
        elif slot >= 0 and kind == BILL_OVERDUE:
            record["bill_overdue"][slot] = 1
