"""What the trainer gives out: versions of models, and measures of their health."""

from dataclasses import dataclass

from loanpulse.streams.learning.quality.fairness import GroupAudit
from loanpulse.streams.learning.quality.health import Health

LOGISTIC, FOREST = "logistic", "forest"
"""The ids of the champion's and the challenger's models."""
FIRST_HORIZON_DAYS = 30
"""The horizon of the experts' scorecard, from which learning starts."""


@dataclass(frozen=True, slots=True)
class Version:
    """A version of a model as it is published; ``reason`` is what the guards found. ``time`` is event time (ms)."""

    model_id: str
    version: str
    parent: str
    champion: bool
    in_force: bool
    time: int
    examples: int
    algorithm: str
    weights: bytes
    reason: str
    horizon_days: int = FIRST_HORIZON_DAYS


@dataclass(frozen=True, slots=True)
class Measured:
    """A model's health over the window, for all lenders or one, and for one audited group or everybody.

    ``time`` and both ends of ``window`` are event times (ms).
    """

    model_id: str
    version: str
    champion: bool
    time: int
    window: tuple[int, int]
    horizon_days: int
    lender: str | None
    health: Health
    group: GroupAudit | None = None
    proxy_auc: float | None = None
    reason_consistency: float | None = None
    lead_time_days: float | None = None


Output = Version | Measured
