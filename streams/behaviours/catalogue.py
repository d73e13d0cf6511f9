"""What each behaviour means: the one list from which code, policy, documents and alert texts are made.

A behaviour's index here is its bit in a scoring; its parameters are, in this order, what its compiled condition reads.
"""

from dataclasses import dataclass

MOST_PARAMETERS = 6


@dataclass(frozen=True, slots=True)
class Parameter:
    """One number of a behaviour's condition: its default, and the least and the most that a policy may set."""

    name: str
    default: float
    least: float
    most: float
    meaning: str


@dataclass(frozen=True, slots=True)
class Behaviour:
    """One pattern. ``value`` says what is measured and in which unit; ``definition`` when the pattern holds."""

    name: str
    definition: str
    value: str
    source: str
    reason_en: str
    reason_zh: str
    parameters: tuple[Parameter, ...]


def _clear(days: float) -> Parameter:
    return Parameter("clear_days", days, 0, 200, "days that the condition must be false before the episode ends")


BEHAVIOURS: tuple[Behaviour, ...] = (
    Behaviour(
        "MULTI_LENDER_SURGE",
        "`new_lenders` or more lenders disbursed their first loan within `days`, or the effective number of lenders "
        "(inverse Herfindahl of what is owed to each) grew by the share `growth` within `days` and reached "
        "`least_effective`",
        "lenders new within `days`",
        "report: 共债集中度",
        "Several new lenders within a short time",
        "短期内新增多家放款机构",
        (
            _clear(14),
            Parameter("new_lenders", 3, 2, 8, "lenders new within `days`"),
            Parameter("days", 30, 7, 90, "days looked back"),
            Parameter("growth", 0.5, 0.1, 5, "growth of the effective number of lenders, as a share"),
            Parameter("least_effective", 2, 1, 8, "effective number of lenders below which growth does not count"),
        ),
    ),
    Behaviour(
        "BORROW_TO_REPAY",
        "of what was repaid within `days`, the share `share` or more came within three days after new credit, in "
        "`times` repayments or more",
        "share of what was repaid",
        "the regulator: 以贷养贷",
        "Instalments are repaid with new credit",
        "以新贷偿还旧贷",
        (
            _clear(14),
            Parameter("share", 0.5, 0.1, 1, "share of the amount repaid"),
            Parameter("days", 60, 14, 90, "days looked back"),
            Parameter("times", 2, 1, 8, "repayments that came after new credit"),
        ),
    ),
    Behaviour(
        "PURPOSE_DEVIATION",
        "more than the share `share` of a loan's traced proceeds was spent outside its declared purpose or drawn as "
        "cash",
        "share of the proceeds traced",
        "report: the scenario dimension",
        "Loan proceeds were spent on other things than declared",
        "贷款资金用途与申报不符",
        (_clear(14), Parameter("share", 0.2, 0.05, 1, "share of the proceeds above which it is a deviation")),
    ),
    Behaviour(
        "INCOME_SHOCK",
        "the latest pay lies by the share `fall` or more under the median of the up to six pays before it (three at "
        "least); for irregular earners the last full month against the months before it, and under the least of them",
        "fall as a share of the median",
        "report: a 30% drop in pay is its example",
        "Pay has fallen well below its usual amount",
        "收入较往期明显下降",
        (_clear(7), Parameter("fall", 0.2, 0.05, 0.95, "fall against the median, as a share")),
    ),
    Behaviour(
        "INCOME_STOPPED",
        "the learned payday passed `tolerance_days` ago without pay; for irregular earners the longest gap between "
        "pays, times `irregular_factor`, has passed, and at least `irregular_least_days`; not while the account's feed "
        "is silent and other feeds go on",
        "days since the expected payday",
        "absence; the field's first sign of job loss",
        "An expected payday passed without income",
        "预期发薪日已过仍无收入",
        (
            _clear(0),
            Parameter("tolerance_days", 5, 0, 30, "whole days after the expected payday"),
            Parameter("irregular_factor", 2, 1, 6, "how many of the longest gaps an irregular earner may be silent"),
            Parameter("irregular_least_days", 28, 7, 90, "days that an irregular earner may be silent at least"),
        ),
    ),
    Behaviour(
        "INSTALMENT_MISSED",
        "an instalment's due date and the grace ([arrears] grace_hours) passed and something of it is unpaid; each "
        "lender hears of its own loans, once until none of its instalments is missed any more",
        "days past due of the oldest",
        "absence; the field: overdue status",
        "An instalment was not paid by its due date",
        "分期到期未还",
        (_clear(0),),
    ),
    Behaviour(
        "PARTIAL_PAYMENT_STREAK",
        "of one loan, the last `instalments` or more instalments fallen due were each paid in part only",
        "instalments in a row",
        "report: minimum-payment reliance",
        "Instalments in a row were paid only in part",
        "连续多期仅部分还款",
        (_clear(7), Parameter("instalments", 2, 1, 6, "instalments in a row paid in part")),
    ),
    Behaviour(
        "UTILITY_LATE_STREAK",
        "of one utility, the last `bills` bills fallen due were each paid later than `late_days` after the due date, "
        "or not at all",
        "bills in a row, three at most",
        "report: three months of late utilities raise the risk grade",
        "Three utility bills in a row are late",
        "水电燃气或通信费连续三期逾期",
        (
            _clear(35),
            Parameter("bills", 3, 1, 3, "bills in a row"),
            Parameter("late_days", 1, 0, 30, "days after the due date from which an unpaid bill counts as late"),
        ),
    ),
    Behaviour(
        "USAGE_COLLAPSE",
        "a utility's newest period of readings lies under the lower bound of the borrower's own forecast (`deviations` "
        "standard deviations of its errors) and under the share `share` of it",
        "utilities collapsed at once; two or more suggest hardship or absence",
        "report: 用电量骤降",
        "Household usage has collapsed against its own forecast",
        "家庭用量较预测骤降",
        (
            _clear(7),
            Parameter("share", 0.5, 0.05, 0.9, "share of the forecast under which usage has collapsed"),
            Parameter("deviations", 2, 0.5, 5, "standard deviations from the forecast to its lower bound"),
        ),
    ),
    Behaviour(
        "CASH_DRAIN",
        "the balance fell within `days` by the share `fall` or more of its 30-day peak of `least_peak` or more, "
        "and no one purchase since explains the share `explained` of the fall (days are counted in fives)",
        "fall as a share of the peak",
        "the field: balances running out",
        "The account balance drained away without a purchase that explains it",
        "账户余额短期内大幅流失",
        (
            _clear(35),
            Parameter("fall", 0.8, 0.3, 1, "fall from the peak, as a share"),
            Parameter("days", 14, 3, 30, "days within which it fell"),
            Parameter("explained", 0.5, 0.1, 1, "share of the fall that one purchase must reach to explain it"),
            Parameter("least_peak", 500, 0, 1_000_000, "currency below which a peak is not worth judging"),
        ),
    ),
    Behaviour(
        "CASH_ADVANCE_RELIANCE",
        "`advances` or more cash advances within `days`, or advances above the share `share` of inflow (30-day decayed "
        "sums, from `least_days` of history on)",
        "cash advances within `days`, three at most",
        "the field: living on cash advances",
        "Everyday life is financed by cash advances",
        "依赖现金预支维持开支",
        (
            _clear(30),
            Parameter("advances", 3, 1, 3, "advances within `days`"),
            Parameter("days", 30, 7, 90, "days looked back"),
            Parameter("share", 0.1, 0.02, 1, "share of inflow"),
            Parameter("least_days", 30, 0, 180, "days of history before the share is judged"),
        ),
    ),
    Behaviour(
        "DISTRESS_SPENDING",
        "the 30-day share of discount stores, pawn, gambling and (at half weight) night spending stands `rise` or "
        "more above the borrower's own 180-day share and is `times` as large, after `least_days` of history with "
        "`least_events` movements",
        "rise of the share",
        "the field: retail early warning 7-14 days ahead",
        "Spending shifted to discount stores, pawn, gambling or the night",
        "消费转向折扣店、典当、博彩或夜间",
        (
            _clear(30),
            Parameter("rise", 0.1, 0.02, 0.9, "rise of the share of spending"),
            Parameter("times", 1.5, 1, 10, "how many times its own baseline"),
            Parameter("least_events", 40, 5, 1_000, "account movements before it is judged"),
            Parameter("least_days", 45, 7, 180, "days of history before it is judged"),
        ),
    ),
)
"""The twelve, in the order of the contract's AlertKind."""

COUNT = len(BEHAVIOURS)
NAMES: tuple[str, ...] = tuple(behaviour.name for behaviour in BEHAVIOURS)
(
    MULTI_LENDER_SURGE,
    BORROW_TO_REPAY,
    PURPOSE_DEVIATION,
    INCOME_SHOCK,
    INCOME_STOPPED,
    INSTALMENT_MISSED,
    PARTIAL_PAYMENT_STREAK,
    UTILITY_LATE_STREAK,
    USAGE_COLLAPSE,
    CASH_DRAIN,
    CASH_ADVANCE_RELIANCE,
    DISTRESS_SPENDING,
) = range(COUNT)
CLEAR_DAYS = 0
"""Every behaviour's first parameter."""
