"""Snapshots as the label queue reads them."""

from loanpulse.schemas.units import DAY_MS
from loanpulse.streams.learning.labels import Prediction

START = 994
"""A day on which an interval of seven days begins."""


def snapshot(day: float, borrower: str = "b", *, days_past_due: int = 0, open_loans: int = 1) -> Prediction:
    time = int((START + day) * DAY_MS)
    return Prediction(
        f"{borrower}-{day}", borrower, time, time, 60.0, 0.05, "STABLE", "expert-1", ("lender-a",), days_past_due,
        open_loans, ((0.0, 0.5, 1.0, 1.0, 0.0),) * 12,
    )  # fmt: skip
