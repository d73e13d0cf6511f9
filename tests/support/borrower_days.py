"""A borrower's days as folded events, and what the indicators read of them."""

import numpy as np

from loanpulse.schemas.contracts import RepaymentKind, SpendingCategory, SpendingKind
from loanpulse.schemas.sources import REPAYMENT, SPENDING
from loanpulse.schemas.units import DAY_MS
from loanpulse.streams.fold.event import fold_event
from loanpulse.streams.indicators.catalogue import COUNT, NAMES
from loanpulse.streams.policy import policy_file
from loanpulse.streams.record.layout import empty_records
from loanpulse.streams.scoring.borrower import describe
from loanpulse.streams.scoring.index import read_indicators
from loanpulse.streams.scoring.score import SCORE
from tests.support.empty_events import empty_events

PARAMETERS = policy_file.load().parameters
START_DAY = 20_089  # 2025-01-01
SALARY, GROCERIES = int(SpendingCategory.SALARY), int(SpendingCategory.GROCERIES)


class Life:
    """A borrower's record, made of events on days since the start."""

    def __init__(self) -> None:
        self.record = empty_records(1)[0]
        self._number = 0

    def tell(self, source: int, kind: int, day: float, **fields: float) -> "Life":
        event = empty_events(1)[0]
        self._number += 1
        event["source"], event["kind"], event["id_hash"] = source, kind, self._number
        event["event_time"] = (START_DAY + day) * DAY_MS + DAY_MS // 3
        for name, value in fields.items():
            event[name] = value
        fold_event(self.record, event)
        return self

    def spend(self, day: float, amount: float, kind: int = SpendingKind.PURCHASE, **fields: float) -> "Life":
        return self.tell(SPENDING, kind, day, amount=amount, **{"category": GROCERIES, **fields})

    def earn(self, day: float, amount: float) -> "Life":
        return self.spend(day, amount, SpendingKind.INCOME, category=SALARY)

    def loan(self, kind: int, day: float, key: int = 7, **fields: float) -> "Life":
        if "due" in fields:
            fields["due_day"] = START_DAY + fields.pop("due")
        fields.setdefault("lender", key)
        lender = (fields.pop("lender"), 0, 0)
        return self.tell(REPAYMENT, kind, day, loan_key=key, loan_reference=key, lender=lender, **fields)

    def instalment(self, due: int, amount: float, paid: float = 0.0, key: int = 7, **fields: float) -> "Life":
        self.loan(RepaymentKind.INSTALMENT_DUE, due - 12, key, amount=amount, due=due, **fields)
        if paid:
            self.loan(RepaymentKind.PAID, due - 0.5, key, amount=paid, due=due)
        return self

    def months(self, count: int, salary: float = 6_000.0, spent: float = 150.0) -> "Life":
        """Steady months of 30 days: a salary, and daily groceries with the balance they leave."""
        for day in range(30 * count):
            if day % 30 == 9:
                self.earn(day, salary)
            self.spend(day, spent, balance=4_000.0)
        return self

    def read(self, name: str, day: float) -> tuple[float, float]:
        values, evidences = np.zeros(COUNT), np.zeros(COUNT)
        read_indicators(self.record, int((START_DAY + day) * DAY_MS), values, evidences)
        place = NAMES.index(name)
        return float(values[place]), float(evidences[place])

    def value(self, name: str, day: float) -> float:
        return self.read(name, day)[0]


def described(record: np.void, day: float) -> np.void:
    score = np.zeros(1, SCORE)[0]
    describe(record, int((START_DAY + day) * DAY_MS), PARAMETERS, score)
    return score
