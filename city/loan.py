"""A loan in the simulated city: what is owed when, and what has been paid of it. Amounts are cents."""

from __future__ import annotations

from dataclasses import dataclass, field

PRODUCTS = {
    "EDUCATION": ("CONSUMER_LOAN", 0.08),
    "MEDICAL": ("CONSUMER_LOAN", 0.09),
    "RENOVATION": ("CONSUMER_LOAN", 0.09),
    "VEHICLE": ("AUTO_LOAN", 0.06),
    "TRAVEL": ("CREDIT_CARD", 0.17),
    "DURABLES": ("INSTALMENT_PURCHASE", 0.14),
    "DAILY_LIFE": ("CASH_LOAN", 0.22),
}
"""The product and the yearly rate that go with a declared purpose."""
MINIMUM_SHARE = 0.25
"""Of an instalment of a revolving account, the least that keeps it current."""
STATEMENT_DAYS = 12
"""An instalment is announced so many days before it is due."""
WRITE_OFF_DAYS = 120


@dataclass(slots=True)
class Instalment:
    """One due amount; `due` is the number of its day."""

    due: int
    amount: int
    paid: int = 0

    @property
    def rest(self) -> int:
        """What is still owed of it."""
        return self.amount - self.paid


@dataclass(slots=True)
class Loan:
    """One contract; `day_of_month` is when its instalments fall due, `next_due` the number of the next such day."""

    loan_id: str
    lender: str
    purpose: str
    principal: int
    instalment: int
    remaining: int
    day_of_month: int
    next_due: int
    unpaid: list[Instalment] = field(default_factory=list)
    status: str = "ACTIVE"
    missed: bool = False
    defaulted: bool = False
    first_missed: int = 0

    @property
    def product(self) -> str:
        """What kind of loan it is."""
        return PRODUCTS[self.purpose][0]

    @property
    def annual_rate(self) -> float:
        """The yearly rate as a share."""
        return PRODUCTS[self.purpose][1]

    @property
    def is_revolving(self) -> bool:
        """Whether a minimum keeps it current."""
        return self.product == "CREDIT_CARD"

    @property
    def is_open(self) -> bool:
        """Whether anything can still be asked of the borrower."""
        return self.status in ("ACTIVE", "RESTRUCTURED")

    @property
    def outstanding(self) -> int:
        """The instalments to come and those unpaid."""
        return self.remaining * self.instalment + sum(instalment.rest for instalment in self.unpaid)

    def is_short(self, instalment: Instalment) -> bool:
        """Whether an instalment is paid less than keeps the loan current: the minimum of revolving credit, else all."""
        least = instalment.amount * MINIMUM_SHARE if self.is_revolving else instalment.amount
        return instalment.paid < least

    def days_past_due(self, today: int) -> int:
        """Days since the oldest instalment fell due that is short of what keeps the loan current."""
        return max((today - instalment.due for instalment in self.unpaid if self.is_short(instalment)), default=0)
