"""Delayed labels: predictions that wait for their outcome.

A prediction is a snapshot of a borrower who is not yet 30 days past due. Its outcome at a horizon is whether an
instalment went 30 days past due in between. It matures at a fixed time, the end of the horizon plus the allowed
lateness, whatever the outcome: if defaults were emitted as soon as they are known, young cohorts would look bad.
"""

import hashlib
import heapq
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

from loanpulse.schemas.contracts import ExampleOutcome
from loanpulse.schemas.delinquency import DEFAULT_DAYS
from loanpulse.schemas.units import DAY_MS

CENT = 0.005
IDS_REMEMBERED = 64
KEPT_DAYS = 150
"""Days for which an instalment is kept after its due date: longer than any horizon plus 30 days past due."""

Instalment = tuple[str, str, int]
"""Lender, loan, and due date in days since 1970."""


@dataclass(frozen=True, slots=True)
class Prediction:
    """A snapshot: when it was scored and known (ms), by which model, its scores and its inputs.

    ``model_inputs`` are value, utility, evidence, points and age in days of each of the twelve indicators.
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
    model_inputs: tuple[tuple[float, float, float, float, float], ...]


@dataclass(frozen=True, slots=True)
class Matured:
    """A prediction with its outcome, known at ``matured_time`` (ms); ``defaulted_at`` (ms) of a default."""

    example_id: str
    prediction: Prediction
    horizon_days: int
    matured_time: int
    outcome: ExampleOutcome
    lender: str | None
    defaulted_at: int | None = None


@dataclass(frozen=True, slots=True)
class Repayment:
    """The fields of a repayment event that labels need; ``due_day`` is None where the event names no instalment."""

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
    """A snapshot claims to have been known before its own event time."""


@dataclass(slots=True)
class _Borrower:
    due: dict[Instalment, float] = field(default_factory=dict)
    payments: dict[Instalment, list[tuple[int, float]]] = field(default_factory=dict)
    # By loan, the earliest times: of its first event, of its end or restructuring, of its settlement.
    loans: dict[tuple[str, str], int] = field(default_factory=dict)
    closed: dict[tuple[str, str], int] = field(default_factory=dict)
    settled: dict[tuple[str, str], int] = field(default_factory=dict)
    defaults: list[tuple[int, str]] = field(default_factory=list)
    seen_at: list[int] = field(default_factory=list)
    ids: deque[str] = field(default_factory=lambda: deque(maxlen=IDS_REMEMBERED))
    sampled: int = -1


@dataclass(slots=True)
class LabelQueue:
    """One partition's predictions. Its examples depend only on the records and on the event time reached.

    ``advanced_to`` is that time (ms).
    """

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
        """Add a snapshot; it waits for its outcome if it is a prediction and the first of its borrower's interval.

        A restated snapshot is no prediction: it was made with events that arrived later.

        Raises:
            LeakError: the snapshot claims to have been known before its own event time.
        """
        if prediction.known_at < prediction.time:
            raise LeakError("a snapshot's features were known before its event time")
        if prediction.known_at > prediction.time:
            return
        borrower = self._borrowers.setdefault(prediction.borrower_id, _Borrower())
        _note_seen(borrower.seen_at, prediction.time)
        bucket = prediction.time // self.options.sample_ms
        predicts = prediction.days_past_due < DEFAULT_DAYS and prediction.open_loans > 0
        if not predicts or bucket <= borrower.sampled:
            return
        borrower.sampled = bucket
        for horizon in self.options.horizons:
            matured_time = prediction.time + horizon * DAY_MS + self.options.lateness_ms
            heapq.heappush(self._waiting, (matured_time, prediction.snapshot_id, horizon, prediction))

    def add_repayment(self, event: Repayment) -> None:
        """Add a repayment event; one seen before changes nothing."""
        borrower = self._borrowers.setdefault(event.borrower_id, _Borrower())
        if event.event_id in borrower.ids:
            return
        borrower.ids.append(event.event_id)
        _note_seen(borrower.seen_at, event.time)
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
                check_at = (event.due_day + DEFAULT_DAYS) * DAY_MS + self.options.lateness_ms
                heapq.heappush(self._checks, (check_at, event.borrower_id, instalment))
            borrower.due[instalment] = max(borrower.due.get(instalment, 0.0), event.amount)
        elif event.kind == "PAID":
            borrower.payments.setdefault(instalment, []).append((event.time, event.amount))

    def advance(self, time_ms: int) -> Iterator[Matured]:
        """Yield the examples that mature up to ``time_ms``, in the order of maturity."""
        while self._waiting and self._waiting[0][0] <= time_ms:
            matured_time, _, horizon_days, prediction = heapq.heappop(self._waiting)
            self._check_defaults(matured_time)
            yield self._matured(matured_time, horizon_days, prediction)
        self._check_defaults(time_ms)
        self.advanced_to = max(self.advanced_to, time_ms)

    def _check_defaults(self, time_ms: int) -> None:
        """Note which instalments were unpaid 30 days past due, each once late payments of it can arrive no more."""
        while self._checks and self._checks[0][0] <= time_ms:
            check_at, borrower_id, instalment = heapq.heappop(self._checks)
            borrower = self._borrowers[borrower_id]
            default_ms = check_at - self.options.lateness_ms
            paid = sum(amount for at, amount in borrower.payments.get(instalment, ()) if at <= default_ms)
            closed = borrower.closed.get(instalment[:2])
            if borrower.due.get(instalment, 0.0) - paid > CENT and (closed is None or closed > default_ms):
                borrower.defaults.append((default_ms, instalment[0]))
            self._drop_old(borrower, default_ms)

    def _drop_old(self, borrower: _Borrower, time_ms: int) -> None:
        oldest_day = time_ms // DAY_MS - KEPT_DAYS
        for instalment in [key for key in borrower.due if key[2] < oldest_day]:
            del borrower.due[instalment]
            borrower.payments.pop(instalment, None)
        borrower.defaults = [default for default in borrower.defaults if default[0] >= oldest_day * DAY_MS]
        borrower.seen_at = [at for at in borrower.seen_at if at >= oldest_day * DAY_MS]

    def _matured(self, matured_time: int, horizon_days: int, prediction: Prediction) -> Matured:
        borrower = self._borrowers[prediction.borrower_id]
        end_ms = prediction.time + horizon_days * DAY_MS
        lender: str | None
        within = sorted(default for default in borrower.defaults if prediction.time < default[0] <= end_ms)
        if within:
            outcome, lender = ExampleOutcome.DEFAULTED, within[0][1]
        else:
            observed = self._is_observed(borrower, prediction, end_ms)
            outcome = ExampleOutcome.CURRENT if observed else ExampleOutcome.CENSORED
            lender = prediction.lenders[0] if len(prediction.lenders) == 1 else None
        return Matured(
            example_id(prediction.snapshot_id, horizon_days),
            prediction,
            horizon_days,
            matured_time,
            outcome,
            lender,
            within[0][0] if within else None,
        )

    def _is_observed(self, borrower: _Borrower, prediction: Prediction, end_ms: int) -> bool:
        """Tell whether a borrower who did not default was observed with an open loan up to the end of the horizon."""
        seen = any(prediction.time < at <= end_ms for at in borrower.seen_at)
        loans = [loan for loan, opened in borrower.loans.items() if opened <= end_ms]
        left = bool(loans) and all(borrower.settled.get(loan, end_ms + 1) <= end_ms for loan in loans)
        return seen and not left


def example_id(snapshot_id: str, horizon_days: int) -> str:
    """Return the deterministic id of an example: 32 hexadecimal digits."""
    return hashlib.blake2b(f"{snapshot_id}|{horizon_days}".encode(), digest_size=16).hexdigest()


def _keep_earliest(times: dict[tuple[str, str], int], loan: tuple[str, str], time_ms: int) -> None:
    times[loan] = min(time_ms, times.get(loan, time_ms))


def _note_seen(seen_at: list[int], time_ms: int) -> None:
    """Keep at most one time a day: enough to tell that the borrower was observed."""
    if not seen_at or time_ms // DAY_MS != seen_at[-1] // DAY_MS:
        seen_at.append(time_ms)
