"""Which lenders an alert is relevant to: one lender's loan is no reason for another to call."""

import numpy as np

from loanpulse.schemas.contracts import AlertKind
from loanpulse.streams.behaviours.repayment import paid_in_part
from loanpulse.streams.record import debt
from loanpulse.streams.record.ids import Lender
from loanpulse.streams.record.layout import INSTALMENTS, LOANS, Record
from loanpulse.streams.record.loan_purpose import loan_uses


def is_of(record: Record, loan: int, lender: Lender) -> bool:
    """Tell whether the loan in slot ``loan`` (-1 for none) is one of ``lender``."""
    return loan >= 0 and record["loan_key"][loan] != 0 and np.array_equal(record["loan_lender"][loan], lender)


def is_relevant_to_lender(record: Record, kind: AlertKind, lender: Lender, missed_loans: int) -> bool:
    """Tell whether an alert of ``kind`` is about ``lender``'s own loans, or about the borrower.

    ``missed_loans`` has a bit set for each loan with a missed instalment that the scoring counts.
    """
    if kind is AlertKind.INSTALMENT_MISSED:
        return any(missed_loans >> loan & 1 and is_of(record, loan, lender) for loan in range(LOANS))
    if kind is AlertKind.PARTIAL_PAYMENT_STREAK:
        return any(
            is_of(record, debt.loan_of(record, slot), lender) and paid_in_part(record, slot)
            for slot in range(INSTALMENTS)
        )
    if kind is AlertKind.PURPOSE_DEVIATION:
        return any(is_of(record, loan, lender) and loan_uses(record, loan)[1] > 0.0 for loan in range(LOANS))
    return True
