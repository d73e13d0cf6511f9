"""The purpose of a loan: what its proceeds were spent on, against what the borrower said they were for."""

import math

from loanpulse.schemas.compiled import compiled
from loanpulse.schemas.contracts import LoanPurpose, SpendingCategory
from loanpulse.streams.record.codes import CASH_WITHDRAWAL, PURCHASE, PURPOSE_UNKNOWN, TRANSFER_OUT
from loanpulse.streams.record.layout import LOANS, TRACED, Record

Category = SpendingCategory
(
    USE_EDUCATION,
    USE_HEALTH,
    USE_HOME,
    USE_VEHICLE,
    USE_TRAVEL,
    USE_GOODS,
    USE_EVERYDAY,
    USE_REPAYMENT,
    USE_CASH,
    OTHER_USE,
) = range(10)
"""Classes of use. USE_CASH is what leaves no trace of its use, or none that a lender finances: cash, gambling, pawn."""

CLASS_OF_CATEGORY: dict[SpendingCategory, int] = {
    Category.EDUCATION: USE_EDUCATION,
    Category.HEALTH: USE_HEALTH,
    Category.INSURANCE: USE_HEALTH,
    Category.HOME_IMPROVEMENT: USE_HOME,
    Category.HOUSING: USE_HOME,
    Category.VEHICLE: USE_VEHICLE,
    Category.FUEL: USE_VEHICLE,
    Category.TRAVEL: USE_TRAVEL,
    Category.TRANSPORT: USE_TRAVEL,
    Category.ELECTRONICS: USE_GOODS,
    Category.GROCERIES: USE_EVERYDAY,
    Category.DISCOUNT_STORES: USE_EVERYDAY,
    Category.DINING: USE_EVERYDAY,
    Category.UTILITIES: USE_EVERYDAY,
    Category.TELECOM: USE_EVERYDAY,
    Category.CLOTHING: USE_EVERYDAY,
    Category.LOAN_REPAYMENT: USE_REPAYMENT,
    Category.CASH: USE_CASH,
    Category.GAMBLING: USE_CASH,
    Category.PAWN: USE_CASH,
}
"""The class of each category; those not named (luxury, entertainment, fees, …) are OTHER_USE."""

EVERYDAY_USES = (USE_EDUCATION, USE_HEALTH, USE_HOME, USE_VEHICLE, USE_TRAVEL, USE_GOODS, USE_EVERYDAY)
USES: dict[LoanPurpose, tuple[int, ...]] = {
    LoanPurpose.EDUCATION: (USE_EDUCATION,),
    LoanPurpose.MEDICAL: (USE_HEALTH,),
    LoanPurpose.RENOVATION: (USE_HOME, USE_GOODS),
    LoanPurpose.VEHICLE: (USE_VEHICLE,),
    LoanPurpose.TRAVEL: (USE_TRAVEL,),
    LoanPurpose.DURABLES: (USE_GOODS, USE_HOME),
    LoanPurpose.DAILY_LIFE: EVERYDAY_USES,
    LoanPurpose.BUSINESS: (*EVERYDAY_USES, OTHER_USE),
    LoanPurpose.DEBT_CONSOLIDATION: (USE_REPAYMENT,),
    LoanPurpose.OTHER: (*EVERYDAY_USES, OTHER_USE),
}
"""The classes of use that keep a declared purpose. A business buys anything, so that only cash deviates from it."""

_CLASSES = tuple(CLASS_OF_CATEGORY.get(category, OTHER_USE) for category in SpendingCategory)
_KEPT = tuple(sum(1 << use for use in USES.get(purpose, ())) for purpose in LoanPurpose)


@compiled
def use_of(kind: int, category: int) -> int:
    """Return the class of use of a movement of proceeds; -1 where the movement spends nothing.

    Examples:
        >>> use_of(CASH_WITHDRAWAL, -1) == USE_CASH
        True
        >>> use_of(PURCHASE, int(SpendingCategory.FUEL)) == USE_VEHICLE
        True
    """
    if kind == CASH_WITHDRAWAL:
        return USE_CASH
    if kind not in (PURCHASE, TRANSFER_OUT):
        return -1
    return _CLASSES[category] if category >= 0 else OTHER_USE


@compiled
def keeps_purpose(purpose: int, use: int) -> bool:
    """Tell whether a class of use keeps the declared purpose.

    Examples:
        >>> keeps_purpose(int(LoanPurpose.MEDICAL), USE_HEALTH), keeps_purpose(int(LoanPurpose.MEDICAL), USE_GOODS)
        (True, False)
    """
    return (_KEPT[purpose] >> int(use)) & 1 == 1


@compiled
def loan_uses(record: Record, loan: int) -> tuple[float, float]:
    """Return what of a loan's proceeds was spent on its declared purpose, and otherwise (currency).

    Paying instalments is a use of proceeds only for a loan meant to consolidate debt.
    """
    on_purpose = 0.0
    off_purpose = 0.0
    for slot in range(TRACED):
        if record["traced_loan"][slot] == 0 or record["traced_loan"][slot] != record["loan_reference"][loan]:
            continue
        amount = max(0.0, record["traced_amount"][slot])
        if keeps_purpose(record["loan_purpose"][loan], record["traced_class"][slot]):
            on_purpose += amount
        elif record["traced_class"][slot] != USE_REPAYMENT:
            off_purpose += amount
    return on_purpose, off_purpose


@compiled
def purpose_shares(record: Record) -> tuple[float, float]:
    """Return the shares of loans' proceeds spent on their declared purpose and off it; NaN where none was traced."""
    proceeds = 0.0
    kept = 0.0
    strayed = 0.0
    for loan in range(LOANS):
        if record["loan_key"][loan] == 0 or not 0 <= record["loan_purpose"][loan] < PURPOSE_UNKNOWN:
            continue
        on_purpose, off_purpose = loan_uses(record, loan)
        if on_purpose + off_purpose <= 0.0:
            continue
        proceeds += max(record["loan_disbursed"][loan], on_purpose + off_purpose)
        kept += on_purpose
        strayed += off_purpose
    if proceeds <= 0.0:
        return math.nan, math.nan
    return kept / proceeds, strayed / proceeds
