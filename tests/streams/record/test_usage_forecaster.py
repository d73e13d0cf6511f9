"""The forecaster in the record is River's, and learns in the order of event time whatever the order of arrival."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from river import stats, time_series

from loanpulse.schemas.units import DAY_MS
from loanpulse.streams.record import usage_forecaster
from loanpulse.streams.record.layout import empty_records

rates = st.lists(st.floats(0, 1_000), min_size=4, max_size=30)


def settled(readings: list[tuple[int, float]]) -> np.void:
    record = empty_records(1)[0]
    for day, amount in readings:
        usage_forecaster.wait(record, 0, day, amount)
        usage_forecaster.settle(record, (day - 7) * DAY_MS)
    usage_forecaster.settle(record, 40_000 * DAY_MS)
    return record


@given(rates)
def test_it_is_river_s_holt_winters_and_its_mean_of_squared_errors(used: list[float]) -> None:
    record = settled([(10_000, 0.0), *((10_000 + 10 * number, 10 * rate) for number, rate in enumerate(used, 1))])
    model, errors = time_series.HoltWinters(alpha=usage_forecaster.ALPHA), stats.EWMean(usage_forecaster.ALPHA)
    for number, rate in enumerate((10 * rate) / 10 for rate in used):
        if number >= usage_forecaster.LEARNED_AT_LEAST:
            errors.update((rate - model.forecast(1)[0]) ** 2)
        model.learn_one(rate)
    assert record["usage_level"][0] == pytest.approx(model.forecast(1)[0], rel=1e-12)
    assert record["usage_error"][0] == pytest.approx(errors.get(), rel=1e-9, abs=1e-12)
    assert record["usage_readings"][0] == len(used)


def test_a_reading_that_comes_late_is_learned_in_its_place() -> None:
    readings = [(10_000 + 30 * number, 300.0 - 40 * number) for number in range(6)]
    straight = settled(readings)
    for order in itertools.permutations(range(3)):
        record = empty_records(1)[0]
        for place in (*order, 3, 4, 5):
            usage_forecaster.wait(record, 0, *readings[place])
        usage_forecaster.settle(record, 40_000 * DAY_MS)
        assert record.tobytes() == straight.tobytes()


def test_what_waits_is_looked_at_as_if_learned() -> None:
    readings = [(10_000 + 30 * number, amount) for number, amount in enumerate((0.0, 300.0, 310.0, 290.0, 90.0))]
    waiting = empty_records(1)[0]
    for day, amount in readings:
        usage_forecaster.wait(waiting, 2, day, amount)
    learned = waiting.copy()
    usage_forecaster.settle(learned, 40_000 * DAY_MS)
    assert learned["reading_utility"].sum() == 0
    assert usage_forecaster.latest(waiting, 2) == pytest.approx(usage_forecaster.latest(learned, 2), rel=1e-5)
    rate, forecast, _, periods = usage_forecaster.latest(waiting, 2)
    assert rate == pytest.approx(3.0)
    assert forecast > 9.0
    assert periods == 4


def test_a_smart_meter_s_days_are_learned_by_the_week() -> None:
    record = settled([(10_000 + day, 8.0) for day in range(50)])
    assert record["usage_readings"][0] == 7
    assert record["usage_level"][0] == pytest.approx(8.0)
