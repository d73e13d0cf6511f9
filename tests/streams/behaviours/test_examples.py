"""Each behaviour by an example that fires and one that nearly fires."""

import pytest

from loanpulse.schemas.units import DAY_MS
from tests.support.borrower_life import Life, days, months, policy_with

MONTHS = months("2026-01-10", 8)


def salaried(amounts: list[float]) -> Life:
    life = Life()
    for when, amount in zip(MONTHS, amounts, strict=False):
        life.earn(when, amount)
    return life


# MULTI_LENDER_SURGE


def test_three_new_lenders_in_thirty_days_are_a_surge() -> None:
    life = Life().borrow("2026-03-01", 5000, 1).borrow("2026-03-12", 5000, 2).borrow("2026-03-30", 5000, 3)
    assert ("2026-03-30 12:00", "MULTI_LENDER_SURGE") in life.found("2026-03-31").opened()
    assert life.found("2026-03-31").value("MULTI_LENDER_SURGE") == 3


def test_three_new_lenders_in_thirty_two_days_are_none() -> None:
    life = Life().borrow("2026-03-01", 5000, 1).borrow("2026-03-12", 300, 2).borrow("2026-04-02", 300, 3)
    assert "MULTI_LENDER_SURGE" not in life.found("2026-04-03").names()


def test_lenders_that_were_there_before_the_feed_began_are_not_new() -> None:
    life = Life()
    for loan in (1, 2, 3, 4):
        life.due("2026-03-01", "2026-03-20", 300, loan)
    assert "MULTI_LENDER_SURGE" not in life.found("2026-03-10").names()


def test_the_effective_number_of_lenders_up_by_half_is_a_surge() -> None:
    old = Life().borrow("2025-06-01", 6000, 1).borrow("2025-07-01", 6000, 2)
    assert old.borrow("2026-03-01", 6000, 3).found("2026-03-02").opened()[-1] == (
        "2026-03-01 12:00", "MULTI_LENDER_SURGE",
    )  # fmt: skip


def test_a_small_third_loan_is_not_half_a_lender_more() -> None:
    old = Life().borrow("2025-06-01", 6000, 1).borrow("2025-07-01", 6000, 2)
    assert old.borrow("2026-03-01", 2000, 3).found("2026-03-02").latest() == set()


# BORROW_TO_REPAY


def test_repaying_twice_from_new_credit_is_borrowing_to_repay() -> None:
    life = Life().advance("2026-03-01", 900).repay("2026-03-02", "2026-03-05", 870)
    life.borrow("2026-04-01", 900, 2).repay("2026-04-04 11:00", "2026-04-05", 870)
    found = life.found("2026-04-05")
    assert ("2026-04-04 11:00", "BORROW_TO_REPAY") in found.opened()
    assert found.value("BORROW_TO_REPAY") == 1.0


def test_once_is_not_a_habit_and_four_days_are_not_three() -> None:
    once = Life().advance("2026-03-01", 900).repay("2026-03-02", "2026-03-05", 870)
    assert "BORROW_TO_REPAY" not in once.found("2026-03-05").names()
    late = once.borrow("2026-04-01", 900, 2).repay("2026-04-04 13:00", "2026-04-05", 870)
    assert "BORROW_TO_REPAY" not in late.found("2026-04-05").names()


def test_twice_but_under_half_of_what_was_repaid_is_none() -> None:
    life = Life().advance("2026-03-01", 900).repay("2026-03-02", "2026-03-05", 400)
    life.repay("2026-03-20", "2026-03-20", 1700, 2)
    life.advance("2026-04-01", 900).repay("2026-04-02", "2026-04-05", 400)
    assert "BORROW_TO_REPAY" not in life.found("2026-04-05").names()


# PURPOSE_DEVIATION


def renovation(cash: float) -> Life:
    life = Life().borrow("2026-03-01", 10_000, declared_purpose="RENOVATION")
    life.move("2026-03-02", "CASH_WITHDRAWAL", cash, "CASH", loan=1)
    return life.spend("2026-03-02 13:00", 10_000 - cash, "HOME_IMPROVEMENT", loan=1)


