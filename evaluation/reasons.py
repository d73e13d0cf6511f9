"""Whether what a borrower's alert names first holds when the readings are moved a little."""

from __future__ import annotations

import numpy as np

from loanpulse.evaluation.alarms import Period
from loanpulse.evaluation.detectors import weekly
from loanpulse.evaluation.panel import Panel
from loanpulse.schemas.contracts import Level
from loanpulse.streams.indicators.catalogue import INDICATORS
from loanpulse.streams.learning.explanations import reason_consistency
from loanpulse.streams.policy.policy_file import IndexSection

WEIGHTS = np.array([indicator.weight for indicator in INDICATORS])


def reasons_kept(panel: Panel, period: Period, index: IndexSection) -> tuple[int, float]:
    """Return the number of borrower weeks at WATCH or worse, and how often such a one keeps its first reason.

    The utilities that the reasons come of are moved by noise of a standard deviation of 0.02; NaN where there is
    nobody to ask about. ``index`` is the policy's way from log-odds to points.
    """
    asked = weekly(panel.observed, period) & (panel.daily["level"] >= int(Level.WATCH))
    told = panel.daily[asked]
    perfect = 1.0 - index.neutral_utility
    factor = index.points_to_double_odds / np.log(2.0)
    counted = np.where(told["evidence"] > 0.0, perfect - told["points"].astype(np.float64) / (factor * WEIGHTS), 0.0)
    return len(told), reason_consistency(WEIGHTS, counted, perfect)
