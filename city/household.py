"""One household: what it earns, spends, owes and goes through, day by day.

What goes wrong shows in the streams in the order in which it does in life: income first, then what is bought and
where, cash advances and new lenders, late bills, and only then instalments paid in part or not at all.
"""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from loanpulse.city import circumstances
from loanpulse.city.days import HOUR_MS, MINUTE_MS, Day, date_of, next_monthly
from loanpulse.city.dice import Dice
from loanpulse.city.loan import DEFAULT_DAYS, MINIMUM_SHARE, STATEMENT_DAYS, WRITE_OFF_DAYS, Instalment, Loan
from loanpulse.city.plan import CityPlan
from loanpulse.city.truth import DefaultTruth, LifeEvent, LifeEventTruth, MissedTruth, OnTruth, ShortfallTruth
from loanpulse.schemas.topics import REPAYMENT_EVENTS, SPENDING_EVENTS, UTILITY_EVENTS

Record = tuple[int, str, dict[str, Any]]
"""Event time (UTC ms), bare topic name, native value."""

PURPOSES = {
    "EDUCATION": "EDUCATION",
    "MEDICAL": "HEALTH",
    "RENOVATION": "HOME_IMPROVEMENT",
    "VEHICLE": "VEHICLE",
    "TRAVEL": "TRAVEL",
    "DURABLES": "ELECTRONICS",
}
EVERYDAY = (
    "GROCERIES",
    "GROCERIES",
    "GROCERIES",
    "DINING",
    "DINING",
    "TRANSPORT",
    "CLOTHING",
    "ENTERTAINMENT",
    "HEALTH",
)
HARD_TIMES = ("DISCOUNT_STORES", "DISCOUNT_STORES", "DISCOUNT_STORES", "GROCERIES", "TRANSPORT")
USUAL_CENTS = {
    "GROCERIES": 6_500, "DINING": 7_000, "TRANSPORT": 2_500, "CLOTHING": 18_000, "ENTERTAINMENT": 9_000,
    "HEALTH": 12_000, "TRAVEL": 22_000, "DISCOUNT_STORES": 3_500, "GAMBLING": 25_000, "PAWN": 40_000,
}  # fmt: skip
BASKETS_CENTS = 708_000
"""What a month's shopping costs at the usual prices above."""
BILLS_CENTS = 39_900
LEAST_BUDGET = 0.3
"""The least that a household spends freely, of its usual pay."""
CUSHION_DAYS = 4
"""So many days' costs a household wants to have left when pay comes."""
WITHOUT_WORK_DAYS = 45
UTILITIES = (("ELECTRICITY", 18_000, 260.0), ("WATER", 5_000, 12.0), ("GAS", 7_000, 25.0), ("TELECOM", 9_900, 30.0))
BILL_DAYS = 15
ADVERSE = (
    (LifeEvent.JOB_LOSS, 0.30, 60, 210),
    (LifeEvent.CUT_PAY, 0.25, 90, 300),
    (LifeEvent.ILLNESS, 0.20, 30, 120),
    (LifeEvent.OVER_BORROWING, 0.17, 60, 150),
    (LifeEvent.PURPOSE_FRAUD, 0.08, 30, 60),
)
RECOVERY_DAYS = 60
MOST_LOANS = 6


def borrower_id(seed: int, number: int) -> str:
    """The pseudonym of a household."""
    return "b-" + uuid.uuid5(uuid.NAMESPACE_OID, f"{seed}/{number}").hex[:12]


def money(cents: int) -> Decimal:
    """Cents as an amount of the contract's scale."""
    return Decimal(cents).scaleb(-2)


