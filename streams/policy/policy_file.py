"""The policy: one validated, versioned file of thresholds and advice, handed to the compiled core as one record."""

import math
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from pydantic import AfterValidator, Field, ValidationError, model_validator

from loanpulse.schemas.contracts import AlertKind, Level
from loanpulse.schemas.units import DAY_MS, HOUR_MS
from loanpulse.streams.behaviours.parameters import check_parameters, parameter_table
from loanpulse.streams.indicators.catalogue import INDICATORS
from loanpulse.streams.policy.actions import Action
from loanpulse.streams.policy.interventions import (
    ActionsSection,
    BehaviourActionsSection,
    BudgetSection,
    ConfidenceSection,
    HelpSection,
    HoldOutSection,
    ImprovementActionsSection,
    JurisdictionSection,
    LenderSection,
    Share,
)
from loanpulse.streams.policy.section import Section
from loanpulse.streams.scoring.levels import HARD_EVENT_NAMES
from loanpulse.streams.scoring.parameters import SCORING_PARAMETERS, ScoringParameters

PACKAGED = Path(__file__).with_name("policy.toml")
MODEL_VERSION = "expert-1"
"""The version of the expert scorecard: the weights and anchors of the indicator catalogue."""

DEFAULT_LENDER = "default"
"""The section that holds for every lender without one of its own."""


class PolicyError(ValueError):
    """A policy file that can't be used; its text is one sentence that names the key."""


class IndexSection(Section):
    """How log-odds become points."""

    points_to_double_odds: Annotated[float, Field(gt=0, le=50)]
    points_at_even_odds: Annotated[float, Field(ge=0, le=100)]
    neutral_pd: Annotated[float, Field(gt=0, lt=1)]
    neutral_utility: Annotated[float, Field(ge=0, le=1)]


class LevelsSection(Section):
    """The floors of the levels (index points), and how slowly a level moves (hours)."""

    AMPLE: Annotated[float, Field(ge=0, le=100)]
    STABLE: Annotated[float, Field(ge=0, le=100)]
    WATCH: Annotated[float, Field(ge=0, le=100)]
    TENSE: Annotated[float, Field(ge=0, le=100)]
    hysteresis: Annotated[float, Field(ge=0, le=20)]
    dwell_hours: Annotated[float, Field(ge=0)]
    improvement_dwell_hours: Annotated[float, Field(ge=0)]
    relapse_dwell_hours: Annotated[float, Field(ge=0)]

    @model_validator(mode="after")
    def _descending(self) -> "LevelsSection":
        if not self.AMPLE > self.STABLE > self.WATCH > self.TENSE:
            raise ValueError("AMPLE, STABLE, WATCH and TENSE must fall in that order")
        return self


Floor = Literal["STABLE", "WATCH", "TENSE", "CRISIS"]


class FloorsSection(Section):
    """The best level that each hard event allows; it holds at once, whatever the index and the dwell."""

    DPD_30: Floor
    WRITTEN_OFF: Floor
    DISCONNECTION_NOTICE: Floor


class ArrearsSection(Section):
    """When a payment counts as missed."""

    grace_hours: Annotated[float, Field(ge=0, le=24 * 30)]


class CqplmSection(Section):
    """The weights of the CQ-PLM score's parts; those of a pair or triple count relative to each other."""

    liquidity: Annotated[float, Field(gt=0)]
    credit: Annotated[float, Field(ge=0)]
    scenario: Annotated[float, Field(ge=0)]
    timeliness: Annotated[float, Field(gt=0)]
    elasticity: Annotated[float, Field(gt=0)]
    purpose_share: Annotated[float, Field(gt=0)]
    purpose_deviation: Annotated[float, Field(gt=0)]


class PolicyFile(Section):
    """The whole file."""

    version: Annotated[str, Field(min_length=1, max_length=64)]
    index: IndexSection
    levels: LevelsSection
    floors: FloorsSection
    arrears: ArrearsSection
    confidence: ConfidenceSection
    cqplm: CqplmSection
    actions: ActionsSection
    improvement_actions: ImprovementActionsSection
    behaviour_actions: BehaviourActionsSection
    effects: dict[Action, Share]
    help: HelpSection
    hold_out: HoldOutSection
    budget: BudgetSection
    jurisdictions: dict[str, JurisdictionSection]
    lenders: dict[str, LenderSection]
    behaviours: Annotated[dict[str, dict[str, float]], AfterValidator(check_parameters)] = Field(
        default_factory=dict, description="the behaviours' parameters by name; what is left out is the default"
    )

    @model_validator(mode="after")
    def _complete(self) -> "PolicyFile":
        if DEFAULT_LENDER not in self.lenders:
            raise ValueError("lenders.default is missing")
        for name, lender in self.lenders.items():
            if lender.jurisdiction not in self.jurisdictions:
                raise ValueError(
                    f"lenders.{name}.jurisdiction is {lender.jurisdiction!r}, which is none of "
                    f"{', '.join(sorted(self.jurisdictions)) or 'the jurisdictions, as there is none'}"
                )
        return self