def test_a_quarter_drawn_as_cash_is_off_purpose() -> None:
    found = renovation(2_500).found("2026-03-05")
    assert "PURPOSE_DEVIATION" in found.names()
    assert found.value("PURPOSE_DEVIATION") == pytest.approx(0.25)


def test_a_fifth_is_not() -> None:
    life = Life().borrow("2026-03-01", 10_000, declared_purpose="RENOVATION")
    life.spend("2026-03-02", 8_000, "HOME_IMPROVEMENT", loan=1)
    life.move("2026-03-02 13:00", "CASH_WITHDRAWAL", 2_000, "CASH", loan=1)
    assert "PURPOSE_DEVIATION" not in life.found("2026-03-05").names()


# INCOME_SHOCK


def test_a_pay_a_fifth_under_the_median_is_a_shock() -> None:
    found = salaried([7000, 7100, 6900, 7000, 7050, 5590]).found("2026-06-11")
    assert found.opened() == [("2026-06-10 12:00", "INCOME_SHOCK")]
    assert found.value("INCOME_SHOCK") == pytest.approx(1 - 5590 / 7000)


def test_a_pay_less_than_a_fifth_under_it_is_none() -> None:
    assert salaried([7000, 7100, 6900, 7000, 7050, 5610]).found("2026-06-11").names() == []


def test_a_bonus_among_the_pays_does_not_make_the_usual_pay_a_shock() -> None:
    assert salaried([7000, 7000, 21_000, 7000, 7000, 7000]).found("2026-06-11").names() == []


def test_a_pay_in_two_parts_is_one_pay() -> None:
    life = Life()
    for month in months("2026-01-10", 5):
        life.earn(month, 4000).earn(month.replace("-10", "-11"), 3000)
    assert life.found("2026-05-12").names() == []


# INCOME_STOPPED: more in test_absences.py


def test_a_payday_that_passes_by_its_tolerance_is_income_stopped() -> None:
    assert salaried([7000] * 5).found("2026-06-16").opened() == [("2026-06-16 00:00", "INCOME_STOPPED")]


def test_within_the_tolerance_it_is_not() -> None:
    assert salaried([7000] * 5).found("2026-06-15 23:59").opened() == []


def test_pay_that_comes_late_ends_the_episode() -> None:
    life = salaried([7000] * 5).earn("2026-06-20", 7000)
    assert life.found("2026-06-21").names() == ["INCOME_STOPPED"]
    assert life.found("2026-06-21").latest() == set()


# INSTALMENT_MISSED: more in test_absences.py


def test_an_instalment_unpaid_by_a_tenth_after_its_due_date_is_missed() -> None:
    life = Life().due("2026-03-01", "2026-03-20", 900).repay("2026-03-19", "2026-03-20", 810)
    # The due date ends with the day in UTC, eight in the morning in China.
    assert life.found("2026-03-22").opened() == [("2026-03-21 08:00", "INSTALMENT_MISSED")]


def test_an_instalment_paid_in_the_last_hour_is_not() -> None:
    life = Life().due("2026-03-01", "2026-03-20", 900).repay("2026-03-21 07:30", "2026-03-20", 900)
    assert life.found("2026-03-22").names() == []


def missed_of_two_lenders() -> Life:
    """Lender 1's instalment is missed on March 20, lender 2's ten days later, and both stay so."""
    life = Life().borrow("2026-01-10", 6000, 1).borrow("2026-01-11", 4000, 2)
    return life.due("2026-03-01", "2026-03-20", 900, 1).due("2026-03-01", "2026-03-30", 400, 2)


def test_each_lender_hears_of_its_own_missed_instalment_while_anothers_stands() -> None:
    assert missed_of_two_lenders().found("2026-04-15").missed() == [
        ("2026-03-21 08:00", ["lender-1"]),
        ("2026-03-31 08:00", ["lender-2"]),
    ]


