"""The Avro contracts and their closed lists as Python enums.

The enums are written by hand, so that a reader and a type checker see them; a test holds each equal to the
symbols in the .avsc files. A value is the symbol's ordinal, which is what the columnar codec carries.
"""

from __future__ import annotations

from enum import IntEnum, StrEnum
from functools import cache
from pathlib import Path
from typing import Any

import orjson

Schema = dict[str, Any]
"""A parsed Avro record schema: the JSON of the .avsc file."""

_FOLDER = Path(__file__).resolve().parent


class Contract(StrEnum):
    """The contracts by record name."""

    REPAYMENT_EVENT = "RepaymentEvent"
    SPENDING_EVENT = "SpendingEvent"
    UTILITY_EVENT = "UtilityEvent"
    LIQUIDITY_SNAPSHOT = "LiquiditySnapshot"
    LIQUIDITY_ALERT = "LiquidityAlert"
    ALERT_FEEDBACK = "AlertFeedback"
    SUPPRESSION = "Suppression"
    POLICY_ACTIVATION = "PolicyActivation"
    TRAINING_EXAMPLE = "TrainingExample"
    MODEL_HEALTH = "ModelHealth"
    MODEL_SNAPSHOT = "ModelSnapshot"
    ORDER_APPLICATION = "OrderApplication"


class RepaymentKind(IntEnum):
    """What happened to a loan."""

    APPLIED = 0
    DISBURSED = 1
    INSTALMENT_DUE = 2
    PAID = 3
    DEFERRAL_REQUESTED = 4
    RESTRUCTURED = 5
    SETTLED = 6
    WRITTEN_OFF = 7
    UNKNOWN = 8


class LoanPurpose(IntEnum):
    """What the borrower said the money is for."""

    EDUCATION = 0
    MEDICAL = 1
    RENOVATION = 2
    VEHICLE = 3
    TRAVEL = 4
    DURABLES = 5
    DAILY_LIFE = 6
    BUSINESS = 7
    DEBT_CONSOLIDATION = 8
    OTHER = 9
    UNKNOWN = 10


class LoanStatus(IntEnum):
    """State of a loan."""

    APPLIED = 0
    ACTIVE = 1
    DEFERRED = 2
    RESTRUCTURED = 3
    SETTLED = 4
    WRITTEN_OFF = 5
    UNKNOWN = 6


class SpendingKind(IntEnum):
    """Kind of a movement on an account."""

    PURCHASE = 0
    INCOME = 1
    TRANSFER_IN = 2
    TRANSFER_OUT = 3
    CASH_WITHDRAWAL = 4
    CASH_ADVANCE = 5
    REFUND = 6
    UNKNOWN = 7


class SpendingCategory(IntEnum):
    """What was spent on; the ISO 18245 codes of each are in SpendingEvent.avsc."""

    GROCERIES = 0
    DISCOUNT_STORES = 1
    DINING = 2
    TRANSPORT = 3
    FUEL = 4
    HOUSING = 5
    UTILITIES = 6
    TELECOM = 7
    HEALTH = 8
    EDUCATION = 9
    TRAVEL = 10
    ENTERTAINMENT = 11
    CLOTHING = 12
    ELECTRONICS = 13
    HOME_IMPROVEMENT = 14
    VEHICLE = 15
    LUXURY = 16
    INSURANCE = 17
    GAMBLING = 18
    PAWN = 19
    CASH = 20
    FEES = 21
    LOAN_REPAYMENT = 22
    SALARY = 23
    BENEFITS = 24
    OTHER = 25
    UNKNOWN = 26


class Utility(IntEnum):
    """Which utility."""

    ELECTRICITY = 0
    WATER = 1
    GAS = 2
    TELECOM = 3
    UNKNOWN = 4


class UtilityKind(IntEnum):
    """What a utility reports."""

    BILL_ISSUED = 0
    BILL_PAID = 1
    BILL_OVERDUE = 2
    METER_READ = 3
    DISCONNECTION_NOTICE = 4
    UNKNOWN = 5


class Level(IntEnum):
    """The five levels of liquidity, best first; UNKNOWN before the first scoring."""

    AMPLE = 0
    STABLE = 1
    WATCH = 2
    TENSE = 3
    CRISIS = 4
    UNKNOWN = 5


class ScoringCause(IntEnum):
    """Why a borrower was scored."""

    EVENT = 0
    TIME_PASSED = 1
    UNKNOWN = 2


