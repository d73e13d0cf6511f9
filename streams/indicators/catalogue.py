"""The twelve indicators in their order: the one list from which code, documents and reason codes are made."""

from loanpulse.streams.indicators import (
    arrears,
    borrow_to_repay,
    debt_concentration,
    debt_service,
    income_trend,
    income_volatility,
    net_cash_flow,
    payment_shortfall,
    savings_coverage,
    spending_stress,
    usage_shock,
    utility_arrears,
)
from loanpulse.streams.indicators.base import Indicator

INDICATORS: tuple[Indicator, ...] = (
    net_cash_flow.INDICATOR,
    savings_coverage.INDICATOR,
    debt_concentration.INDICATOR,
    income_volatility.INDICATOR,
    income_trend.INDICATOR,
    debt_service.INDICATOR,
    arrears.INDICATOR,
    payment_shortfall.INDICATOR,
    borrow_to_repay.INDICATOR,
    utility_arrears.INDICATOR,
    usage_shock.INDICATOR,
    spending_stress.INDICATOR,
)
"""The twelve, in the order of the contract, of every array of twelve in the core, and of the documents."""

NAMES: tuple[str, ...] = tuple(indicator.name for indicator in INDICATORS)
COUNT = len(INDICATORS)