@dataclass(frozen=True, slots=True)
class Policy:
    """A validated policy, with the scorecard as the compiled core reads it."""

    file: PolicyFile
    parameters: ScoringParameters
    interval_seconds: float
    allowed_lateness_days: float

    @property
    def version(self) -> str:
        """The version that alerts and snapshots carry."""
        return self.file.version

    def actions(self, kind: AlertKind, level: Level, utilities_collapsed: int = 0) -> list[Action]:
        """Return the advice of an alert of ``kind`` for a borrower who stands at ``level`` now, in order.

        Two or more ``utilities_collapsed`` at once suggest hardship or absence, for which the policy has other advice.
        """
        if kind is AlertKind.USAGE_COLLAPSE and utilities_collapsed >= 2:
            return list(self.file.behaviour_actions.USAGE_COLLAPSE_OF_TWO)
        if kind is AlertKind.LEVEL_WORSENED:
            return list(getattr(self.file.actions, level.name))
        if kind is AlertKind.LEVEL_IMPROVED:
            return list(getattr(self.file.improvement_actions, level.name))
        return list(getattr(self.file.behaviour_actions, kind.name))

    def effect(self, actions: list[Action]) -> float:
        """Return the share of the expected loss that the best of these actions is taken to avoid."""
        return max((self.file.effects.get(action, 0.0) for action in actions), default=0.0)

    def lender(self, lender_id: str) -> LenderSection:
        """Return what holds for a lender."""
        return self.file.lenders.get(lender_id, self.file.lenders[DEFAULT_LENDER])

    def jurisdiction(self, lender_id: str) -> JurisdictionSection:
        """Return when and how often a lender may contact a borrower."""
        return self.file.jurisdictions[self.lender(lender_id).jurisdiction]


def parse(document: str, name: str) -> PolicyFile:
    """Check a policy's text (TOML); ``name`` is what errors call it.

    Raises:
        PolicyError: it breaks a rule; the text names the key.
    """
    try:
        return PolicyFile.model_validate(tomllib.loads(document))
    except tomllib.TOMLDecodeError as error:
        raise PolicyError(f"{name} can't be read: {error}") from error
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"]) or "the file"
        raise PolicyError(f"{name}: {key}: {first['msg']}") from error


def read(path: str | Path = "") -> str:
    """Return the text of a policy file; an empty path means the packaged one. Raises PolicyError."""
    file = Path(path) if path else PACKAGED
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise PolicyError(f"the policy file {file} can't be read: {error}") from error


def load(path: str | Path = "", interval_seconds: float = 2.0, allowed_lateness_days: float = 7.0) -> Policy:
    """Read and check a policy file; an empty path means the packaged one.

    Raises:
        PolicyError: the file can't be read or breaks a rule; the text names the key.
    """
    return built(parse(read(path), str(path or PACKAGED)), interval_seconds, allowed_lateness_days)


def built(file: PolicyFile, interval_seconds: float, allowed_lateness_days: float = 7.0) -> Policy:
    """Return a checked policy ready for the compiled core.

    A borrower is scored once an interval at most; an event may be ``allowed_lateness_days`` behind its source.
    """
    parameters = scorecard(file, interval_seconds, allowed_lateness_days)
    return Policy(file, parameters, interval_seconds, allowed_lateness_days)


def scorecard(file: PolicyFile, interval_seconds: float, allowed_lateness_days: float = 7.0) -> ScoringParameters:
    """Build the compiled core's record of the policy and of the catalogue's weights and anchors."""
    parameters = np.zeros(1, SCORING_PARAMETERS)
    for position, indicator in enumerate(INDICATORS):
        parameters["weight"][0, position] = indicator.weight
        parameters["healthy"][0, position] = indicator.healthy
        parameters["unhealthy"][0, position] = indicator.unhealthy
    parameters["neutral_log_odds"] = math.log((1 - file.index.neutral_pd) / file.index.neutral_pd)
    parameters["neutral_utility"] = file.index.neutral_utility
    parameters["offset"] = file.index.points_at_even_odds
    parameters["factor"] = file.index.points_to_double_odds / math.log(2)
    levels = file.levels
    parameters["level_min_points"] = (levels.AMPLE, levels.STABLE, levels.WATCH, levels.TENSE)
    parameters["hysteresis"] = levels.hysteresis
    floors = [Level[getattr(file.floors, name)] if name else Level.AMPLE for name in HARD_EVENT_NAMES]
    parameters["override_level"] = [int(level) for level in floors]
    parameters["dwell_ms"] = round(levels.dwell_hours * HOUR_MS)
    parameters["improvement_dwell_ms"] = round(levels.improvement_dwell_hours * HOUR_MS)
    parameters["relapse_dwell_ms"] = round(levels.relapse_dwell_hours * HOUR_MS)
    parameters["grace_ms"] = round(file.arrears.grace_hours * HOUR_MS)
    parts = file.cqplm
    parameters["cqplm_weight"] = (parts.liquidity, parts.credit, parts.scenario)
    parameters["credit_weight"] = (parts.timeliness, parts.elasticity)
    parameters["scenario_weight"] = (parts.purpose_share, parts.purpose_deviation)
    parameters["behaviours"] = parameter_table(file.behaviours)
    parameters["interval_ms"] = max(1, round(interval_seconds * 1000))
    parameters["lateness_ms"] = round(allowed_lateness_days * DAY_MS)
    row: ScoringParameters = parameters[0]
    return row