class AlertKind(IntEnum):
    """A change of level, or one of the twelve behaviours."""

    LEVEL_WORSENED = 0
    LEVEL_IMPROVED = 1
    MULTI_LENDER_SURGE = 2
    BORROW_TO_REPAY = 3
    PURPOSE_DEVIATION = 4
    INCOME_SHOCK = 5
    INCOME_STOPPED = 6
    INSTALMENT_MISSED = 7
    PARTIAL_PAYMENT_STREAK = 8
    UTILITY_LATE_STREAK = 9
    USAGE_COLLAPSE = 10
    CASH_DRAIN = 11
    CASH_ADVANCE_RELIANCE = 12
    DISTRESS_SPENDING = 13
    UNKNOWN = 14


class FeedbackOutcome(IntEnum):
    """The outcome of an alert."""

    CONTACTED = 0
    NOT_REACHED = 1
    PROMISED = 2
    DEFERRED = 3
    RESTRUCTURED = 4
    PAID = 5
    NO_ACTION = 6
    FALSE_ALARM = 7
    UNKNOWN = 8


class SuppressionReason(IntEnum):
    """Why alerts are suppressed."""

    BORROWER_REQUEST = 0
    COMPLAINT = 1
    DISPUTE = 2
    HARDSHIP_ARRANGEMENT = 3
    BEREAVEMENT = 4
    FALSE_ALARM = 5
    LEGAL = 6
    OTHER = 7
    UNKNOWN = 8


class ModelRole(IntEnum):
    """Role of a model."""

    CHAMPION = 0
    CHALLENGER = 1
    UNKNOWN = 2


class ModelStatus(IntEnum):
    """What is done with a version of a model."""

    IN_FORCE = 0
    CANDIDATE = 1
    REFUSED = 2
    RETIRED = 3
    UNKNOWN = 4


class LoanProduct(IntEnum):
    """Kind of loan product."""

    CONSUMER_LOAN = 0
    CASH_LOAN = 1
    CREDIT_CARD = 2
    INSTALMENT_PURCHASE = 3
    AUTO_LOAN = 4
    MORTGAGE = 5
    MICRO_LOAN = 6
    BUSINESS_LOAN = 7
    OTHER = 8
    UNKNOWN = 9


class HelpKind(IntEnum):
    """How a lender can help."""

    DEFERRAL = 0
    INSTALMENT_CUT = 1
    NONE_SUFFICES = 2
    UNKNOWN = 3


class AlertDisposition(IntEnum):
    """What becomes of an alert."""

    SENT = 0
    DEFERRED = 1
    SUPPRESSED = 2
    HOLD_OUT = 3
    UNKNOWN = 4


class ExampleOutcome(IntEnum):
    """What became of a snapshot that was a prediction."""

    CURRENT = 0
    DEFAULTED = 1
    CENSORED = 2
    UNKNOWN = 3


ENUMS: tuple[type[IntEnum], ...] = (
    LoanProduct,
    HelpKind,
    AlertDisposition,
    ExampleOutcome,
    RepaymentKind,
    LoanPurpose,
    LoanStatus,
    SpendingKind,
    SpendingCategory,
    Utility,
    UtilityKind,
    Level,
    ScoringCause,
    AlertKind,
    FeedbackOutcome,
    SuppressionReason,
    ModelRole,
    ModelStatus,
)

INDICATORS: tuple[str, ...] = (
    "net_cash_flow",
    "savings_coverage",
    "debt_concentration",
    "income_volatility",
    "income_trend",
    "debt_service",
    "arrears",
    "payment_shortfall",
    "borrow_to_repay",
    "utility_arrears",
    "usage_shock",
    "spending_stress",
)
"""The twelve indicators in the order of the snapshot's fields."""


def path(name: str) -> Path:
    """Where the contract `name` (such as "RepaymentEvent") lies as an .avsc file."""
    return _FOLDER / "contracts" / f"{Contract(name).value}.avsc"


@cache
def load(name: str) -> Schema:
    """The contract `name` as parsed JSON. The result is shared: treat it as read-only."""
    schema: Schema = orjson.loads(path(name).read_bytes())
    return schema


@cache
def history() -> dict[str, tuple[Schema, ...]]:
    """Every committed version of every subject, oldest first."""
    versions: dict[str, tuple[Schema, ...]] = {}
    for folder in sorted((_FOLDER / "history").iterdir()):
        files = sorted(folder.glob("v*.avsc"), key=lambda file: int(file.stem[1:]))
        versions[folder.name] = tuple(orjson.loads(file.read_bytes()) for file in files)
    return versions
