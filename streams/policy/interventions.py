"""The policy's sections on what is done about an alert: advice, contact, help, hold-out, budgets."""

from datetime import time
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import Field, field_validator, model_validator

from loanpulse.streams.policy.actions import Action
from loanpulse.streams.policy.section import Section
from loanpulse.streams.record.layout import CONTACTS

Actions = list[Action]
Share = Annotated[float, Field(ge=0, le=1)]


class ActionsSection(Section):
    """What an alert advises when a borrower worsens to a level, in order."""

    STABLE: Actions
    WATCH: Actions
    TENSE: Actions
    CRISIS: Actions


class ImprovementActionsSection(Section):
    """What an alert advises when a borrower improves to a level, in order."""

    AMPLE: Actions
    STABLE: Actions
    WATCH: Actions
    TENSE: Actions


class BehaviourActionsSection(Section):
    """What an alert advises when a behaviour is found, in order."""

    MULTI_LENDER_SURGE: Actions
    BORROW_TO_REPAY: Actions
    PURPOSE_DEVIATION: Actions
    INCOME_SHOCK: Actions
    INCOME_STOPPED: Actions
    INSTALMENT_MISSED: Actions
    PARTIAL_PAYMENT_STREAK: Actions
    UTILITY_LATE_STREAK: Actions
    USAGE_COLLAPSE: Actions
    USAGE_COLLAPSE_OF_TWO: Actions
    CASH_DRAIN: Actions
    CASH_ADVANCE_RELIANCE: Actions
    DISTRESS_SPENDING: Actions


class ConfidenceSection(Section):
    """When an alert says that too little is known."""

    floor: Share


class HelpSection(Section):
    """How far help may go, of which the smallest that works is sought."""

    largest_cut: Annotated[float, Field(gt=0, lt=1)]
    cut_months: Annotated[int, Field(ge=1, le=60)]
    longest_deferral_months: Annotated[int, Field(ge=0, le=24)]


class HoldOutSection(Section):
    """The share of borrowers who are left alone, so that the effect of help can be measured."""

    share: Share
    salt: Annotated[str, Field(min_length=1, max_length=64)]


class BudgetSection(Section):
    """How fast a lender's operating threshold follows its budget: the share of the gap that a day closes."""

    adaptation: Annotated[float, Field(gt=0, le=1)]


class JurisdictionSection(Section):
    """When and how often a borrower may be contacted. Times are local to ``time_zone``."""

    time_zone: str
    quiet_from: time
    quiet_until: time
    contacts: Annotated[int, Field(ge=1, le=CONTACTS)]
    per_days: Annotated[int, Field(ge=1, le=90)]

    @field_validator("time_zone")
    @classmethod
    def _known(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (KeyError, ValueError, OSError) as error:
            raise ValueError('must be a zone of the tz database, such as "Asia/Shanghai"') from error
        return name

    @model_validator(mode="after")
    def _not_always_quiet(self) -> "JurisdictionSection":
        if self.quiet_from == self.quiet_until:
            raise ValueError("quiet_from and quiet_until must differ")
        return self


class LenderSection(Section):
    """What holds for one lender: its jurisdiction, and how many alerts a day its team can work (0: no limit)."""

    jurisdiction: str
    alerts_per_day: Annotated[int, Field(ge=0, le=1_000_000)] = 0
