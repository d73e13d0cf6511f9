"""Why an alert was raised, in sentences with the measured figure that a collections agent can read out."""

from collections.abc import Callable
from typing import Any

import numpy as np

from loanpulse.schemas.contracts import AlertKind, Level
from loanpulse.streams.behaviours.catalogue import BEHAVIOURS
from loanpulse.streams.indicators.catalogue import INDICATORS
from loanpulse.streams.scoring.levels import HARD_EVENT_NAMES
from loanpulse.streams.scoring.score import Score

REASONS = 4
"""The most indicators that an alert names."""
POINTS_WORTH_NAMING = 1.0
HEALTHY_UTILITY = 0.9
"""From this utility on an indicator is no reason: the points it costs are due to too little data."""

Sentences = tuple[str, str]
"""English and Chinese."""
Reason = dict[str, Any]
"""A reason in the contract's form."""


def net_cash_flow(value: float) -> Sentences:
    """Return the sentences of (inflow - outflow) / inflow."""
    share, least = 1.0 - value, value <= -2.0
    return (
        f"Outgoings are {'at least ' if least else ''}{share:.0%} of what comes in",
        f"支出{'至少' if least else ''}为收入的{share:.0%}",
    )


def debt_service(value: float) -> Sentences:
    """Return the sentences of instalments over income."""
    least = value >= 3.0
    return (
        f"Instalments take {'at least ' if least else ''}{value:.0%} of income",
        f"还款{'至少' if least else ''}占收入的{value:.0%}",
    )


INDICATOR_SENTENCES: dict[str, Callable[[float], Sentences]] = {
    "net_cash_flow": net_cash_flow,
    "savings_coverage": lambda v: (f"Savings cover {v:.1f} months of essentials", f"储蓄可覆盖{v:.1f}个月的基本支出"),
    "debt_concentration": lambda v: (
        f"Debt stands with {v:.1f} lenders in effect, those new counted twice",
        f"多头共债：折合{v:.1f}家放款机构（新增机构计双份）",
    ),
    "income_volatility": lambda v: (f"Monthly income varies by {v:.0%}", f"月收入波动{v:.0%}"),
    "income_trend": lambda v: (f"Income is at {v:.0%} of its half-year average", f"收入为半年均值的{v:.0%}"),
    "debt_service": debt_service,
    "arrears": lambda v: (f"Instalments are {v:.0f} days overdue by amount", f"还款逾期{v:.0f}天（金额加权）"),
    "payment_shortfall": lambda v: (
        f"{v:.0%} of recent instalments was not paid when due",
        f"近期应还款中{v:.0%}未按时偿还",
    ),
    "borrow_to_repay": lambda v: (
        f"{v:.0%} of recent repayments came within 3 days of new credit",
        f"近期还款中{v:.0%}发生在新借款后3天内",
    ),
    "utility_arrears": lambda v: (
        f"Utility bills are late: {v:.0f} bills in a row and months of delay, together",
        f"水电燃气及通信费逾期：连续逾期账单数与拖欠月数合计{v:.0f}",
    ),
    "usage_shock": lambda v: (f"Household usage fell {v:.0%} below its own pattern", f"家庭用量较自身规律下降{v:.0%}"),
    "spending_stress": lambda v: (
        f"Distress spending rose by {v:.0%} of all spending",
        f"压力型消费占比上升{v:.0%}",
    ),
}  # fmt: skip

