"""The cash-flow model is River's, and a movement lands in its day whenever it becomes known."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from river import stats

from loanpulse.schemas.contracts import SpendingCategory, SpendingKind
from loanpulse.schemas.units import DAY_MS
from loanpulse.streams.record.cash_flow import FADING, daily_flow, note_movement
from loanpulse.streams.record.layout import OPEN_DAYS, empty_records
from tests.support.empty_events import empty_events

FIRST = 20_500


def movement(day: int, amount: float, kind: str = "PURCHASE", category: str = "GROCERIES") -> np.void:
    event = empty_events(1)[0]
    event["kind"], event["category"] = int(SpendingKind[kind]), int(SpendingCategory[category])
    event["event_time"], event["amount"] = day * DAY_MS, amount
    return event


@given(st.dictionaries(st.integers(0, 120), st.integers(1, 5_000), min_size=2, max_size=60))
def test_it_is_rivers_exponentially_weighted_mean_and_variance_of_the_days(spent: dict[int, int]) -> None:
    record = empty_records(1)[0]
    for day in sorted(spent):
        note_movement(record, movement(FIRST + day, spent[day]))
    mean, variance = stats.EWMean(FADING), stats.EWVar(FADING)
    closed = range(min(spent), max(spent) - OPEN_DAYS + 1)
    for day in closed:
        net = -float(spent.get(day, 0))
        mean.update(net)
        variance.update(net)
    found = daily_flow(record)
    if not closed:
        assert np.isnan(found[0])
        return
    assert found[0] == pytest.approx(mean.get(), rel=1e-9)
    assert found[1] == pytest.approx(max(0.0, variance.get()), rel=1e-6, abs=1e-3)


@given(st.lists(st.tuples(st.integers(0, 60), st.integers(1, 900)), min_size=1, max_size=40), st.randoms())
def test_movements_up_to_a_week_late_land_in_their_day(moves: list[tuple[int, int]], random) -> None:
    moves = sorted(moves)
    late = sorted(moves, key=lambda move: move[0] + random.uniform(0, OPEN_DAYS - 1))
    records = empty_records(2)
    for record, order in zip(records, (moves, late), strict=True):
        for day, amount in order:
            note_movement(record, movement(FIRST + day, amount))
    assert records[0].tobytes() == records[1].tobytes()


def test_pay_instalments_and_advances_are_not_of_it() -> None:
    record = empty_records(1)[0]
    note_movement(record, movement(FIRST, 7000, "INCOME", "SALARY"))
    note_movement(record, movement(FIRST, 900, "TRANSFER_OUT", "LOAN_REPAYMENT"))
    note_movement(record, movement(FIRST, 500, "CASH_ADVANCE", "CASH"))
    note_movement(record, movement(FIRST, 40))
    note_movement(record, movement(FIRST, 1_000, "TRANSFER_OUT", "HOUSING"))
    note_movement(record, movement(FIRST, 300, "INCOME", "OTHER"))
    assert record["flow_day"].sum() == -740
