"""What a household goes through: when an adverse event begins, how long it lasts, and what it does to pay."""

from __future__ import annotations

from loanpulse.city.days import Day, date_of
from loanpulse.city.household_state import HouseholdState, days_until_life_event
from loanpulse.city.truth import LifeEvent, LifeEventTruth

ADVERSE = (
    (LifeEvent.JOB_LOSS, 0.30, 60, 210),
    (LifeEvent.CUT_PAY, 0.25, 90, 300),
    (LifeEvent.ILLNESS, 0.20, 30, 120),
    (LifeEvent.OVER_BORROWING, 0.17, 60, 150),
    (LifeEvent.PURPOSE_FRAUD, 0.08, 30, 60),
)
RECOVERY_DAYS = 60


def live_through_events(home: HouseholdState, today: Day) -> None:
    """End the life event that is over, and begin one that is due."""
    if home.life_event is not None and today.number >= home.life_event_ends:
        home.life_event = None
        home.recovered_until = today.number + RECOVERY_DAYS
        home.next_life_event = today.number + RECOVERY_DAYS + days_until_life_event(home.dice, home.plan)
        home.on_truth(LifeEventTruth(home.id, LifeEvent.RECOVERY, today.date, date_of(home.recovered_until)))
    if home.life_event is None and today.number >= home.next_life_event:
        kind, shortest, longest = adverse_event(home)
        home.life_event = kind
        home.life_event_ends = today.number + home.dice.whole(shortest, longest)
        home.severity = home.dice.between(0.4, 1.0)
        home.on_truth(LifeEventTruth(home.id, kind, today.date, date_of(home.life_event_ends)))


def adverse_event(home: HouseholdState) -> tuple[LifeEvent, int, int]:
    """Pick an adverse life event by its share, with its shortest and longest duration in days."""
    roll = home.dice.roll()
    for kind, share, shortest, longest in ADVERSE:
        roll -= share
        if roll < 0:
            return kind, shortest, longest
    return ADVERSE[0][0], ADVERSE[0][2], ADVERSE[0][3]


def income_factor(home: HouseholdState) -> float:
    """Return the share of the usual pay that still comes."""
    if home.life_event is LifeEvent.JOB_LOSS:
        return 0.0
    if home.life_event is LifeEvent.CUT_PAY:
        return 1.0 - 0.25 - 0.35 * home.severity
    if home.life_event is LifeEvent.ILLNESS:
        return 1.0 - 0.5 * home.severity
    return 1.0
