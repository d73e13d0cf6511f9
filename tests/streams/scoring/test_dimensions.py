"""Credit and scenario: what is paid in time, what happens when income fails, what proceeds were spent on."""

import numpy as np
import pytest

from loanpulse.schemas.contracts import LoanPurpose, RepaymentKind, SpendingCategory, SpendingKind
from loanpulse.schemas.units import DAY_MS
from loanpulse.streams.record import loan_purpose
from loanpulse.streams.scoring import dimensions
from tests.support.borrower_days import PARAMETERS, START_DAY, Life, described


def at(day: float) -> int:
    return int((START_DAY + day) * DAY_MS)


def test_timeliness_counts_what_was_paid_by_its_due_date() -> None:
    life = Life().instalment(20, 900.0, 900.0).instalment(50, 900.0)
    life.loan(RepaymentKind.PAID, 51, amount=900.0, due=50)
    assert life.value("arrears", 60) == 0.0
    assert dimensions.timeliness(life.record, at(60)) == pytest.approx(0.5)
    assert np.isnan(dimensions.timeliness(Life().record, at(60)))


def test_the_minimum_of_revolving_credit_is_timely() -> None:
    life = Life().instalment(20, 2_000.0, 200.0, minimum_due=200.0)
    assert dimensions.timeliness(life.record, at(60)) == 1.0


def shocked(paid: float = 0.0, asked_on: int | None = None) -> Life:
    """Four good months, then none; an instalment falls due in the first bad month."""
    life = Life().months(4)
    for day in range(120, 190):
        life.spend(day, 60.0)
    life.instalment(140, 900.0, paid)
    if asked_on is not None:
        life.loan(RepaymentKind.DEFERRAL_REQUESTED, asked_on)
    return life


@pytest.mark.parametrize(
    ("paid", "asked_on", "expected"), [(900.0, None, 1.0), (0.0, 138, 0.5), (0.0, 165, 0.5), (0.0, 175, 0.0),
                                       (0.0, None, 0.0), (300.0, None, 0.0)]
)  # fmt: skip
def test_elasticity_asks_what_was_done_under_an_income_shock(
    paid: float, asked_on: int | None, expected: float
) -> None:
    assert dimensions.elasticity(shocked(paid, asked_on).record, at(185)) == expected


def test_without_a_shock_there_is_no_elasticity() -> None:
    life = Life().months(6).instalment(140, 900.0)
    assert np.isnan(dimensions.elasticity(life.record, at(178)))
    smaller = Life().months(4)
    for day in range(120, 190):
        if day % 30 == 9:
            smaller.earn(day, 5_000.0)  # a sixth less is no shock
        smaller.spend(day, 60.0)
    smaller.instalment(140, 900.0)
    assert np.isnan(dimensions.elasticity(smaller.record, at(185)))


def borrowed(purpose: LoanPurpose = LoanPurpose.VEHICLE) -> Life:
    return Life().loan(RepaymentKind.DISBURSED, 1, amount=10_000.0, purpose=int(purpose))


def spent(life: Life, amount: float, category: SpendingCategory, kind: int = SpendingKind.PURCHASE) -> Life:
    return life.spend(2, amount, kind, category=int(category), loan_reference=7)


def test_proceeds_are_traced_to_the_declared_purpose_and_off_it() -> None:
    life = spent(borrowed(), 7_000.0, SpendingCategory.VEHICLE)
    spent(life, 1_500.0, SpendingCategory.LUXURY)
    spent(life, 500.0, SpendingCategory.CASH, SpendingKind.CASH_WITHDRAWAL)
    assert loan_purpose.purpose_shares(life.record) == pytest.approx((0.7, 0.2))


def test_a_refund_takes_back_what_it_returns() -> None:
    life = spent(borrowed(), 4_000.0, SpendingCategory.LUXURY)
    spent(life, 4_000.0, SpendingCategory.LUXURY, SpendingKind.REFUND)
    spent(life, 6_000.0, SpendingCategory.VEHICLE)
    assert loan_purpose.purpose_shares(life.record) == pytest.approx((0.6, 0.0))


def test_paying_instalments_is_a_use_of_proceeds_only_where_debt_is_consolidated() -> None:
    transfer, repaid = SpendingKind.TRANSFER_OUT, SpendingCategory.LOAN_REPAYMENT
    assert all(np.isnan(loan_purpose.purpose_shares(spent(borrowed(), 900.0, repaid, transfer).record)))
    consolidated = spent(borrowed(LoanPurpose.DEBT_CONSOLIDATION), 9_000.0, repaid, transfer)
    assert loan_purpose.purpose_shares(consolidated.record) == pytest.approx((0.9, 0.0))


def test_spending_may_come_before_the_loan_that_it_spends() -> None:
    life = spent(Life(), 8_000.0, SpendingCategory.VEHICLE)
    assert np.isnan(loan_purpose.purpose_shares(life.record)[0])
    life.loan(RepaymentKind.DISBURSED, 1, amount=10_000.0, purpose=int(LoanPurpose.VEHICLE))
    assert loan_purpose.purpose_shares(life.record) == pytest.approx((0.8, 0.0))


def test_cash_keeps_no_purpose_and_every_purpose_has_a_use() -> None:
    for purpose in LoanPurpose:
        if purpose is not LoanPurpose.UNKNOWN:
            assert not loan_purpose.keeps_purpose(int(purpose), loan_purpose.USE_CASH)
            assert loan_purpose.USES[purpose]


def test_the_scores_are_the_policy_s_weights_of_their_parts() -> None:
    life = spent(shocked(900.0).loan(RepaymentKind.DISBURSED, 100, amount=10_000.0, purpose=int(LoanPurpose.VEHICLE)),
                 6_000.0, SpendingCategory.VEHICLE)  # fmt: skip
    spent(life, 2_000.0, SpendingCategory.CASH, SpendingKind.CASH_WITHDRAWAL)
    score = described(life.record, 185)
    assert score["credit_score"] == pytest.approx(100 * (0.7 * 1.0 + 0.3 * 1.0))
    assert score["scenario_score"] == pytest.approx(100 * (0.4 * 0.6 + 0.6 * 0.8))
    expected = 0.5 * score["lhi"] + 0.3 * score["credit_score"] + 0.2 * score["scenario_score"]
    assert score["cqplm_score"] == pytest.approx(expected)


def test_what_is_not_known_leaves_the_score_to_the_rest() -> None:
    score = described(Life().months(3).record, 90)
    assert np.isnan(score["credit_score"])
    assert np.isnan(score["scenario_score"])
    assert score["cqplm_score"] == score["lhi"]
    assert PARAMETERS["cqplm_weight"].sum() == pytest.approx(1.0)
