"""Episodes: opened once, kept through what comes and goes, ended after the hysteresis; in any order of arrival."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loanpulse.schemas.units import DAY_MS
from loanpulse.streams.alerts.snapshots import BEHAVIOURS as SNAPSHOT_NAMES
from loanpulse.streams.behaviours import borrowing, cash, household, income, purpose, repayment
from loanpulse.streams.behaviours.catalogue import BEHAVIOURS, COUNT, MOST_PARAMETERS, NAMES
from loanpulse.streams.behaviours.episodes import update_episodes
from loanpulse.streams.behaviours.parameters import check_parameters, parameter_table
from loanpulse.streams.fold.event import fold_event
from loanpulse.streams.policy import policy_file
from loanpulse.streams.record.layout import empty_records
from tests.support.borrower_life import Life, months, policy_with
from tests.support.event_batches import event_batches

TABLE = parameter_table({})
ORDERED = ("peak_newest", "balance_peak", "largest_purchase", "flow_newest", "flow_first", "flow_day")


def test_the_catalogue_is_in_the_order_of_the_snapshots_bits() -> None:
    assert NAMES == SNAPSHOT_NAMES
    assert COUNT == 12


@pytest.mark.parametrize("behaviour", BEHAVIOURS, ids=lambda behaviour: behaviour.name)
def test_every_behaviour_is_published_whole(behaviour) -> None:
    for text in ("definition", "value", "source", "reason_en", "reason_zh"):
        assert getattr(behaviour, text)
    assert 1 <= len(behaviour.parameters) <= MOST_PARAMETERS
    assert behaviour.parameters[0].name == "clear_days"
    for parameter in behaviour.parameters:
        assert parameter.least <= parameter.default <= parameter.most
        assert parameter.meaning


@pytest.mark.parametrize(
    ("name", "places"),
    [
        ("MULTI_LENDER_SURGE", {"new_lenders": borrowing.NEW_LENDERS, "days": borrowing.SURGE_DAYS,
                                "growth": borrowing.GROWTH, "least_effective": borrowing.LEAST_EFFECTIVE}),
        ("BORROW_TO_REPAY", {"share": borrowing.REPAY_SHARE, "days": borrowing.REPAY_DAYS,
                             "times": borrowing.REPAY_TIMES}),
        ("PURPOSE_DEVIATION", {"share": purpose.SHARE}),
        ("INCOME_SHOCK", {"fall": income.FALL}),
        ("INCOME_STOPPED", {"tolerance_days": income.TOLERANCE_DAYS, "irregular_factor": income.IRREGULAR_FACTOR,
                            "irregular_least_days": income.IRREGULAR_LEAST_DAYS}),
        ("INSTALMENT_MISSED", {}),
        ("PARTIAL_PAYMENT_STREAK", {"instalments": repayment.INSTALMENTS_IN_A_ROW}),
        ("UTILITY_LATE_STREAK", {"bills": household.BILLS_LATE, "late_days": household.LATE_DAYS}),
        ("USAGE_COLLAPSE", {"share": household.USAGE_SHARE, "deviations": household.DEVIATIONS}),
        ("CASH_DRAIN", {"fall": cash.FALL, "days": cash.DAYS, "explained": cash.EXPLAINED,
                        "least_peak": cash.LEAST_PEAK}),
        ("CASH_ADVANCE_RELIANCE", {"advances": borrowing.ADVANCES, "days": borrowing.ADVANCE_DAYS,
                                   "share": borrowing.ADVANCE_SHARE, "least_days": borrowing.ADVANCE_LEAST_DAYS}),
        ("DISTRESS_SPENDING", {"rise": household.RISE, "times": household.TIMES,
                               "least_events": household.LEAST_EVENTS, "least_days": household.LEAST_DAYS}),
    ],
)  # fmt: skip
def test_the_code_reads_each_parameter_where_the_catalogue_puts_it(name: str, places: dict[str, int]) -> None:
    listed = {p.name: place for place, p in enumerate(BEHAVIOURS[NAMES.index(name)].parameters) if place}
    assert places == listed


def test_a_policy_is_told_which_key_is_wrong() -> None:
    with pytest.raises(ValueError, match=r"CASH_DRAIN\.fall is 2: give 0\.3 to 1"):
        check_parameters({"CASH_DRAIN": {"fall": 2.0}})
    with pytest.raises(ValueError, match=r"CASH_DRAIN\.drop is not known"):
        check_parameters({"CASH_DRAIN": {"drop": 0.5}})
    with pytest.raises(ValueError, match="CASHDRAIN is not a behaviour"):
        check_parameters({"CASHDRAIN": {}})


def test_the_packaged_policy_lists_every_parameter_at_its_default() -> None:
    listed = policy_file.load().file.behaviours
    assert listed == {one.name: {p.name: p.default for p in one.parameters} for one in BEHAVIOURS}


def test_a_policy_file_with_a_wrong_parameter_is_refused_by_its_key(tmp_path) -> None:
    text = policy_file.PACKAGED.read_text(encoding="utf-8").replace("tolerance_days = 5.0", "tolerance_days = 500.0")
    file = tmp_path / "policy.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(policy_file.PolicyError, match=r"INCOME_STOPPED\.tolerance_days is 500: give 0 to 30"):
        policy_file.load(file)


def test_a_policy_parameter_reaches_the_condition() -> None:
    life = Life()
    for when in months("2026-01-10", 5):
        life.earn(when, 7000)
    assert life.found("2026-06-14", policy_with("INCOME_STOPPED", tolerance_days=2)).opened() == [
        ("2026-06-13 00:00", "INCOME_STOPPED")
    ]


def carried(conditions: list[bool], clear_days: int) -> tuple[list[int], list[bool]]:
    """Carry one behaviour, a scoring a day; returns the days on which it opened, and whether it was open on each."""
    record = empty_records(1)[0]
    table = TABLE.copy()
    table[0, 0] = clear_days
    opened, latest = [], []
    for day, holds in enumerate(conditions):
        if update_episodes(record, (20_000 + day) * DAY_MS, int(holds), table):
            opened.append(day)
        latest.append(int(record["behaviours"]) == 1)
    return opened, latest


@given(st.lists(st.booleans(), min_size=1, max_size=60), st.integers(0, 20))
def test_an_episode_ends_only_after_so_many_days_without_its_condition(conditions: list[bool], clear: int) -> None:
    opened, latest = carried(conditions, clear)
    last_true = None
    for day, holds in enumerate(conditions):
        if holds:
            assert latest[day]
            if day in opened:
                assert last_true is None or day - last_true > clear
            last_true = day
        elif last_true is None or day - last_true > clear:
            assert not latest[day]
        elif clear:
            assert latest[day]


def test_a_condition_that_comes_and_goes_is_one_episode() -> None:
    assert carried([True, False] * 20, 7)[0] == [0]


def test_an_alert_condition_that_returns_after_its_clearing_opens_anew() -> None:
    life = Life().due("2026-03-01", "2026-03-20", 900).repay("2026-03-25", "2026-03-20", 900)
    life.due("2026-04-01", "2026-04-20", 900).repay("2026-04-25", "2026-04-20", 900)
    assert life.found("2026-05-01").names() == ["INSTALMENT_MISSED", "INSTALMENT_MISSED"]


def test_an_episode_is_closed_by_time_alone() -> None:
    life = Life().earn("2026-03-01", 9000).advance("2026-03-05", 90).advance("2026-03-15", 90)
    life.borrow("2026-03-02", 900).advance("2026-04-03", 90)
    assert life.found("2026-04-04").latest() == {"CASH_ADVANCE_RELIANCE"}
    assert life.found("2026-06-20").latest() == set()


def rings(record: np.void) -> dict[str, list]:
    """The behaviours' part of a record, with the rings as sets: the slot of an entry is of no meaning."""
    pays = sorted(zip(record["pay_day"].tolist(), record["pay_amount"].tolist(), strict=True))
    bills = [
        sorted(zip(days.tolist(), signs.tolist(), strict=True))
        for days, signs in zip(record["late_bill_day"], record["late_bill_signs"], strict=True)
    ]
    return {"pays": pays, "bills": bills, "advances": sorted(record["advance_day"].tolist())} | {
        name: np.atleast_1d(record[name]).tolist() for name in ORDERED
    }


@settings(deadline=None, max_examples=150)
@given(event_batches(), st.randoms(use_true_random=False))
def test_any_order_of_events_leaves_the_same_traces(events: np.ndarray, random) -> None:
    shuffled = list(range(len(events)))
    random.shuffle(shuffled)
    straight, mixed = empty_records(1)[0], empty_records(1)[0]
    for event in events:
        fold_event(straight, event)
    for event in events[shuffled]:
        fold_event(mixed, event)
    assert rings(mixed) == rings(straight)
