"""The contracts' enums as plain integers, by which compiled functions compare: events and records hold these numbers.

Each name stands for one member of one enum of ``schemas.contracts``; whoever needs another adds it here.
"""

from loanpulse.schemas.contracts import (
    Level,
    LoanPurpose,
    LoanStatus,
    RepaymentKind,
    ScoringCause,
    SpendingCategory,
    SpendingKind,
    UtilityKind,
)

# RepaymentKind
LOAN_APPLIED = int(RepaymentKind.APPLIED)
LOAN_DISBURSED = int(RepaymentKind.DISBURSED)
INSTALMENT_DUE = int(RepaymentKind.INSTALMENT_DUE)
INSTALMENT_PAID = int(RepaymentKind.PAID)
DEFERRAL_REQUESTED = int(RepaymentKind.DEFERRAL_REQUESTED)
LOAN_RESTRUCTURED = int(RepaymentKind.RESTRUCTURED)
LOAN_SETTLED = int(RepaymentKind.SETTLED)
LOAN_WRITTEN_OFF = int(RepaymentKind.WRITTEN_OFF)

# LoanStatus, and -1 in a record where no status is known
STATUS_NONE = -1
STATUS_APPLIED = int(LoanStatus.APPLIED)
STATUS_ACTIVE = int(LoanStatus.ACTIVE)
STATUS_DEFERRED = int(LoanStatus.DEFERRED)
STATUS_RESTRUCTURED = int(LoanStatus.RESTRUCTURED)
STATUS_SETTLED = int(LoanStatus.SETTLED)
STATUS_WRITTEN_OFF = int(LoanStatus.WRITTEN_OFF)
STATUS_UNKNOWN = int(LoanStatus.UNKNOWN)

# LoanPurpose
PURPOSE_UNKNOWN = int(LoanPurpose.UNKNOWN)

# SpendingKind
PURCHASE = int(SpendingKind.PURCHASE)
EARNED = int(SpendingKind.INCOME)
TRANSFER_IN = int(SpendingKind.TRANSFER_IN)
TRANSFER_OUT = int(SpendingKind.TRANSFER_OUT)
CASH_WITHDRAWAL = int(SpendingKind.CASH_WITHDRAWAL)
CASH_ADVANCE = int(SpendingKind.CASH_ADVANCE)
REFUND = int(SpendingKind.REFUND)

# SpendingCategory
CATEGORY_BENEFITS = int(SpendingCategory.BENEFITS)
CATEGORY_LOAN_REPAYMENT = int(SpendingCategory.LOAN_REPAYMENT)
CATEGORY_OTHER = int(SpendingCategory.OTHER)

# UtilityKind
BILL_ISSUED = int(UtilityKind.BILL_ISSUED)
BILL_PAID = int(UtilityKind.BILL_PAID)
BILL_OVERDUE = int(UtilityKind.BILL_OVERDUE)
METER_READ = int(UtilityKind.METER_READ)
DISCONNECTION_NOTICE = int(UtilityKind.DISCONNECTION_NOTICE)

# Level, best first
AMPLE = int(Level.AMPLE)
STABLE = int(Level.STABLE)
WATCH = int(Level.WATCH)
TENSE = int(Level.TENSE)
CRISIS = int(Level.CRISIS)
LEVEL_UNKNOWN = int(Level.UNKNOWN)

# ScoringCause
EVENT_CAME = int(ScoringCause.EVENT)
TIME_PASSED = int(ScoringCause.TIME_PASSED)
