"""The health of a model: all measures of one window of matured examples, as one value."""

import math
from dataclasses import dataclass, field

import numpy as np

from loanpulse.streams.indicators.catalogue import NAMES
from loanpulse.streams.learning.quality import metrics
from loanpulse.streams.learning.quality.intervals import Interval, auc_interval
from loanpulse.streams.learning.quality.stability import stability
from loanpulse.streams.models.inputs import Integers, Labels, Reals

ENOUGH = 100
"""Examples below which a cohort has no measures."""
ERROR = "ERROR"
"""The name in ``moved`` of the model's own error."""


@dataclass(frozen=True, slots=True)
class Cohort:
    """Matured examples of one horizon as columns, in the order of maturity."""

    times: Integers
    outcomes: Labels
    pd: Reals
    utilities: Reals
    ages: Reals
    censored: int = 0

    def __len__(self) -> int:
        return len(self.outcomes)


@dataclass(frozen=True, slots=True)
class Health:
    """The measures of a cohort; None where there are too few examples."""

    examples: int
    positives: int
    censored: int
    auc: Interval | None = None
    ks: float | None = None
    brier: float | None = None
    log_loss: float | None = None
    reliability: metrics.Reliability | None = None
    lift: tuple[float, ...] = ()
    budget: metrics.AtBudget | None = None
    psi: float | None = None
    psi_critical: float | None = None
    indicator_psi: tuple[float, ...] = ()
    indicator_age_days: tuple[float, ...] = ()
    moved: tuple[str, ...] = field(default=())

    @property
    def drifted(self) -> bool:
        """Whether anything moved."""
        return bool(self.moved)


def or_none(value: float) -> float | None:
    """Return a measure, or None for NaN."""
    return None if math.isnan(value) else value


def health(cohort: Cohort, reference: Cohort | None, budget: int, *, error_moved: bool = False) -> Health:
    """Measure a cohort; ``reference`` is the training window, ``budget`` how many the team could reach meanwhile."""
    positives = int(cohort.outcomes.sum())
    if len(cohort) < ENOUGH:
        return Health(len(cohort), positives, cohort.censored)
    area = auc_interval(cohort.outcomes, cohort.pd)
    moved = [ERROR] if error_moved else []
    psi, critical = None, None
    by_indicator: tuple[float, ...] = ()
    if reference is not None and len(reference) >= ENOUGH:
        of_pd = stability(reference.pd, cohort.pd)
        psi, critical = of_pd.psi, of_pd.critical
        each = [stability(before, now) for before, now in zip(reference.utilities.T, cohort.utilities.T, strict=True)]
        by_indicator = tuple(index.psi for index in each)
        moved += [name for name, index in zip(NAMES, each, strict=True) if index.moved]
    return Health(
        len(cohort),
        positives,
        cohort.censored,
        None if math.isnan(area.value) else area,
        or_none(metrics.kolmogorov_smirnov(cohort.outcomes, cohort.pd)),
        metrics.brier(cohort.outcomes, cohort.pd),
        metrics.log_loss(cohort.outcomes, cohort.pd),
        metrics.reliability(cohort.outcomes, cohort.pd),
        metrics.lift_by_decile(cohort.outcomes, cohort.pd),
        metrics.at_budget(cohort.outcomes, cohort.pd, budget),
        psi,
        critical,
        by_indicator,
        tuple(float(value) for value in np.median(cohort.ages, axis=0)),
        tuple(moved),
    )
