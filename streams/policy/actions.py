"""What a policy may advise: a closed list without a threat on it. A policy that names anything else is refused."""

from dataclasses import dataclass
from enum import StrEnum


class Action(StrEnum):
    """One intervention."""

    GET_DATA = "GET_DATA"
    MONITOR_CLOSELY = "MONITOR_CLOSELY"
    HOLD_UNDISBURSED_APPLICATION = "HOLD_UNDISBURSED_APPLICATION"
    GENTLE_REMINDER = "GENTLE_REMINDER"
    OFFER_RESTRUCTURING_OR_DEFERRAL = "OFFER_RESTRUCTURING_OR_DEFERRAL"
    DEBT_CONSOLIDATION_ADVICE = "DEBT_CONSOLIDATION_ADVICE"
    TEMPORARY_LIMIT_FREEZE = "TEMPORARY_LIMIT_FREEZE"
    COMMUNITY_ASSISTANCE = "COMMUNITY_ASSISTANCE"
    WELFARE_CHECK = "WELFARE_CHECK"
    LIFT_RESTRICTIONS = "LIFT_RESTRICTIONS"
    REWARD_GOOD_CONDUCT = "REWARD_GOOD_CONDUCT"


@dataclass(frozen=True, slots=True)
class Meaning:
    """What an action means for the team, and whether it is a contact with the borrower, to which quiet hours apply."""

    text_en: str
    text_zh: str
    contact: bool


MEANINGS: dict[Action, Meaning] = {
    Action.GET_DATA: Meaning("Ask the data partners for what is missing before acting", "先补充缺失数据再行动", False),
    Action.MONITOR_CLOSELY: Meaning("Watch; nothing is to be done yet", "密切关注，暂不行动", False),
    Action.HOLD_UNDISBURSED_APPLICATION: Meaning("Hold the application not yet disbursed", "暂缓发放未放款申请", False),
    Action.GENTLE_REMINDER: Meaning("Remind of the next due date, kindly", "温和提醒下一还款日", True),
    Action.OFFER_RESTRUCTURING_OR_DEFERRAL: Meaning("Offer lower instalments or a deferral", "提供减额或延期", True),
    Action.DEBT_CONSOLIDATION_ADVICE: Meaning("Offer advice on consolidating debt", "提供债务整合建议", True),
    Action.TEMPORARY_LIMIT_FREEZE: Meaning("Freeze further drawing for a time", "临时冻结额度", False),
    Action.COMMUNITY_ASSISTANCE: Meaning("Point to help in the community", "转介社区援助", True),
    Action.WELFARE_CHECK: Meaning("Ask after the borrower's welfare; no word of debt", "关怀回访，不提债务", True),
    Action.LIFT_RESTRICTIONS: Meaning("Lift holds and freezes", "解除暂缓与冻结", False),
    Action.REWARD_GOOD_CONDUCT: Meaning("Reward good conduct, as with a better rate", "奖励良好还款行为", False),
}  # fmt: skip