def test_a_lenders_next_missed_instalment_is_no_news_while_one_of_its_own_stands() -> None:
    life = missed_of_two_lenders().due("2026-04-01", "2026-04-20", 900, 1)
    assert len(life.found("2026-04-25").missed()) == 2


def test_a_lender_whose_instalment_was_paid_hears_of_the_next_one_missed() -> None:
    life = missed_of_two_lenders().repay("2026-04-02", "2026-03-30", 400, 2).due("2026-04-03", "2026-04-30", 400, 2)
    assert life.found("2026-05-05").missed()[2:] == [("2026-05-01 08:00", ["lender-2"])]


def test_a_lender_within_its_grace_is_not_told_of_another_ones_miss() -> None:
    policy = policy_with()
    policy.parameters["grace_ms"] = 5 * DAY_MS
    life = missed_of_two_lenders().due("2026-03-02", "2026-03-24", 300, 2)
    assert life.found("2026-03-31", policy).missed() == [
        ("2026-03-26 08:00", ["lender-1"]),
        ("2026-03-30 08:00", ["lender-2"]),
    ]


# PARTIAL_PAYMENT_STREAK


def test_two_instalments_in_a_row_paid_in_part_are_a_streak() -> None:
    life = Life().due("2026-03-01", "2026-03-20", 900).repay("2026-03-19", "2026-03-20", 300)
    life.due("2026-04-01", "2026-04-20", 900).repay("2026-04-19", "2026-04-20", 300)
    assert ("2026-04-21 08:00", "PARTIAL_PAYMENT_STREAK") in life.found("2026-04-22").opened()


def test_a_whole_instalment_between_breaks_it_and_two_loans_do_not_make_one() -> None:
    life = Life().due("2026-03-01", "2026-03-20", 900).repay("2026-03-19", "2026-03-20", 300)
    life.due("2026-04-01", "2026-04-20", 900).repay("2026-04-19", "2026-04-20", 900)
    life.due("2026-05-01", "2026-05-20", 900).repay("2026-05-19", "2026-05-20", 300)
    life.due("2026-05-01", "2026-05-21", 900, 2).repay("2026-05-19", "2026-05-21", 300, 2)
    assert "PARTIAL_PAYMENT_STREAK" not in life.found("2026-05-23").names()


# UTILITY_LATE_STREAK


def test_three_bills_of_a_utility_late_in_a_row_are_a_streak() -> None:
    life = Life().bill("2026-03-10", "2026-03-20").bill("2026-04-10", "2026-04-25").bill("2026-05-10", "2026-05-14")
    found = life.found("2026-05-15")
    assert ("2026-05-12 08:00", "UTILITY_LATE_STREAK") in found.opened()
    assert found.value("UTILITY_LATE_STREAK") == 3


def test_two_late_bills_and_three_of_different_utilities_are_none() -> None:
    life = Life().bill("2026-03-10", "2026-03-09").bill("2026-04-10", "2026-04-25").bill("2026-05-10", "2026-05-14")
    life.bill("2026-05-10", "2026-05-20", "GAS").bill("2026-05-10", None, "WATER")
    assert "UTILITY_LATE_STREAK" not in life.found("2026-05-25").names()


def test_late_bills_with_distress_count_as_one_level_worse() -> None:
    def level(*, late: bool) -> int:
        life = distressed(0.45)
        for month in ("04", "05", "06"):
            life.bill(f"2026-{month}-10", f"2026-{month}-{'25' if late else '09'}")
        scores = life.found("2026-06-27", policy_with()).scores
        return int(scores[-1]["level"])

    assert level(late=True) >= level(late=False) + 1


# USAGE_COLLAPSE


def metered(last: float, utilities: tuple[str, ...] = ("ELECTRICITY",)) -> Life:
    life = Life()
    for utility in utilities:
        for number, month in enumerate(months("2025-09-05", 8)):
            life.read(month, 240 + 15 * (-1) ** number, utility)
        life.read("2026-05-05", last, utility)
    return life


def test_usage_under_half_of_its_forecast_is_a_collapse() -> None:
    found = metered(100).found("2026-05-06")
    assert found.names() == ["USAGE_COLLAPSE"]
    assert found.value("USAGE_COLLAPSE") == 1


