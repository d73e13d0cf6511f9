"""The delayed-label ledger: predictions that wait for what becomes of them.

A prediction is a snapshot of a borrower who is not yet 30 days past due. Its outcome at a horizon is whether an
instalment went 30 days past due in between. It matures at a fixed moment, the horizon's end and the time that late
events may take, whatever the outcome: were defaults told as soon as they come, every young cohort would look bad.
"""

import hashlib
import heapq
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

from loanpulse.schemas.contracts import ExampleOutcome

DAY_MS = 86_400_000
DEFAULT_DAYS = 30
"""Days past due from which an instalment counts as in default; the first day after the due date is day 1."""
CENT = 0.005
IDS_REMEMBERED = 64
KEPT_DAYS = 150
"""How long an instalment is kept after its due date: longer than any horizon and its default."""

Instalment = tuple[str, str, int]
"""Lender, loan, and due date in days since 1970."""


@dataclass(frozen=True, slots=True)
class Prediction:
    """A snapshot as it was: when it was scored and known (ms), by which model, and what it said and saw.

    ``readings`` are value, utility, evidence, points and age in days of each of the twelve indicators.
    """

    snapshot_id: str
    borrower_id: str
    time: int
    known_at: int
    lhi: float
    pd: float
    level: str
    model_version: str
    lenders: tuple[str, ...]
    days_past_due: int
    open_loans: int
    readings: tuple[tuple[float, float, float, float, float], ...]


@dataclass(frozen=True, slots=True)
class Matured:
    """A prediction with its outcome: ``defaulted_at`` (ms) if it did, known at ``matured_time`` (ms)."""

    example_id: str
    prediction: Prediction
    horizon_days: int
    matured_time: int
    outcome: ExampleOutcome
    lender: str | None
    defaulted_at: int | None = None


@dataclass(frozen=True, slots=True)
class Repayment:
    """What the ledger reads of a repayment event; ``due_day`` is None where the event names no instalment."""

    event_id: str
    borrower_id: str
    time: int
    lender: str
    loan: str
    kind: str
    amount: float
    due_day: int | None


@dataclass(frozen=True, slots=True)
class LabelOptions:
    """Horizons in days, one prediction a borrower in ``sample_ms``, and how late an event may come (ms)."""

    horizons: tuple[int, ...] = (30, 60, 90)
    sample_ms: int = 7 * DAY_MS
    lateness_ms: int = 7 * DAY_MS


class LeakError(ValueError):
    """A snapshot claims to have been known before the moment that it describes, or is newer than its outcome."""


@dataclass(slots=True)
class _Borrower:
    due: dict[Instalment, float] = field(default_factory=dict)
    payments: dict[Instalment, list[tuple[int, float]]] = field(default_factory=dict)
    # By loan, the earliest times: of its first event, of its end or restructuring, of its settlement.
    loans: dict[tuple[str, str], int] = field(default_factory=dict)
    closed: dict[tuple[str, str], int] = field(default_factory=dict)
    settled: dict[tuple[str, str], int] = field(default_factory=dict)
    defaults: list[tuple[int, str]] = field(default_factory=list)
    heard: list[int] = field(default_factory=list)
    ids: deque[str] = field(default_factory=lambda: deque(maxlen=IDS_REMEMBERED))
    sampled: int = -1


