"""What each indicator means: the one list from which code, documents and reason codes are made."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Indicator:
    """One input of the index.

    ``healthy`` and ``unhealthy`` are the published anchors of its utility: 1 at ``healthy``, 0 at ``unhealthy``,
    linear between, in the indicator's own ``unit``. ``weight`` is what the expert scorecard gives it, in units of
    log-odds between the two anchors.
    """

    name: str
    meaning: str
    unit: str
    healthy: float
    unhealthy: float
    weight: float
    evidence: str
    source: str
    reason_en: str
    reason_zh: str


INDICATORS: tuple[Indicator, ...] = (
    Indicator(
        "net_cash_flow", "(inflow - outflow) / inflow, 30-day decayed rates", "share of inflow", 0.15, -0.5, 1.4,
        "account movements seen, halved for every 30 days of silence", "report: named by the LHI",
        "More goes out than comes in", "支出超过收入",
    ),
    Indicator(
        "savings_coverage", "balance / monthly essential outflow", "months", 3.0, 0.0, 1.4,
        "age of the last reported balance and of the account", "report: named by the LHI (应急储蓄覆盖率)",
        "Savings cover few months of essentials", "应急储蓄不足以覆盖基本支出",
    ),
    Indicator(
        "debt_concentration", "lenders with an open loan, plus lenders new within 30 days", "lenders", 1.0, 5.0, 1.0,
        "any loan known", "report: named by the LHI (共债集中度)",
        "Debt with many lenders", "多头共债",
    ),
    Indicator(
        "income_volatility", "coefficient of variation of the last six full months' income", "ratio", 0.1, 0.8, 0.5,
        "full months with income, of three", "report: named by the LHI",
        "Income varies from month to month", "收入波动较大",
    ),
    Indicator(
        "income_trend", "30-day over 180-day income rate", "ratio", 0.95, 0.4, 1.2,
        "days of income history, of 90", "report: a 30% drop in pay is its example",
        "Income has fallen", "收入下降",
    ),
    Indicator(
        "debt_service", "instalments due within 30 days over monthly income", "share of income", 0.2, 0.7, 1.2,
        "instalments and income both known", "the field: debt to income",
        "Instalments take much of the income", "还款占收入比重过高",
    ),
    Indicator(
        "arrears", "amount-weighted days past due now", "days", 0.0, 30.0, 2.4,
        "any instalment known", "the field: overdue status",
        "Instalments are overdue", "存在逾期",
    ),
    Indicator(
        "payment_shortfall", "1 - paid / due over instalments fallen due, 90-day decayed", "share", 0.0, 0.5, 1.2,
        "instalments fallen due, of three", "report: minimum-payment reliance",
        "Instalments are paid in part", "分期仅部分偿还",
    ),
    Indicator(
        "borrow_to_repay", "share of repayments within 3 days of new credit", "share", 0.0, 0.5, 0.9,
        "repayments seen, of three", "the regulator: 以贷养贷",
        "New credit pays old instalments", "以贷养贷",
    ),
    Indicator(
        "utility_arrears", "bills late in a row, and 1 for each 30 days of the oldest", "bills", 0.0, 3.0, 0.8,
        "bills fallen due, of two", "report: three months of late utilities",
        "Utility bills are late", "水电燃气费逾期",
    ),
    Indicator(
        "usage_shock", "largest fall of a utility's last month below its own months before", "share", 0.15, 0.6, 0.4,
        "full months of readings, of three", "report: 用电量骤降",
        "Household usage has collapsed", "用电量骤降",
    ),
    Indicator(
        "spending_stress", "rise of down-trading, cash advances and night spending over the own 180-day share",
        "share of spending", 0.03, 0.3, 0.9,
        "account movements seen, of sixty", "the field: retail early warning 7-14 days ahead",
        "Spending shows distress", "消费行为呈现压力",
    ),
)  # fmt: skip
"""The twelve, in the order of the contract, of every array of twelve in the core, and of the documents."""

NAMES: tuple[str, ...] = tuple(indicator.name for indicator in INDICATORS)
COUNT = len(INDICATORS)