def test_usage_over_half_of_it_is_none() -> None:
    assert metered(140).found("2026-05-06").names() == []


def test_under_half_but_within_a_wide_forecast_is_none() -> None:
    life = Life()
    for month, usage in zip(months("2025-09-05", 9), (50, 400, 60, 420, 40, 380, 30, 410, 90), strict=True):
        life.read(month, usage)
    assert life.found("2026-05-06").names() == []


def test_two_utilities_at_once_are_counted_for_a_welfare_check() -> None:
    assert metered(60, ("ELECTRICITY", "WATER")).found("2026-05-06").value("USAGE_COLLAPSE") == 2


# CASH_DRAIN


def drained(left: float, step: int = 1, purchase: float = 0.0) -> Life:
    life = Life().spend("2026-03-01", 50, balance=10_000)
    balance, each = 10_000.0, (10_000 - left - purchase) / 10
    for when in days("2026-03-10", 10, step):
        balance -= each
        life.move(when, "TRANSFER_OUT", each, "OTHER", balance)
    if purchase:
        life.spend("2026-03-20", purchase, "ELECTRONICS", balance=left)
    return life


def test_a_balance_down_by_four_fifths_in_two_weeks_is_a_drain() -> None:
    found = drained(1_900).found("2026-03-21")
    assert "CASH_DRAIN" in found.names()
    assert found.value("CASH_DRAIN") == pytest.approx(0.81, abs=0.01)


def test_a_little_less_is_none() -> None:
    assert "CASH_DRAIN" not in drained(2_200).found("2026-03-21").names()


def test_a_slow_drain_is_none() -> None:
    assert "CASH_DRAIN" not in drained(1_900, step=3).found("2026-04-10").names()


def test_a_purchase_that_explains_it_is_none() -> None:
    assert "CASH_DRAIN" not in drained(1_900, purchase=5_000).found("2026-03-21").names()


# CASH_ADVANCE_RELIANCE


def test_three_advances_in_thirty_days_are_reliance() -> None:
    life = Life().earn("2026-03-01", 9000).advance("2026-03-05", 90).advance("2026-03-15", 90)
    assert life.advance("2026-04-03", 90).found("2026-04-04").names() == ["CASH_ADVANCE_RELIANCE"]


def test_three_advances_in_thirty_one_days_are_none() -> None:
    life = Life().earn("2026-03-01", 9000).advance("2026-03-05", 90).advance("2026-03-15", 90)
    assert life.advance("2026-04-04", 90).found("2026-04-05").names() == []


@pytest.mark.parametrize(("amount", "names"), [(1_400, ["CASH_ADVANCE_RELIANCE"]), (700, [])])
def test_advances_over_a_tenth_of_inflow_are_reliance(amount: float, names: list[str]) -> None:
    life = salaried([9000] * 3).advance("2026-03-12", amount)
    assert life.found("2026-03-13").names() == names


# DISTRESS_SPENDING


def distressed(share: float) -> Life:
    """Daily groceries for four months, then a month in which a share goes to discount stores, pawn and gambling."""
    life = Life()
    for when in days("2026-01-01", 140):
        life.spend(when, 100)
    for number, when in enumerate(days("2026-05-21", 35)):
        life.spend(when, 100 * (1 - share))
        life.spend(f"{when} 13:00", 100 * share, ("DISCOUNT_STORES", "PAWN", "GAMBLING")[number % 3])
    return life


def test_spending_that_turns_to_discount_pawn_and_gambling_is_distress() -> None:
    assert distressed(0.35).found("2026-06-25").names() == ["DISTRESS_SPENDING"]


def test_a_slight_turn_is_none() -> None:
    assert distressed(0.1).found("2026-06-25").names() == []


def test_one_who_always_shops_at_discount_stores_is_none() -> None:
    life = Life()
    for when in days("2026-01-01", 170):
        life.spend(when, 40).spend(f"{when} 13:00", 60, "DISCOUNT_STORES")
    assert life.found("2026-06-20").names() == []