@dataclass(slots=True)
class LabelQueue:
    """One partition's ledger. What it gives depends on the records and on how far time has been carried only."""

    options: LabelOptions = LabelOptions()
    advanced_to: int = -1
    _borrowers: dict[str, _Borrower] = field(default_factory=dict)
    _checks: list[tuple[int, str, Instalment]] = field(default_factory=list)
    _waiting: list[tuple[int, str, int, Prediction]] = field(default_factory=list)

    @property
    def waiting(self) -> int:
        """Predictions that wait, once for each horizon."""
        return len(self._waiting)

    def add_snapshot(self, prediction: Prediction) -> None:
        """Take a snapshot; it waits for its outcome if it is a prediction and the first of its borrower's interval.

        A restated one is none: it knows what its moment did not.

        Raises:
            LeakError: the snapshot says that it was known before the moment that it describes.
        """
        if prediction.known_at < prediction.time:
            raise LeakError("a snapshot's features were known before the moment that they describe")
        if prediction.known_at > prediction.time:
            return
        borrower = self._borrowers.setdefault(prediction.borrower_id, _Borrower())
        _note(borrower.heard, prediction.time)
        bucket = prediction.time // self.options.sample_ms
        predicts = prediction.days_past_due < DEFAULT_DAYS and prediction.open_loans > 0
        if not predicts or bucket <= borrower.sampled:
            return
        borrower.sampled = bucket
        for horizon in self.options.horizons:
            matures = prediction.time + horizon * DAY_MS + self.options.lateness_ms
            heapq.heappush(self._waiting, (matures, prediction.snapshot_id, horizon, prediction))

    def add_repayment(self, event: Repayment) -> None:
        """Take a repayment event; one seen before changes nothing."""
        borrower = self._borrowers.setdefault(event.borrower_id, _Borrower())
        if event.event_id in borrower.ids:
            return
        borrower.ids.append(event.event_id)
        _note(borrower.heard, event.time)
        loan = (event.lender, event.loan)
        _keep_earliest(borrower.loans, loan, event.time)
        if event.kind in ("SETTLED", "WRITTEN_OFF", "RESTRUCTURED"):
            _keep_earliest(borrower.closed, loan, event.time)
        if event.kind == "SETTLED":
            _keep_earliest(borrower.settled, loan, event.time)
        elif event.kind == "WRITTEN_OFF":
            borrower.defaults.append((event.time, event.lender))
        if event.due_day is None:
            return
        instalment = (event.lender, event.loan, event.due_day)
        if event.kind == "INSTALMENT_DUE":
            if instalment not in borrower.due:
                # The day after the due date is day 1, so day 30 begins 29 days later.
                moment = (event.due_day + DEFAULT_DAYS) * DAY_MS
                heapq.heappush(
                    self._checks, (moment + self.options.lateness_ms, event.borrower_id, instalment)
                )  # fmt: skip
            borrower.due[instalment] = max(borrower.due.get(instalment, 0.0), event.amount)
        elif event.kind == "PAID":
            borrower.payments.setdefault(instalment, []).append((event.time, event.amount))

    def advance(self, time: int) -> Iterator[Matured]:
        """Yield what matures up to ``time`` (ms), in the order of maturity."""
        while self._waiting and self._waiting[0][0] <= time:
            matures, _, horizon, prediction = heapq.heappop(self._waiting)
            self._check_defaults(matures)
            yield self._matured(matures, horizon, prediction)
        self._check_defaults(time)
        self.advanced_to = max(self.advanced_to, time)

    def _check_defaults(self, time: int) -> None:
        while self._checks and self._checks[0][0] <= time:
            checked, borrower_id, instalment = heapq.heappop(self._checks)
            borrower = self._borrowers[borrower_id]
            moment = checked - self.options.lateness_ms
            paid = sum(amount for at, amount in borrower.payments.get(instalment, ()) if at <= moment)
            closed = borrower.closed.get(instalment[:2])
            if borrower.due.get(instalment, 0.0) - paid > CENT and (closed is None or closed > moment):
                borrower.defaults.append((moment, instalment[0]))
            self._forget(borrower, moment)

    def _forget(self, borrower: _Borrower, moment: int) -> None:
        oldest = moment // DAY_MS - KEPT_DAYS
        for instalment in [one for one in borrower.due if one[2] < oldest]:
            del borrower.due[instalment]
            borrower.payments.pop(instalment, None)
        borrower.defaults = [one for one in borrower.defaults if one[0] >= oldest * DAY_MS]
        borrower.heard = [one for one in borrower.heard if one >= oldest * DAY_MS]

    def _matured(self, matures: int, horizon: int, prediction: Prediction) -> Matured:
        borrower = self._borrowers[prediction.borrower_id]
        end = prediction.time + horizon * DAY_MS
        lender: str | None
        within = sorted(one for one in borrower.defaults if prediction.time < one[0] <= end)
        if within:
            outcome, lender = ExampleOutcome.DEFAULTED, within[0][1]
        else:
            known = self._known(borrower, prediction, end)
            outcome = ExampleOutcome.CURRENT if known else ExampleOutcome.CENSORED
            lender = prediction.lenders[0] if len(prediction.lenders) == 1 else None
        return Matured(
            example_id(prediction.snapshot_id, horizon),
            prediction,
            horizon,
            matures,
            outcome,
            lender,
            within[0][0] if within else None,
        )

    def _known(self, borrower: _Borrower, prediction: Prediction, end: int) -> bool:
        """Tell whether a borrower who did not default was there to be seen until the horizon's end."""
        heard = any(prediction.time < at <= end for at in borrower.heard)
        loans = [loan for loan, opened in borrower.loans.items() if opened <= end]
        left = bool(loans) and all(borrower.settled.get(loan, end + 1) <= end for loan in loans)
        return heard and not left


def example_id(snapshot_id: str, horizon_days: int) -> str:
    """Return the deterministic id of an example: 32 hexadecimal digits."""
    return hashlib.blake2b(f"{snapshot_id}|{horizon_days}".encode(), digest_size=16).hexdigest()


def _keep_earliest(times: dict[tuple[str, str], int], loan: tuple[str, str], time: int) -> None:
    times[loan] = min(time, times.get(loan, time))


def _note(heard: list[int], time: int) -> None:
    """Keep one time a day at most: enough to know that the borrower was there."""
    if not heard or time // DAY_MS != heard[-1] // DAY_MS:
        heard.append(time)