BEHAVIOUR_SENTENCES: dict[str, Callable[[float], Sentences]] = {
    "MULTI_LENDER_SURGE": lambda v: (f"{v:.0f} new lenders within a short time", f"短期内新增{v:.0f}家放款机构"),
    "BORROW_TO_REPAY": lambda v: (f"{v:.0%} of what was repaid came from new credit", f"还款中{v:.0%}来自新贷"),
    "PURPOSE_DEVIATION": lambda v: (
        f"{v:.0%} of the loan proceeds went to other things than declared", f"贷款资金中{v:.0%}与申报用途不符",
    ),
    "INCOME_SHOCK": lambda v: (f"Pay has fallen {v:.0%} below its usual amount", f"收入较往期下降{v:.0%}"),
    "INCOME_STOPPED": lambda v: (
        f"The expected payday passed {v:.0f} days ago without income", f"预期发薪日已过{v:.0f}天仍无收入",
    ),
    "INSTALMENT_MISSED": lambda v: (f"An instalment is {v:.0f} days past its due date", f"分期还款已逾期{v:.0f}天"),
    "PARTIAL_PAYMENT_STREAK": lambda v: (
        f"{v:.0f} instalments in a row were paid in part only", f"连续{v:.0f}期仅部分还款",
    ),
    "UTILITY_LATE_STREAK": lambda v: (f"{v:.0f} utility bills in a row are late", f"连续{v:.0f}期水电燃气或通信费逾期"),
    "USAGE_COLLAPSE": lambda v: (
        f"The usage of {v:.0f} utilities has collapsed against its own forecast", f"{v:.0f}项用量较预测骤降",
    ),
    "CASH_DRAIN": lambda v: (
        f"The balance fell {v:.0%} from its peak without a purchase that explains it", f"余额较峰值下降{v:.0%}",
    ),
    "CASH_ADVANCE_RELIANCE": lambda v: (
        f"{v:.0f} cash advances within a short time" if v >= 2 else "Cash advances are a large part of what comes in",
        f"短期内{v:.0f}次现金预支" if v >= 2 else "现金预支占流入比重过高",
    ),
    "DISTRESS_SPENDING": lambda v: (
        f"The share of distress spending rose by {v:.0%} of all spending", f"压力型消费占比上升{v:.0%}",
    ),
}  # fmt: skip
"""By the behaviour's measured value, as the catalogue of behaviours defines it."""

HARD_SENTENCES: dict[str, Sentences] = {
    "DPD_30": ("An instalment is 30 or more days past due", "还款逾期30天以上"),
    "WRITTEN_OFF": ("A loan has been written off", "贷款已核销"),
    "DISCONNECTION_NOTICE": ("A utility has given notice of disconnection", "收到停供通知"),
}

LITTLE_KNOWN = ("Too little is known of the borrower to tell a reason", "数据不足，无法说明原因")

LEVELS_ZH = {
    Level.AMPLE: "充裕", Level.STABLE: "稳定", Level.WATCH: "关注", Level.TENSE: "紧张", Level.CRISIS: "危机",
    Level.UNKNOWN: "未知",
}  # fmt: skip


def reasons(score: Score, kind: AlertKind, lost: list[Reason]) -> list[Reason]:
    """Return an alert's reasons: what opened it first, then the scoring's ``losses`` of points."""
    return [*_opening(score, kind), *lost] or [_reason("LITTLE_KNOWN", 0.0, LITTLE_KNOWN)]


def _opening(score: Score, kind: AlertKind) -> list[Reason]:
    if kind > AlertKind.LEVEL_IMPROVED:
        return [_reason(kind.name, 0.0, _behaviour_sentences(score, kind))]
    before, level = Level(int(score["previous_level"])), Level(int(score["level"]))
    hard = HARD_EVENT_NAMES[int(score["hard_event"])]
    if hard is not None and kind is AlertKind.LEVEL_WORSENED:
        return [_reason(hard, 0.0, HARD_SENTENCES[hard])]
    if kind is AlertKind.LEVEL_IMPROVED:
        index = float(score["lhi"])
        texts = (
            f"Recovered from {before.name} to {level.name}: the index stands at {index:.0f}",
            f"由{LEVELS_ZH[before]}恢复至{LEVELS_ZH[level]}，指数为{index:.0f}",
        )
        return [_reason("RECOVERED", 0.0, texts)]
    return []


def _behaviour_sentences(score: Score, kind: AlertKind) -> Sentences:
    index = kind - AlertKind.LEVEL_IMPROVED - 1
    behaviour, value = BEHAVIOURS[index], float(score["behaviour_value"][index])
    has_figure = not np.isnan(value) and not (kind is AlertKind.MULTI_LENDER_SURGE and value < 2)
    return BEHAVIOUR_SENTENCES[kind.name](value) if has_figure else (behaviour.reason_en, behaviour.reason_zh)


def losses(score: Score) -> list[Reason]:
    """Return the indicators that cost the borrower most points, the largest loss first."""
    points = score["points"] * (score["evidence"] > 0) * (score["utility"] < HEALTHY_UTILITY)
    order = np.argsort(-points, kind="stable")[:REASONS].tolist()
    named = [index for index in order if points[index] >= POINTS_WORTH_NAMING]
    return [
        _reason(
            INDICATORS[index].name.upper(),
            round(float(points[index]), 2),
            INDICATOR_SENTENCES[INDICATORS[index].name](float(score["value"][index])),
        )
        for index in named
    ]


def _reason(code: str, points: float, texts: Sentences) -> Reason:
    return {"code": code, "points": points, "text_en": texts[0], "text_zh": texts[1]}
