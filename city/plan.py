"""What a simulated city is made of: everything that decides its events."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

DEFAULT_LENDERS = ("lender-a", "lender-b", "lender-c", "lender-d")


class PlanError(ValueError):
    """A plan that cannot be simulated; the text names the field and says what to give."""


@dataclass(frozen=True, slots=True)
class CityPlan:
    """A city to simulate. The same plan gives the same events, and a household does not depend on `borrowers`.

    `start` is the first instant (aware, read as UTC), `days` how many days to simulate (None = without end).
    `life_event_rate` is the number of adverse life events (job loss, illness, …) begun per borrower and year of
    undisturbed life. The shares are of well-formed events: `late_share` are published hours to three days after
    they happened, `too_late_share` later than any sensible allowed lateness (8 to 20 days), `duplicate_share`
    twice, `shuffle_share` with minutes of delay, so that they come out of order; for `malformed_share` of them a
    broken copy, which no reader should take, is published too.
    """

    borrowers: int
    seed: int
    start: datetime
    days: int | None = None
    lenders: tuple[str, ...] = DEFAULT_LENDERS
    currency: str = "CNY"
    late_share: float = 0.0
    too_late_share: float = 0.0
    duplicate_share: float = 0.0
    shuffle_share: float = 0.0
    malformed_share: float = 0.0
    life_event_rate: float = 0.5

    def __post_init__(self) -> None:
        if self.borrowers < 1:
            raise PlanError(f"borrowers is {self.borrowers}; give at least 1")
        if self.seed < 0:
            raise PlanError(f"seed is {self.seed}; give zero or more")
        if self.start.utcoffset() is None:
            raise PlanError("start has no time zone; give an aware datetime, such as one in UTC")
        if self.days is not None and self.days < 1:
            raise PlanError(f"days is {self.days}; give at least 1, or None for no end")
        if not self.lenders or not all(_is_lender(lender) for lender in self.lenders):
            raise PlanError("lenders must name at least one lender, each in 1 to 24 printable ASCII characters")
        if len(self.currency) != 3 or not self.currency.isupper():
            raise PlanError(f"currency is {self.currency!r}; give an ISO 4217 code such as CNY")
        for name in ("late_share", "too_late_share", "duplicate_share", "shuffle_share", "malformed_share"):
            if not 0.0 <= getattr(self, name) <= 1.0:
                raise PlanError(f"{name} is {getattr(self, name)}; give a share from 0 to 1")
        if self.late_share + self.too_late_share + self.shuffle_share > 1.0:
            raise PlanError("late_share, too_late_share and shuffle_share are of the same events: keep their sum to 1")
        if not 0.0 <= self.life_event_rate <= 50.0:
            raise PlanError(f"life_event_rate is {self.life_event_rate}; give 0 to 50 a year")

    @property
    def start_ms(self) -> int:
        """The start in UTC milliseconds since 1970."""
        return round(self.start.astimezone(UTC).timestamp() * 1000)

    @property
    def end(self) -> datetime | None:
        """The time (ms) before which every event is published; None without an end."""
        return None if self.days is None else self.start + timedelta(days=self.days)


def _is_lender(lender: str) -> bool:
    return 1 <= len(lender) <= 24 and lender.isascii() and lender.isprintable() and " " not in lender