class Household:
    """One borrower and the accounts around it. The same plan and number give the same life."""

    def __init__(self, plan: CityPlan, number: int, first_day: int, on_truth: OnTruth) -> None:
        self.id = borrower_id(plan.seed, number)
        self._plan = plan
        self._dice = dice = Dice(plan.seed, number)
        self._own = circumstances.draw(plan.seed, number, first_day)
        self._on_truth = on_truth
        self._ids = uuid.uuid5(uuid.NAMESPACE_OID, f"{plan.seed}/{number}/events").int
        self._events = 0
        self._income = round(700_000 * dice.spread(0.45))
        self._cycle = dice.pick(("monthly", "monthly", "monthly", "biweekly", "weekly", "irregular"))
        self._pay_day = dice.whole(1, 28)
        self._pay_phase = dice.whole(0, 13)
        self._rent = round(self._income * dice.between(0.15, 0.28))
        self._rent_day = dice.whole(1, 28)
        self._thrift = dice.between(0.72, 1.02)
        self._bill_day = dice.whole(1, 28)
        self._balance = round(self._income * dice.between(0.1, 1.4))
        self._home = dice.between(0.7, 1.5)
        self._honest = dice.between(0.0, 1.0)
        self._bills: list[list[Any]] = []
        self._loans: list[Loan] = []
        self._planned = [first_day + dice.whole(0, 9) for _ in range(1 if dice.chance(0.65) else 2)]
        self._loan_number = 0
        self._next_life_event = first_day + 20 + self._wait_for_life_event()
        self._life_event: LifeEvent | None = None
        self._life_event_ends = 0
        self._recovered_until = 0
        self._severity = 1.0
        self._advanced = 0
        self._days_to_pay = 15
        self._budget = 0.0
        self._records: list[Record] = []
        self._clock = 0
        self._plan_month()

    def day(self, today: Day) -> list[Record]:
        """Live one day; returns what happened, in order of time. Days must come one after the other."""
        self._records = []
        self._clock = today.midnight_ms + 20 * MINUTE_MS
        self._go_through_life(today)
        self._days_to_pay = self._wait_for_pay(today)
        if today.of_month == 1:
            self._plan_month()
        self._spend_at_night(today)
        self._clock = max(self._clock, today.midnight_ms + 8 * HOUR_MS)
        self._earn(today)
        self._pay_rent(today)
        self._keep_house(today)
        self._borrow_as_planned(today)
        self._serve_loans(today)
        self._clock = max(self._clock, today.midnight_ms + 12 * HOUR_MS)
        self._shop(today)
        return [record for record in self._records if self._own.is_told(record[1], today.number)]

    # Time and records.

    def _tick(self, minutes: float) -> int:
        self._clock += 1 + int(minutes * MINUTE_MS * self._dice.between(0.2, 1.0))
        return self._clock

    def _value(self, at: int, **fields: Any) -> dict[str, Any]:
        self._events += 1
        identity = uuid.UUID(
            int=(self._ids + self._events * 0x9E3779B97F4A7C15F39CC0605CEDC835) % (1 << 128), version=4
        )
        return {
            "event_id": str(identity),
            "borrower_id": self.id,
            "event_time": datetime.fromtimestamp(at / 1000, UTC).replace(microsecond=at % 1000 * 1000),
            "currency": self._plan.currency,
            **fields,
        }

    def _move(self, kind: str, cents: int, category: str | None = None, loan_id: str | None = None) -> None:
        """Write down a movement of the account, which the caller has made."""
        value = self._value(
            self._tick(6),
            source="bank",
            kind=kind,
            amount=money(cents),
            category=category,
            balance_after=money(self._balance) if self._dice.chance(0.9) else None,
            loan_id=loan_id,
        )
        self._records.append((self._clock, SPENDING_EVENTS, value))

    def _tell_loan(self, loan: Loan, kind: str, cents: int | None = None, due: int | None = None, **more: Any) -> None:
        value = self._value(
            self._tick(4),
            source=loan.lender,
            lender_id=loan.lender,
            loan_id=loan.loan_id,
            kind=kind,
            amount=None if cents is None else money(cents),
            due_date=None if due is None else date_of(due),
            outstanding_principal=money(loan.outstanding),
            credit_limit=money(loan.principal) if loan.is_revolving else None,
            declared_purpose=more.get("purpose"),
            loan_status=more.get("status"),
            minimum_due=more.get("minimum"),
            annual_rate=loan.annual_rate if kind in ("DISBURSED", "RESTRUCTURED") else None,
            product=loan.product,
            region=self._own.region,
        )
        self._records.append((self._clock, REPAYMENT_EVENTS, value))

    def _tell_utility(self, utility: str, kind: str, cents: int | None, due: int | None, usage: float | None) -> None:
        value = self._value(
            self._tick(4),
            source="utility",
            utility=utility,
            kind=kind,
            amount=None if cents is None else money(cents),
            due_date=None if due is None else date_of(due),
            usage=usage,
        )
        self._records.append((self._clock, UTILITY_EVENTS, value))

    # Life.

    def _wait_for_life_event(self) -> int:
        return int(min(100_000, self._dice.days_until(self._plan.life_event_rate / 365.0)))

    def _go_through_life(self, today: Day) -> None:
        if self._life_event is not None and today.number >= self._life_event_ends:
            self._life_event = None
            self._recovered_until = today.number + RECOVERY_DAYS
            self._next_life_event = today.number + RECOVERY_DAYS + self._wait_for_life_event()
            self._on_truth(LifeEventTruth(self.id, LifeEvent.RECOVERY, today.date, date_of(self._recovered_until)))
        if self._life_event is None and today.number >= self._next_life_event:
            kind, shortest, longest = self._adverse()
            self._life_event = kind
            self._life_event_ends = today.number + self._dice.whole(shortest, longest)
            self._severity = self._dice.between(0.4, 1.0)
            self._on_truth(LifeEventTruth(self.id, kind, today.date, date_of(self._life_event_ends)))

    def _adverse(self) -> tuple[LifeEvent, int, int]:
        """Pick an adverse life event by its share, with its shortest and longest duration in days."""
        roll = self._dice.roll()
        for kind, share, shortest, longest in ADVERSE:
            roll -= share
            if roll < 0:
                return kind, shortest, longest
        return ADVERSE[0][0], ADVERSE[0][2], ADVERSE[0][3]

    @property
    def _income_factor(self) -> float:
        if self._life_event is LifeEvent.JOB_LOSS:
            return 0.0
        if self._life_event is LifeEvent.CUT_PAY:
            return 1.0 - 0.25 - 0.35 * self._severity
        if self._life_event is LifeEvent.ILLNESS:
            return 1.0 - 0.5 * self._severity
        return 1.0

    @property
    def _strain(self) -> float:
        """How tight money is, 0 (ease) to 1: the balance against the costs until the next pay, and what is overdue."""
        needed = self._monthly_cost * (self._days_to_pay + CUSHION_DAYS) / 30.0
        short = 1.0 - self._balance / needed
        overdue = 0.4 if any(loan.unpaid and loan.missed for loan in self._loans if loan.is_open) else 0.0
        return min(1.0, max(0.0, short + overdue))

    @property
    def _monthly_cost(self) -> float:
        owed = sum(loan.instalment for loan in self._loans if loan.is_open)
        return self._rent + self._budget + BILLS_CENTS * self._home + owed

    def _wait_for_pay(self, today: Day) -> int:
        """Days until money is next expected; nobody without work knows when."""
        if self._life_event is LifeEvent.JOB_LOSS:
            return WITHOUT_WORK_DAYS
        if self._cycle == "monthly":
            return next_monthly(today.number, self._pay_day) - today.number
        if self._cycle == "irregular":
            return 7
        length = 14 if self._cycle == "biweekly" else 7
        return length - (today.number + self._pay_phase) % length

    def _plan_month(self) -> None:
        """Set what is spent freely in a month: by habit, out of the usual pay less what is fixed, never too little.

        A loss of pay changes it slowly, by strain alone: habits outlast the money.
        """
        owed = sum(loan.instalment for loan in self._loans if loan.is_open and loan.purpose != "DAILY_LIFE")
        left = self._income - self._rent - BILLS_CENTS * self._home - owed
        self._budget = self._thrift * max(LEAST_BUDGET * self._income, left)

    # Money in.

    def _earn(self, today: Day) -> None:
        if self._life_event is LifeEvent.JOB_LOSS:
            if today.is_monthly(self._pay_day) and self._honest < 0.6:
                self._receive(round(self._income * 0.22), "BENEFITS")
            return
        factor = self._income_factor
        if self._cycle == "monthly" and today.is_monthly(self._pay_day):
            self._receive(round(self._income * factor * self._dice.spread(0.02)), "SALARY")
        elif self._cycle == "biweekly" and (today.number + self._pay_phase) % 14 == 0:
            self._receive(round(self._income * 12 / 26 * factor * self._dice.spread(0.04)), "SALARY")
        elif self._cycle == "weekly" and (today.number + self._pay_phase) % 7 == 0:
            self._receive(round(self._income * 12 / 52 * factor * self._dice.spread(0.08)), "SALARY")
        elif self._cycle == "irregular" and self._dice.chance(0.16):
            self._receive(round(self._income / 4.9 * factor * self._dice.spread(0.35)), "OTHER")

    def _receive(self, cents: int, category: str) -> None:
        if cents > 0:
            self._balance += cents
            self._move("INCOME", cents, category)
            back = min(self._advanced, cents // 4)
            if back:
                self._advanced -= back
                self._balance -= back
                self._move("TRANSFER_OUT", back, "FEES")

    # Money out.

    def _pay_rent(self, today: Day) -> None:
        if today.is_monthly(self._rent_day) and self._balance >= self._rent:
            self._balance -= self._rent
            self._move("TRANSFER_OUT", self._rent, "HOUSING")

    def _buy(self, category: str, cents: int, loan_id: str | None = None) -> None:
        cents = min(cents, self._balance)
        if cents >= 100:
            self._balance -= cents
            self._move("PURCHASE", cents, category, loan_id)

    def _spend_at_night(self, today: Day) -> None:
        strain = self._strain
        if strain > 0.5 and self._dice.chance(0.12 * strain):
            self._tick(120)
            self._buy(self._dice.pick(("GAMBLING", "DINING", "PAWN")), round(15_000 * self._dice.spread(0.6)))

    def _shop(self, today: Day) -> None:
        strain = self._strain
        willing = today.spending * self._budget / BASKETS_CENTS * (1.0 - 0.4 * strain)
        if self._life_event is LifeEvent.ILLNESS and self._dice.chance(0.25):
            self._buy("HEALTH", round(60_000 * self._severity * self._dice.spread(0.5)))
        away = self._own.is_away(today.number) and strain < 0.4
        for _ in range(self._dice.whole(1, 4)):
            self._tick(100)
            category = self._dice.pick(HARD_TIMES if self._dice.chance(strain * 0.8) else EVERYDAY)
            if away:
                category = "DINING" if category in ("GROCERIES", "DINING") else "TRAVEL"
            self._buy(category, round(USUAL_CENTS[category] * willing * self._dice.spread(0.5)))
        if self._life_event is LifeEvent.OVER_BORROWING and self._dice.chance(0.12):
            self._buy(
                self._dice.pick(("LUXURY", "TRAVEL", "ELECTRONICS")),
                round(self._income * 0.15 * self._dice.spread(0.4)),
            )
        if self._dice.chance(0.03):
            cash = min(self._balance, round(30_000 * self._dice.spread(0.4)))
            if cash > 1_000:
                self._balance -= cash
                self._move("CASH_WITHDRAWAL", cash, "CASH")

    # The house.

    def _keep_house(self, today: Day) -> None:
        if today.is_monthly(self._bill_day):
            self._issue_bills(today)
        strain = self._strain
        for bill in self._bills:
            utility, cents, due, told_overdue = bill
            late = today.number - due
            willing = 0.25 if strain < 0.6 else (0.02 if late < 0 else 0.05 * (1.2 - strain))
            if self._balance > cents * 4 and self._dice.chance(willing):
                self._balance -= cents
                self._move("PURCHASE", cents, "TELECOM" if utility == "TELECOM" else "UTILITIES")
                self._tell_utility(utility, "BILL_PAID", cents, due, None)
                bill[1] = 0
            elif late == 1 and not told_overdue:
                self._tell_utility(utility, "BILL_OVERDUE", cents, due, None)
                bill[3] = True
            elif late == 70 and utility != "TELECOM":
                self._tell_utility(utility, "DISCONNECTION_NOTICE", None, None, None)
        self._bills = [bill for bill in self._bills if bill[1] > 0]

    def _issue_bills(self, today: Day) -> None:
        days_away = sum(self._own.is_away(today.number - back) for back in range(30))
        thrift = (1.0 - 0.35 * self._strain) * (1.0 - 0.8 * days_away / 30)
        for utility, cents, usage in UTILITIES:
            season = {"ELECTRICITY": today.cooling, "GAS": today.heating}.get(utility, 1.0)
            used = usage * self._home * season * thrift * self._dice.spread(0.06)
            if utility != "TELECOM":
                self._tell_utility(utility, "METER_READ", None, None, round(used, 2))
            owed = cents if utility == "TELECOM" else round(cents * used / usage)
            due = today.number + BILL_DAYS
            self._tell_utility(utility, "BILL_ISSUED", owed, due, None)
            self._bills.append([utility, owed, due, False])

    # Loans.

    def _borrow_as_planned(self, today: Day) -> None:
        if today.number in self._planned:
            self._borrow(today, self._dice.pick(tuple(PURPOSES)), self._dice.between(1.0, 4.0))
        elif self._life_event is LifeEvent.OVER_BORROWING and self._dice.chance(0.05):
            self._borrow(today, "DAILY_LIFE", self._dice.between(0.5, 1.5))
        elif self._life_event is LifeEvent.PURPOSE_FRAUD and self._dice.chance(0.06):
            self._borrow(today, self._dice.pick(tuple(PURPOSES)), self._dice.between(1.0, 2.5))
        elif not any(loan.is_open for loan in self._loans) and self._dice.chance(0.004):
            self._borrow(today, self._dice.pick(tuple(PURPOSES)), self._dice.between(1.0, 3.0))

    def _borrow(self, today: Day, purpose: str, months_of_income: float) -> Loan | None:
        active = [loan for loan in self._loans if loan.is_open]
        if len(active) >= MOST_LOANS or any(loan.status == "WRITTEN_OFF" for loan in self._loans):
            return None
        used = {loan.lender for loan in active}
        fresh = [lender for lender in self._plan.lenders if lender not in used] or list(self._plan.lenders)
        terms = self._dice.pick((6, 12, 12, 18, 24, 36))
        principal = round(self._income * months_of_income)
        instalment = round(principal * (1.0 + 0.012 * terms) / terms)
        day_of_month = self._dice.whole(1, 28)
        self._loan_number += 1
        loan = Loan(
            f"{self.id}-{self._loan_number}",
            self._dice.pick(fresh),
            purpose,
            principal,
            instalment,
            terms,
            day_of_month,
            next_monthly(today.number + STATEMENT_DAYS + 3, day_of_month),
        )
        self._loans.append(loan)
        self._tell_loan(loan, "APPLIED", principal, purpose=purpose, status="APPLIED")
        self._tell_loan(loan, "DISBURSED", principal, purpose=purpose, status="ACTIVE")
        self._balance += principal
        self._move("TRANSFER_IN", principal, None, loan.loan_id)
        self._spend_proceeds(loan)
        return loan

    def _spend_proceeds(self, loan: Loan) -> None:
        if self._life_event is LifeEvent.PURPOSE_FRAUD:
            cash = round(loan.principal * 0.6)
            self._balance -= cash
            self._move("CASH_WITHDRAWAL", cash, "CASH", loan.loan_id)
            self._buy("GAMBLING", round(loan.principal * 0.2), loan.loan_id)
        elif loan.purpose in PURPOSES:
            self._buy(PURPOSES[loan.purpose], round(loan.principal * self._dice.between(0.75, 0.98)), loan.loan_id)

    def _serve_loans(self, today: Day) -> None:
        for loan in tuple(self._loans):
            if loan.is_open:
                self._announce(loan, today)
                self._pay(loan, today)
                self._fall_behind(loan, today)
                if not loan.remaining and not loan.unpaid and loan.is_open:
                    loan.status = "SETTLED"
                    self._tell_loan(loan, "SETTLED", status="SETTLED")

    def _announce(self, loan: Loan, today: Day) -> None:
        if loan.remaining and today.number >= loan.next_due - STATEMENT_DAYS:
            loan.unpaid.append(Instalment(loan.next_due, loan.instalment))
            minimum = money(round(loan.instalment * MINIMUM_SHARE)) if loan.is_revolving else None
            self._tell_loan(loan, "INSTALMENT_DUE", loan.instalment, loan.next_due, minimum=minimum)
            loan.remaining -= 1
            loan.next_due = next_monthly(loan.next_due, loan.day_of_month)

    def _pay(self, loan: Loan, today: Day) -> None:
        for instalment in tuple(loan.unpaid):
            ahead = instalment.due - today.number
            if ahead > 3 or (ahead > 0 and not self._dice.chance(0.3)):
                continue
            if ahead < 0 and not self._dice.chance(0.35):
                continue
            spare = self._balance - 30_000
            if ahead == 0 and spare < instalment.rest:
                self._on_truth(ShortfallTruth(self.id, today.date))
                if self._dice.chance(0.12):
                    self._tell_loan(loan, "DEFERRAL_REQUESTED")
            if spare < instalment.rest and -10 < ahead <= 0:
                self._find_money(instalment.rest, today)
                spare = self._balance - 30_000
            if spare >= instalment.rest:
                self._pay_part(loan, instalment, instalment.rest)
            elif ahead == 0 and spare >= instalment.amount * 0.3:
                self._pay_part(loan, instalment, round(instalment.amount * self._dice.between(0.25, 0.3)))
        loan.unpaid = [instalment for instalment in loan.unpaid if instalment.rest > 0]
        if not loan.unpaid:
            loan.missed = False

    def _pay_part(self, loan: Loan, instalment: Instalment, cents: int) -> None:
        self._balance -= cents
        instalment.paid += cents
        self._move("TRANSFER_OUT", cents, "LOAN_REPAYMENT", loan.loan_id)
        self._tell_loan(loan, "PAID", cents, instalment.due)

    def _find_money(self, needed: int, today: Day) -> None:
        """Before an instalment is missed: a cash advance, or a new lender."""
        cents = min(round(self._income * 0.25), needed)
        if self._advanced + cents <= self._income * 0.6 and self._dice.chance(0.4):
            self._advanced += cents
            self._balance += cents
            self._move("CASH_ADVANCE", cents, "CASH")
        elif self._life_event in (LifeEvent.OVER_BORROWING, LifeEvent.JOB_LOSS) and self._dice.chance(0.25):
            self._borrow(today, "DAILY_LIFE", self._dice.between(0.4, 1.0))

    def _fall_behind(self, loan: Loan, today: Day) -> None:
        late = loan.days_past_due(today.number)
        for instalment in loan.unpaid:
            if instalment.due == today.number and loan.is_short(instalment):
                self._on_truth(MissedTruth(self.id, loan.loan_id, today.date))
        if late == 1 and not loan.missed:
            loan.missed = True
            loan.first_missed = min(one.due for one in loan.unpaid if loan.is_short(one))
            if self._dice.chance(0.2):
                self._tell_loan(loan, "DEFERRAL_REQUESTED")
        if late >= DEFAULT_DAYS and not loan.defaulted:
            loan.defaulted = True
            self._on_truth(DefaultTruth(self.id, loan.loan_id, date_of(loan.first_missed), today.date))
        if late == 45 and loan.status == "ACTIVE" and self._dice.chance(0.25):
            self._restructure(loan, today)
        elif late >= WRITE_OFF_DAYS:
            loan.status = "WRITTEN_OFF"
            self._tell_loan(loan, "WRITTEN_OFF", status="WRITTEN_OFF")

    def _restructure(self, loan: Loan, today: Day) -> None:
        """Spread what is owed over twice the time: what was overdue moves into the new plan."""
        owed = loan.outstanding
        loan.status = "RESTRUCTURED"
        self._tell_loan(loan, "RESTRUCTURED", status="RESTRUCTURED")
        loan.unpaid = []
        loan.missed = loan.defaulted = False
        loan.remaining = max(6, 2 * loan.remaining)
        loan.instalment = max(1, owed // loan.remaining)
        loan.next_due = next_monthly(today.number + STATEMENT_DAYS + 3, loan.day_of_month)
