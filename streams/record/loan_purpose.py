"""What a loan's proceeds were spent on, against what the borrower said they were for."""

from loanpulse.schemas.compiled import compiled
from loanpulse.schemas.contracts import LoanPurpose, SpendingCategory, SpendingKind

Category = SpendingCategory
EDUCATION, HEALTH, HOME, VEHICLE, TRAVEL, GOODS, EVERYDAY, REPAYMENT, CASH, OTHER_USE = range(10)
"""Classes of use. CASH is what leaves no trace of its use, or none that a lender finances: cash, gambling, pawn."""

CLASS_OF_CATEGORY: dict[SpendingCategory, int] = {
    Category.EDUCATION: EDUCATION,
    Category.HEALTH: HEALTH,
    Category.INSURANCE: HEALTH,
    Category.HOME_IMPROVEMENT: HOME,
    Category.HOUSING: HOME,
    Category.VEHICLE: VEHICLE,
    Category.FUEL: VEHICLE,
    Category.TRAVEL: TRAVEL,
    Category.TRANSPORT: TRAVEL,
    Category.ELECTRONICS: GOODS,
    Category.GROCERIES: EVERYDAY,
    Category.DISCOUNT_STORES: EVERYDAY,
    Category.DINING: EVERYDAY,
    Category.UTILITIES: EVERYDAY,
    Category.TELECOM: EVERYDAY,
    Category.CLOTHING: EVERYDAY,
    Category.LOAN_REPAYMENT: REPAYMENT,
    Category.CASH: CASH,
    Category.GAMBLING: CASH,
    Category.PAWN: CASH,
}
"""The class of each category; those not named (luxury, entertainment, fees, …) are OTHER_USE."""

USES: dict[LoanPurpose, tuple[int, ...]] = {
    LoanPurpose.EDUCATION: (EDUCATION,),
    LoanPurpose.MEDICAL: (HEALTH,),
    LoanPurpose.RENOVATION: (HOME, GOODS),
    LoanPurpose.VEHICLE: (VEHICLE,),
    LoanPurpose.TRAVEL: (TRAVEL,),
    LoanPurpose.DURABLES: (GOODS, HOME),
    LoanPurpose.DAILY_LIFE: (EDUCATION, HEALTH, HOME, VEHICLE, TRAVEL, GOODS, EVERYDAY),
    LoanPurpose.BUSINESS: (EDUCATION, HEALTH, HOME, VEHICLE, TRAVEL, GOODS, EVERYDAY, OTHER_USE),
    LoanPurpose.DEBT_CONSOLIDATION: (REPAYMENT,),
    LoanPurpose.OTHER: (EDUCATION, HEALTH, HOME, VEHICLE, TRAVEL, GOODS, EVERYDAY, OTHER_USE),
}
"""The classes of use that keep a declared purpose. A business buys anything, so that only cash deviates from it."""

_CLASSES = tuple(CLASS_OF_CATEGORY.get(category, OTHER_USE) for category in SpendingCategory)
_KEPT = tuple(sum(1 << use for use in USES.get(purpose, ())) for purpose in LoanPurpose)
CASH_WITHDRAWAL, PURCHASE, TRANSFER_OUT = (
    int(SpendingKind.CASH_WITHDRAWAL),
    int(SpendingKind.PURCHASE),
    int(SpendingKind.TRANSFER_OUT),
)


@compiled
def use_of(kind: int, category: int) -> int:
    """Return the class of use of a movement of proceeds; -1 where the movement spends nothing."""
    if kind == CASH_WITHDRAWAL:
        return CASH
    if kind not in (PURCHASE, TRANSFER_OUT):
        return -1
    return _CLASSES[category] if category >= 0 else OTHER_USE


@compiled
def keeps_purpose(purpose: int, use: int) -> bool:
    """Tell whether a class of use keeps the declared purpose."""
    return (_KEPT[purpose] >> int(use)) & 1 == 1
