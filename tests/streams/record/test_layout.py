"""The record's layouts: small enough, and taken over from every release before."""

from pathlib import Path

import numpy as np
import pytest

from loanpulse.streams.partition.store import BorrowerStore
from loanpulse.streams.policy import policy_file
from loanpulse.streams.record import debt, usage_forecaster
from loanpulse.streams.record.layout import BORROWER, VERSION, empty_records
from loanpulse.streams.record.layout_v1 import BORROWER_V1
from loanpulse.streams.record.units import ms_of, seconds_of
from loanpulse.streams.record.upgrade import upgrade
from loanpulse.streams.scoring.borrower import score_borrower
from loanpulse.streams.scoring.score import SCORE

RAW_V1 = (Path(__file__).parent / "fixtures" / "borrower_record_v1.bin").read_bytes()
"""The state of a borrower as the first release kept it: four loans, two missed instalments, bills, a lost job."""


def taken_over() -> tuple[np.void, np.void]:
    return np.frombuffer(RAW_V1, BORROWER_V1)[0], np.frombuffer(upgrade(RAW_V1)[0], BORROWER)[0].copy()


def test_a_record_fits_the_budget_of_a_borrower() -> None:
    assert BORROWER.itemsize <= 2560


def test_the_first_release_is_taken_over_with_all_that_it_knew() -> None:
    old, new = taken_over()
    assert new["version"] == VERSION
    for field in ("level", "lhi", "balance", "offsets", "last_seen", "short_sums", "long_sums", "loan_key",
                  "loan_outstanding", "instalment_due", "instalment_paid", "instalment_day", "bill_day"):  # fmt: skip
        np.testing.assert_array_equal(new[field], old[field], err_msg=field)
    assert new["income_amount"].sum() == old["income_amount"].sum()
    opened = [ms_of(instant) // 1000 for instant in new["loan_opened"] if instant]
    assert opened == [time // 1000 for time in old["loan_opened"] if time]
    assert [seconds_of(int(time)) for time in old["bill_paid_at"] if time] == [
        instant for instant in new["bill_paid_at"] if instant > np.iinfo(np.int32).min
    ]


def test_what_was_owed_in_the_first_release_is_owed_after_it() -> None:
    old, new = taken_over()
    at = int(old["scored_at"])
    missed = old["instalment_due"][old["instalment_paid"] == 0]
    days_past_due, overdue, _ = debt.arrears_now(new, at)
    assert overdue == pytest.approx(missed[missed > 0][:2].sum())
    assert days_past_due == at // 86_400_000 - int(old["instalment_day"][0])
    score = np.zeros(1, SCORE)[0]
    score_borrower(new, at, 0, policy_file.load().parameters, score)
    assert score["level"] == old["level"]


def test_the_months_of_usage_of_the_first_release_are_a_forecast() -> None:
    _, new = taken_over()
    day = int(new["usage_day"][0]) + 30
    usage_forecaster.wait(new, 0, day, 10.0)
    rate, forecast, _, periods = usage_forecaster.latest(new, 0)
    assert rate == pytest.approx(10.0 / 30)
    assert forecast == pytest.approx((160.04 + 137.96 + 133.18) / 3 / 30, rel=0.2)
    assert periods == 4


def test_a_store_loads_both_layouts_and_refuses_others() -> None:
    store = BorrowerStore()
    store.load(b"old", RAW_V1)
    store.load(b"new", empty_records(1).tobytes())
    assert len(store) == 2
    for raw in (b"", RAW_V1[:-1], bytes([9]) + RAW_V1[1:]):
        with pytest.raises(ValueError, match="rebuild the state"):
            store.load(b"other", raw)
