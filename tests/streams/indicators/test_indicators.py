"""What each indicator sees, as a credit officer would check it, and a supervisor's list of early warnings."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from loanpulse.schemas.contracts import LoanStatus, RepaymentKind, SpendingCategory, SpendingKind, UtilityKind
from loanpulse.schemas.sources import REPAYMENT, SPENDING, UTILITY
from loanpulse.schemas.units import DAY_MS
from loanpulse.streams.indicators import income_trend
from loanpulse.streams.indicators.catalogue import COUNT, INDICATORS, NAMES
from loanpulse.streams.indicators.evidence import MONTHLY_DAYS, OFTEN_DAYS
from loanpulse.streams.record import decayed_sums
from loanpulse.streams.record.income import short_income
from loanpulse.streams.record.layout import INCOME
from loanpulse.streams.scoring.index import read_indicators, utility_of, weigh
from loanpulse.streams.scoring.score import SCORE
from tests.support.borrower_days import PARAMETERS, START_DAY, Life, described


@pytest.mark.parametrize("place", range(COUNT), ids=NAMES)
def test_the_compiled_order_is_the_catalogue_s(place: int) -> None:
    life = Life().months(4).instalment(100, 900.0, 900.0).instalment(115, 900.0)
    values, evidences = np.zeros(COUNT), np.zeros(COUNT)
    time = (START_DAY + 120) * DAY_MS
    read_indicators(life.record, time, values, evidences)
    assert (values[place], evidences[place]) == pytest.approx(INDICATORS[place].read(life.record, time), nan_ok=True)


@pytest.mark.parametrize("indicator", INDICATORS, ids=lambda one: one.name)
@given(first=st.floats(-5, 40), second=st.floats(-5, 40))
def test_utilities_are_monotone_between_their_anchors(indicator, first: float, second: float) -> None:
    ends = [utility_of(value, indicator.healthy, indicator.unhealthy) for value in (indicator.healthy,
                                                                                   indicator.unhealthy)]  # fmt: skip
    assert ends == [1.0, 0.0]
    towards = 1 if indicator.healthy > indicator.unhealthy else -1
    low, high = sorted((first, second), key=lambda value: towards * value)
    assert utility_of(low, indicator.healthy, indicator.unhealthy) <= utility_of(
        high, indicator.healthy, indicator.unhealthy
    )


def test_a_new_borrower_of_whom_nothing_is_known_has_no_values() -> None:
    for name in NAMES:
        value, evidence = Life().read(name, 0)
        assert np.isnan(value)
        assert evidence == 0.0


def test_a_steady_income_reads_the_same_on_every_day_of_its_cycle() -> None:
    life = Life().months(6)
    trends, flows = [], []
    for day in range(30 * 6, 30 * 7):
        if day % 30 == 9:
            life.earn(day, 6_000.0)
        life.spend(day, 150.0)
        trends.append(life.value("income_trend", day + 0.9))
        flows.append(life.value("net_cash_flow", day + 0.9))
    assert min(trends) > 0.85  # the raw ratio swings between 0.58 and 1.58
    assert max(trends) < 1.15
    assert max(flows) - min(flows) < 0.15


def test_a_lost_income_is_seen_though_spending_goes_on() -> None:
    life = Life().months(6)
    for day in range(180, 240):
        life.spend(day, 100.0)
    assert life.value("income_trend", 240) < 0.5
    assert life.value("net_cash_flow", 240) < -0.5


def test_zero_income_is_the_worst_debt_service_and_not_an_error() -> None:
    life = Life()
    for day in range(60):
        life.spend(day, 50.0)
    life.instalment(60, 900.0)
    assert life.value("debt_service", 59) == 3.0
    assert life.value("net_cash_flow", 59) == -2.0


def test_loan_proceeds_are_neither_income_nor_spending() -> None:
    plain, borrowed = Life().months(3), Life().months(3)
    borrowed.loan(RepaymentKind.DISBURSED, 89, amount=50_000.0)
    borrowed.spend(89, 50_000.0, SpendingKind.TRANSFER_IN, loan_reference=7, category=-1)
    borrowed.spend(89, 48_000.0, loan_reference=7, category=int(SpendingCategory.VEHICLE))
    assert borrowed.value("net_cash_flow", 90) == pytest.approx(plain.value("net_cash_flow", 90))


def test_a_refund_undoes_what_it_returns() -> None:
    plain, returned = Life().months(3), Life().months(3)
    returned.spend(89.2, 3_000.0).spend(89.2, 3_000.0, SpendingKind.REFUND)
    for name in ("net_cash_flow", "savings_coverage", "spending_stress"):
        assert returned.value(name, 90) == pytest.approx(plain.value(name, 90))


def test_indicators_are_free_of_the_currency_s_unit() -> None:
    def of(scale: float) -> list[float]:
        life = Life().months(4, 6_000.0 * scale, 150.0 * scale).instalment(110, 900.0 * scale, 400.0 * scale)
        life.record["balance"] *= scale
        return [life.value(name, 120) for name in NAMES if name != "savings_coverage"]

    assert of(1.0) == pytest.approx(of(25_000.0), nan_ok=True, rel=1e-6)


def test_one_big_and_one_tiny_loan_are_not_two_lenders() -> None:
    life = Life().loan(RepaymentKind.DISBURSED, 0, 1, amount=100_000.0)
    life.loan(RepaymentKind.DISBURSED, 1, 2, amount=1_000.0)
    assert life.value("debt_concentration", 60) == pytest.approx(1.02, abs=0.01)
    equal = Life().loan(RepaymentKind.DISBURSED, 0, 1, amount=5_000.0)
    equal.loan(RepaymentKind.DISBURSED, 1, 2, amount=5_000.0)
    assert equal.value("debt_concentration", 60) == pytest.approx(2.0)


def test_new_lenders_beside_an_old_one_raise_the_concentration_for_30_days() -> None:
    life = Life().loan(RepaymentKind.DISBURSED, 0, 1, amount=5_000.0)
    for key in (2, 3):
        life.loan(RepaymentKind.DISBURSED, 60, key, amount=5_000.0)
    assert life.value("debt_concentration", 61) == pytest.approx(5.0)
    assert life.value("debt_concentration", 95) == pytest.approx(3.0)
    assert Life().loan(RepaymentKind.DISBURSED, 0, 1, amount=5_000.0).value("debt_concentration", 1) == 1.0


def test_the_minimum_of_revolving_credit_keeps_it_out_of_arrears_but_shows_as_shortfall() -> None:
    life = Life()
    for due in (20, 50, 80):
        life.instalment(due, 2_000.0, 200.0, minimum_due=200.0)
    assert life.value("arrears", 100) == 0.0
    assert life.value("payment_shortfall", 100) == pytest.approx(0.9)


@pytest.mark.parametrize(("paid", "days"), [(0.0, 10.0), (450.0, 5.0), (900.0, 0.0), (1_000.0, 0.0)])
def test_arrears_weigh_what_is_overdue(paid: float, days: float) -> None:
    assert Life().instalment(50, 900.0, paid).value("arrears", 60) == pytest.approx(days)


def test_a_restructured_instalment_is_no_longer_in_arrears() -> None:
    life = Life().instalment(20, 900.0)
    assert life.value("arrears", 60) > 30
    life.loan(RepaymentKind.RESTRUCTURED, 60)
    assert life.value("arrears", 61) == 0.0
    life.instalment(90, 500.0)
    assert life.value("arrears", 95) == pytest.approx(5.0)


def test_an_instalment_deferred_by_agreement_is_not_in_arrears_an_older_one_is() -> None:
    life = Life().instalment(20, 900.0).loan(RepaymentKind.DEFERRAL_REQUESTED, 45).instalment(60, 900.0)
    assert life.value("arrears", 65) == pytest.approx((45 * 900 + 5 * 900) / 1_800)
    life.loan(RepaymentKind.DEFERRAL_REQUESTED, 45.1, status=int(LoanStatus.DEFERRED))
    assert life.value("arrears", 65) == pytest.approx(45.0)


def test_bills_late_in_a_row_and_their_age() -> None:
    life = Life()
    for due in (20, 50, 80):
        life.tell(UTILITY, UtilityKind.BILL_ISSUED, due - 15, utility=0, due_day=START_DAY + due, amount=100.0)
    assert life.value("utility_arrears", 85) == 3 + 2  # the oldest is 64 days late
    life.tell(UTILITY, UtilityKind.BILL_PAID, 70, utility=0, due_day=START_DAY + 80, amount=100.0)
    assert life.value("utility_arrears", 85) == 0 + 2
    life.tell(UTILITY, UtilityKind.BILL_PAID, 71, utility=0, due_day=START_DAY + 20, amount=100.0)
    assert life.value("utility_arrears", 85) == 0 + 1


# A supervisor's own list: the SAMA rulebook's early warning indicators, Appendix 1.


def test_fewer_salary_credits_in_three_months() -> None:
    life = Life()
    for month in range(8):
        for part in range(4 if month < 4 else 2):
            life.earn(30.4 * month + 3 + 7 * part, 1_500.0 if month < 4 else 3_000.0)
        life.spend(30.4 * month + 20, 100.0)
    time = int((START_DAY + 30.4 * 7 + 20) * DAY_MS)
    assert income_trend.credits_kept(life.record, time) == 6 / 12
    trend = short_income(life.record, time) / decayed_sums.long_rate(life.record, INCOME, time)
    assert life.value("income_trend", 30.4 * 7 + 20) == pytest.approx(0.75 * trend)


def test_5_to_30_days_past_due() -> None:
    life = Life().instalment(20, 900.0, 900.0).instalment(50, 900.0)
    utilities = [utility_of(life.value("arrears", 51 + days), 0.0, 20.0) for days in (0, 5, 15, 29)]
    assert utilities == sorted(utilities, reverse=True)
    assert utilities[1] < 0.8
    assert utilities[3] == 0.0


def test_a_rising_instalment_to_salary_ratio() -> None:
    steady, rising = Life().months(7), Life().months(7)
    for due in range(15, 225, 30):
        steady.instalment(due, 1_200.0, 1_200.0)
        rising.instalment(due, 1_200.0 if due > 180 else 600.0, 600.0)
    assert rising.value("debt_service", 209) == pytest.approx(1.2 * steady.value("debt_service", 209))


def test_months_in_overdraft() -> None:
    plain, overdrawn = Life().months(5), Life().months(5)
    for month in (1, 2, 3):
        overdrawn.spend(30 * month + 15, 1.0, balance=-200.0)
    assert overdrawn.value("savings_coverage", 149) == pytest.approx(
        plain.value("savings_coverage", 149) - 0.75, abs=0.02
    )


def test_a_balance_down_by_more_than_95_percent_in_six_months() -> None:
    fallen, lower = Life().months(4), Life().months(4)
    fallen.spend(30, 1.0, balance=100_000.0)
    for life in (fallen, lower):
        life.spend(119, 1.0, balance=4_000.0)
    assert fallen.value("savings_coverage", 120) == pytest.approx(lower.value("savings_coverage", 120) / 2, rel=0.01)


def test_a_small_balance_against_debt() -> None:
    free, indebted = Life().months(4), Life().months(4)
    for key in range(1, 5):
        indebted.instalment(125, 4_000.0, key=key)
    assert indebted.value("savings_coverage", 120) == pytest.approx(4_000 / 16_000)
    assert indebted.value("savings_coverage", 120) < free.value("savings_coverage", 120)


# Evidence and its age.


def full_life() -> Life:
    life = Life().months(5)
    for due in range(15, 165, 30):
        life.instalment(due, 900.0, 700.0)
        life.tell(UTILITY, UtilityKind.BILL_ISSUED, due - 15, utility=0, due_day=START_DAY + due, amount=100.0)
        life.tell(UTILITY, UtilityKind.METER_READ, due, utility=0, usage=200.0 + due)
    return life


FED = {
    SPENDING: ("net_cash_flow", "savings_coverage", "income_volatility", "income_trend", "debt_service",
               "spending_stress"),
    UTILITY: ("utility_arrears", "usage_shock"),
    REPAYMENT: ("debt_concentration", "payment_shortfall", "borrow_to_repay"),
}  # fmt: skip


@given(source=st.sampled_from([REPAYMENT, SPENDING, UTILITY]), silent=st.integers(1, 300), longer=st.integers(1, 300))
def test_a_feed_that_falls_silent_moves_its_indicators_towards_the_prior_only(
    source: int, silent: int, longer: int
) -> None:
    life = full_life()
    allowed = OFTEN_DAYS if source == SPENDING else MONTHLY_DAYS
    last = int(life.record["last_seen"][source]) / DAY_MS - START_DAY
    first, second = (described(life.record, last + allowed + days) for days in (silent, silent + longer))
    neutral = PARAMETERS["neutral_utility"]
    for name in FED[source]:
        place = NAMES.index(name)
        before, after = (score["evidence"][place] * (score["utility"][place] - neutral) for score in (first, second))
        if name not in ("borrow_to_repay", "payment_shortfall", "debt_concentration"):  # weighed by age themselves
            assert after * before >= -1e-12
            assert abs(after) <= abs(before) + 1e-9
        assert second["evidence"][place] <= first["evidence"][place] + 1e-12
        assert second["age_days"][place] >= first["age_days"][place] or second["age_days"][place] == -1.0


@given(missing=st.sets(st.sampled_from([REPAYMENT, SPENDING, UTILITY]), min_size=1))
def test_a_feed_that_was_never_there_counts_as_the_prior(missing: set[int]) -> None:
    whole = described(full_life().record, 151)
    life = full_life()
    for source in missing:
        life.record["last_seen"][source] = np.iinfo(np.int64).min
    part = described(life.record, 151)
    assert part["confidence"] < whole["confidence"]
    for source in missing:
        for name in FED[source]:
            place = NAMES.index(name)
            if name == "savings_coverage":
                continue  # it goes by the age of the balance itself
            lost = PARAMETERS["factor"] * PARAMETERS["weight"][place] * (1.0 - PARAMETERS["neutral_utility"])
            assert part["evidence"][place] == 0.0
            assert part["age_days"][place] == -1.0
            assert part["points"][place] == pytest.approx(lost)


@given(st.lists(st.floats(0, 1), min_size=COUNT, max_size=COUNT), st.integers(0, COUNT - 1), st.floats(0, 1),
       st.floats(0, 1))  # fmt: skip
def test_less_evidence_brings_the_index_nearer_to_the_neutral_reading(
    utilities: list[float], place: int, low: float, high: float
) -> None:
    low, high = sorted((low, high))
    neutral = PARAMETERS["neutral_utility"]
    points = []
    for evidence in (low, high):
        score = np.zeros(1, SCORE)[0]
        for number, indicator in enumerate(INDICATORS):
            score["value"][number] = indicator.unhealthy + utilities[number] * (indicator.healthy - indicator.unhealthy)
        score["evidence"][:] = 1.0
        score["evidence"][place] = evidence
        weigh(score, PARAMETERS)
        lost_by_neutral = PARAMETERS["factor"] * PARAMETERS["weight"][place] * (1.0 - neutral)
        points.append(abs(score["points"][place] - lost_by_neutral))
    assert points[0] <= points[1] + 1e-9


def test_ages_tell_how_old_the_newest_data_is() -> None:
    life = full_life()
    score = described(life.record, 160)
    ages = dict(zip(NAMES, score["age_days"].tolist(), strict=True))
    assert ages["net_cash_flow"] == pytest.approx(160 - 149 - 1 / 3)
    assert ages["utility_arrears"] == pytest.approx(160 - 135 - 1 / 3)
    assert ages["debt_service"] == max(ages["net_cash_flow"], ages["arrears"])
