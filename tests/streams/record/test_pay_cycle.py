"""Pay cycles are learned from the latest paydays, whatever the order in which they became known."""

from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from loanpulse.streams.behaviours.income import expected_payday
from loanpulse.streams.behaviours.parameters import parameter_table
from loanpulse.streams.fold.behaviour_traces import note_pay
from loanpulse.streams.record.layout import PAYS, empty_records
from loanpulse.streams.record.pay_cycle import CYCLE_NAMES, MONTHLY, WEEKLY, next_payday, pay_cycle, pays
from loanpulse.streams.record.units import months_later

EPOCH = date(1970, 1, 1)
FIRST = (date(2026, 1, 5) - EPOCH).days
weekdays_off = st.integers(-2, 0)  # paid before a weekend


def record_of(paid: list[tuple[int, float]], *, regular: bool = True) -> np.void:
    record = empty_records(1)[0]
    for day, amount in paid:
        note_pay(record, day, amount, regular)
    return record


@given(st.dates(date(1970, 1, 1), date(2100, 1, 1)), st.integers(0, 40))
def test_a_month_later_is_the_same_day_or_the_months_last(start: date, months: int) -> None:
    later = EPOCH + timedelta(days=months_later((start - EPOCH).days, months))
    assert (later.year * 12 + later.month) - (start.year * 12 + start.month) == months
    assert later.day == start.day or (later.day < start.day and (later + timedelta(days=1)).day == 1)


@given(st.sampled_from([("WEEKLY", 7), ("BIWEEKLY", 14)]), st.integers(3, 20), st.data())
def test_a_step_is_learned_though_pay_comes_before_weekends(cycle: tuple[str, int], count: int, data) -> None:
    name, step = cycle
    days = [FIRST + step * number + data.draw(st.integers(-1, 0)) for number in range(count)]
    assert CYCLE_NAMES[pay_cycle(record_of([(day, 900.0) for day in days]))] == name


@given(st.integers(1, 28), st.integers(3, 20), st.data())
def test_a_month_is_learned_though_pay_comes_before_weekends(of_month: int, count: int, data) -> None:
    start = (date(2026, 1, of_month) - EPOCH).days
    days = [months_later(start, number) + data.draw(weekdays_off) for number in range(count)]
    assert pay_cycle(record_of([(day, 7000.0) for day in days])) == MONTHLY


@given(st.lists(st.tuples(st.integers(FIRST, FIRST + 300), st.integers(100, 9000)), max_size=30), st.randoms())
def test_the_order_of_arrival_leaves_no_trace(paid: list[tuple[int, int]], random) -> None:
    mixed = [(day, float(amount)) for day, amount in paid]
    random.shuffle(mixed)
    days, amounts = np.zeros((2, PAYS), np.int64), np.zeros((2, PAYS))
    counts = [
        pays(record_of(list(order)), days[row], amounts[row])
        for row, order in enumerate(([(day, float(amount)) for day, amount in paid], mixed))
    ]
    assert counts[0] == counts[1]
    np.testing.assert_array_equal(days[0], days[1])
    np.testing.assert_array_equal(amounts[0], amounts[1])


def test_gaps_of_all_lengths_are_irregular_and_one_missed_pay_is_not() -> None:
    irregular = [FIRST, FIRST + 4, FIRST + 22, FIRST + 25, FIRST + 40]
    assert CYCLE_NAMES[pay_cycle(record_of([(day, 900.0) for day in irregular], regular=False))] == "IRREGULAR"
    missed = [FIRST, FIRST + 7, FIRST + 14, FIRST + 28, FIRST + 35]
    assert pay_cycle(record_of([(day, 900.0) for day in missed])) == WEEKLY


def test_salary_goes_before_other_income() -> None:
    record = record_of([(FIRST + 30 * number, 7000.0) for number in range(4)])
    for day in range(FIRST, FIRST + 120, 3):
        note_pay(record, day, 150.0, False)
    assert pay_cycle(record) == MONTHLY


@pytest.mark.parametrize(
    ("last", "cycle", "then"),
    [
        ("2026-01-31", MONTHLY, "2026-02-28"),
        ("2026-12-10", MONTHLY, "2027-01-10"),
        ("2026-02-27", WEEKLY, "2026-03-06"),
    ],
)
def test_the_next_payday(last: str, cycle: int, then: str) -> None:
    day = (date.fromisoformat(last) - EPOCH).days
    assert EPOCH + timedelta(days=next_payday(day, cycle)) == date.fromisoformat(then)


def test_before_three_pays_none_is_expected() -> None:
    assert expected_payday(record_of([(FIRST, 1.0), (FIRST + 7, 1.0)]), parameter_table({})[4]) == -1
