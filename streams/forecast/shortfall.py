"""The probability, for each of the next 90 days, that the balance has failed to meet a payment by then.

The expected balance is today's, plus the mean daily net flow (``record/cash_flow.py``) and the learned paydays
(``record/pay_cycle.py``), less the instalments known and those expected from the loans' outstanding principal. On a
due date the balance is taken as normally distributed about that path, with a variance that grows with the days ahead.
The probability of a shortfall by a day is the largest of those of the due dates up to it.
"""

import math

import numpy as np

from loanpulse.schemas.compiled import compiled
from loanpulse.streams.record import pay_cycle
from loanpulse.streams.record.cash_flow import daily_flow
from loanpulse.streams.record.debt import is_open, past_due_at_ms, unpaid
from loanpulse.streams.record.layout import INSTALMENTS, LOANS, LONG_AGO, PAYS, Reals, Record
from loanpulse.streams.record.slots import short_key
from loanpulse.streams.record.units import local_day, months_later

HORIZON_DAYS = 90
FEWEST_DAYS = 14
"""Days of cash flow before there is a forecast."""
MONTHS_AHEAD = 4
DRIFT_SHARE = 0.1
"""How uncertain the mean daily flow is, as a share of its own deviation: it widens the distribution with time."""
SQUARE_ROOT_OF_TWO = math.sqrt(2.0)


@compiled
def add_pays(record: Record, today: int, stopped: bool, ahead: Reals) -> None:
    """Add the pays expected on the days after the local day ``today``; none where income has stopped.

    Of a borrower without salary or benefits all income is part of the daily net flow.
    """
    days = np.empty(PAYS, np.int64)
    amounts = np.empty(PAYS)
    count, _ = pay_cycle.pays(record, days, amounts)
    salaried = False
    for slot in range(PAYS):
        salaried = salaried or record["pay_amount"][slot] > 0
    if count == 0 or not salaried or stopped:
        return
    last = int(days[count - 1])
    cycle = pay_cycle.cycle_of(days, count)
    if cycle == pay_cycle.IRREGULAR:
        rate = amounts[:count].sum() / max(1, last - int(days[0])) * (count - 1) / count
        for day in range(1, HORIZON_DAYS + 1):
            ahead[day] += rate
        return
    step = 7 if cycle == pay_cycle.WEEKLY else 14 if cycle == pay_cycle.BIWEEKLY else 0
    for number in range(1, 2 * HORIZON_DAYS):
        payday = last + step * number if step > 0 else months_later(last, number)
        if payday > today + HORIZON_DAYS:
            return
        if payday > today:
            ahead[payday - today] += amounts[count - 1]
        elif number == 1:
            ahead[1] += amounts[count - 1]  # late, and expected any day


@compiled
def add_dues(record: Record, today: int, dues: Reals) -> None:
    """Add what falls due on ``today`` (what is overdue with it) and on the days after, known or to be expected."""
    for slot in range(INSTALMENTS):
        rest = unpaid(record, slot)
        day = int(record["instalment_day"][slot]) - today
        if rest > 0.0 and day <= HORIZON_DAYS:
            dues[max(0, day)] += rest
    for loan in range(LOANS):
        if is_open(record, loan):
            add_instalments_to_come(record, loan, today, dues)


@compiled
def add_instalments_to_come(record: Record, loan: int, today: int, dues: Reals) -> None:
    """Add a loan's instalments that are not announced yet: monthly, of its newest amount, up to its outstanding."""
    key = short_key(record["loan_key"][loan])
    newest = -1
    owed = 0.0
    for slot in range(INSTALMENTS):
        if record["instalment_loan"][slot] != key:
            continue
        if record["instalment_due"][slot] > 0.0:
            owed += unpaid(record, slot)
            if newest < 0 or record["instalment_day"][slot] > record["instalment_day"][newest]:
                newest = slot
    if newest < 0:
        return
    amount = record["instalment_due"][newest]
    left = record["loan_outstanding"][loan] - owed
    for number in range(1, MONTHS_AHEAD + 1):
        if left < 0.5 * amount:
            return
        day = months_later(int(record["instalment_day"][newest]), number) - today
        if 0 <= day <= HORIZON_DAYS:
            dues[day] += amount
        left -= amount


@compiled
def chance_below_zero(expected: float, deviation: float) -> float:
    """Return the probability that a normal variable lies below zero."""
    if deviation <= 0.0:
        return 1.0 if expected < 0.0 else 0.0
    return 0.5 * math.erfc(expected / (deviation * SQUARE_ROOT_OF_TWO))


@compiled
def shortfall_chances(record: Record, time_ms: int, stopped: bool, chances: Reals) -> bool:
    """Fill, for 0 to 90 days ahead, the probability of a shortfall by then; returns False where it can't be told.

    ``stopped`` says that income has stopped, so that no payday is counted on.
    """
    mean, variance = daily_flow(record)
    if record["balance_time"] == LONG_AGO or int(record["flow_days"]) < FEWEST_DAYS:
        return False
    today = local_day(time_ms)
    ahead = np.zeros(HORIZON_DAYS + 1)
    dues = np.zeros(HORIZON_DAYS + 1)
    add_pays(record, today, stopped, ahead)
    add_dues(record, today, dues)
    balance = record["balance"]
    chance = 0.0
    for day in range(HORIZON_DAYS + 1):
        if day > 0:
            # Spending stops at an empty account: only what falls due can take it below.
            balance = max(0.0, balance + mean + ahead[day])
        if dues[day] > 0.0:
            balance -= dues[day]
            spread = variance * day * (1.0 + DRIFT_SHARE * DRIFT_SHARE * day)
            chance = max(chance, chance_below_zero(balance, math.sqrt(spread)))
        chances[day] = chance
    return True


@compiled
def day_of_chance(chances: Reals, level: float) -> int:
    """Return the first day by which the probability of a shortfall has reached ``level``; 90 where it never does."""
    for day in range(HORIZON_DAYS):
        if chances[day] >= level:
            return day
    return HORIZON_DAYS


@compiled
def first_unmet(record: Record, time_ms: int) -> int:
    """Return the due day of the oldest instalment past due where the balance can't meet what is overdue, else -1."""
    overdue = 0.0
    oldest = -1
    for slot in range(INSTALMENTS):
        day = int(record["instalment_day"][slot])
        if past_due_at_ms(day) > time_ms:
            continue
        rest = unpaid(record, slot)
        if rest > 0.0:
            overdue += rest
            oldest = day if oldest < 0 else min(oldest, day)
    if oldest < 0 or (record["balance_time"] != LONG_AGO and record["balance"] >= overdue):
        return -1
    return oldest
