"""Nobody is called at night, nor more often than the jurisdiction allows."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loanpulse.streams.alerts.contact_times import after_quiet_hours, earliest_contact
from loanpulse.streams.policy.interventions import JurisdictionSection

CN = JurisdictionSection(
    time_zone="Asia/Shanghai", quiet_from=time(21), quiet_until=time(8), contacts=2, per_days=7
)  # fmt: skip
DAY = 86_400_000


def ms(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp() * 1000)


@pytest.mark.parametrize(
    ("instant", "allowed"),
    [
        ("2026-03-02T12:00:00+08:00", "2026-03-02T12:00:00+08:00"),
        ("2026-03-02T20:59:59+08:00", "2026-03-02T20:59:59+08:00"),
        ("2026-03-02T21:00:00+08:00", "2026-03-03T08:00:00+08:00"),
        ("2026-03-03T00:00:00+08:00", "2026-03-03T08:00:00+08:00"),
        ("2026-03-03T07:59:59+08:00", "2026-03-03T08:00:00+08:00"),
        ("2026-03-03T08:00:00+08:00", "2026-03-03T08:00:00+08:00"),
    ],
)
def test_quiet_hours_over_midnight(instant: str, allowed: str) -> None:
    assert after_quiet_hours(ms(instant), CN) == ms(allowed)


def test_quiet_hours_within_a_day() -> None:
    siesta = CN.model_copy(update={"quiet_from": time(12), "quiet_until": time(14)})
    assert after_quiet_hours(ms("2026-03-02T13:00:00+08:00"), siesta) == ms("2026-03-02T14:00:00+08:00")
    assert after_quiet_hours(ms("2026-03-02T23:00:00+08:00"), siesta) == ms("2026-03-02T23:00:00+08:00")


def test_a_clock_that_is_put_forward_keeps_the_local_hour() -> None:
    rules = CN.model_copy(update={"time_zone": "Europe/Berlin"})
    assert after_quiet_hours(ms("2026-03-28T22:00:00+01:00"), rules) == ms("2026-03-29T08:00:00+02:00")


@given(st.lists(st.integers(0, 60 * DAY), min_size=1, max_size=12), st.integers(1, 4), st.integers(1, 30))
def test_caps_and_quiet_hours_hold_for_any_run_of_alerts(offsets: list[int], contacts: int, per_days: int) -> None:
    rules = CN.model_copy(update={"contacts": contacts, "per_days": per_days})
    start = ms("2026-03-02T00:00:00+08:00")
    planned: list[int] = []
    for offset in sorted(offsets):
        instant = earliest_contact(start + offset, planned, rules)
        assert instant >= start + offset
        planned.append(instant)
    window = per_days * DAY
    for first, later in zip(planned, planned[contacts:], strict=False):
        assert later - first >= window
    for instant in planned:
        local = datetime.fromtimestamp(instant / 1000, UTC).astimezone(ZoneInfo(rules.time_zone))
        assert time(8) <= local.time() < time(21)
    assert planned == sorted(planned)
    assert timedelta(milliseconds=planned[0] - start - min(offsets)) < timedelta(hours=12)
