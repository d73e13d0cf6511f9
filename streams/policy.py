"""The policy file: thresholds, dwell and advice, validated at start and handed to the compiled core as one record."""

import math
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from loanpulse.schemas.contracts import Level
from loanpulse.streams.indicators.catalogue import INDICATORS
from loanpulse.streams.scoring import CARD, Card

PACKAGED = Path(__file__).with_name("policy.toml")
MODEL_VERSION = "expert-1"
"""The version of the expert scorecard: the weights and anchors of the indicator catalogue."""

HOUR_MS = 3_600_000

Action = Literal[
    "HOLD_UNDISBURSED_APPLICATION",
    "GENTLE_REMINDER",
    "OFFER_RESTRUCTURING_OR_DEFERRAL",
    "DEBT_CONSOLIDATION_ADVICE",
    "TEMPORARY_LIMIT_FREEZE",
    "COMMUNITY_ASSISTANCE",
    "MONITOR_CLOSELY",
    "LIFT_RESTRICTIONS",
    "REWARD_GOOD_CONDUCT",
]


class PolicyError(ValueError):
    """A policy file that can't be used; its text is one sentence that names the key."""


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class IndexSection(_Section):
    """How log-odds become points."""

    points_to_double_odds: Annotated[float, Field(gt=0, le=50)]
    points_at_even_odds: Annotated[float, Field(ge=0, le=100)]
    neutral_pd: Annotated[float, Field(gt=0, lt=1)]
    neutral_utility: Annotated[float, Field(ge=0, le=1)]


class LevelsSection(_Section):
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


class ArrearsSection(_Section):
    """When a payment counts as missed."""

    grace_hours: Annotated[float, Field(ge=0, le=24 * 30)]


class CqplmSection(_Section):
    """The weights of the CQ-PLM score's parts; those of a pair or triple count relative to each other."""

    liquidity: Annotated[float, Field(gt=0)]
    credit: Annotated[float, Field(ge=0)]
    scenario: Annotated[float, Field(ge=0)]
    timeliness: Annotated[float, Field(gt=0)]
    elasticity: Annotated[float, Field(gt=0)]
    purpose_share: Annotated[float, Field(gt=0)]
    purpose_deviation: Annotated[float, Field(gt=0)]


class ActionsSection(_Section):
    """What an alert advises at each level, in order."""

    AMPLE: list[Action]
    STABLE: list[Action]
    WATCH: list[Action]
    TENSE: list[Action]
    CRISIS: list[Action]


class PolicyFile(_Section):
    """The whole file."""

    version: Annotated[str, Field(min_length=1, max_length=64)]
    index: IndexSection
    levels: LevelsSection
    arrears: ArrearsSection
    cqplm: CqplmSection
    actions: ActionsSection


@dataclass(frozen=True, slots=True)
class Policy:
    """A validated policy, with the scorecard as the compiled core reads it."""

    file: PolicyFile
    card: Card

    @property
    def version(self) -> str:
        """The version that alerts and snapshots carry."""
        return self.file.version

    def actions(self, level: Level) -> list[str]:
        """Return the advice for a borrower who has come to ``level``, in order."""
        return list(getattr(self.file.actions, level.name))


def load(path: str | Path = "", interval_seconds: float = 2.0, allowed_lateness_days: float = 7.0) -> Policy:
    """Read and check a policy file; an empty path means the packaged one.

    Raises:
        PolicyError: the file can't be read or breaks a rule; the text names the key.
    """
    file = Path(path) if path else PACKAGED
    try:
        content = PolicyFile.model_validate(tomllib.loads(file.read_text(encoding="utf-8")))
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise PolicyError(f"the policy file {file} can't be read: {error}") from error
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"]) or "the file"
        raise PolicyError(f"{file}: {key}: {first['msg']}") from error
    return Policy(content, scorecard(content, interval_seconds, allowed_lateness_days))


def scorecard(file: PolicyFile, interval_seconds: float, allowed_lateness_days: float = 7.0) -> Card:
    """Build the compiled core's record of the policy and of the catalogue's weights and anchors."""
    card = np.zeros(1, CARD)
    for position, indicator in enumerate(INDICATORS):
        card["weight"][0, position] = indicator.weight
        card["healthy"][0, position] = indicator.healthy
        card["unhealthy"][0, position] = indicator.unhealthy
    card["neutral_log_odds"] = math.log((1 - file.index.neutral_pd) / file.index.neutral_pd)
    card["neutral_utility"] = file.index.neutral_utility
    card["offset"] = file.index.points_at_even_odds
    card["factor"] = file.index.points_to_double_odds / math.log(2)
    levels = file.levels
    card["level_floor"] = (levels.AMPLE, levels.STABLE, levels.WATCH, levels.TENSE)
    card["hysteresis"] = levels.hysteresis
    card["dwell_ms"] = round(levels.dwell_hours * HOUR_MS)
    card["improvement_dwell_ms"] = round(levels.improvement_dwell_hours * HOUR_MS)
    card["relapse_dwell_ms"] = round(levels.relapse_dwell_hours * HOUR_MS)
    card["grace_ms"] = round(file.arrears.grace_hours * HOUR_MS)
    parts = file.cqplm
    card["cqplm_weight"] = (parts.liquidity, parts.credit, parts.scenario)
    card["credit_weight"] = (parts.timeliness, parts.elasticity)
    card["scenario_weight"] = (parts.purpose_share, parts.purpose_deviation)
    card["interval_ms"] = max(1, round(interval_seconds * 1000))
    card["lateness_ms"] = round(allowed_lateness_days * 24 * HOUR_MS)
    row: Card = card[0]
    return row
