"""The layout of the scoring parameters: the policy with the model in force, as compiled functions read it.

``policy/policy_file.py`` builds them from a policy; ``models/served.py`` puts a published model in.
"""

from typing import TypeAlias

import numpy as np

from loanpulse.streams.behaviours.catalogue import MOST_PARAMETERS
from loanpulse.streams.indicators.catalogue import COUNT
from loanpulse.streams.record.layout import BEHAVIOURS
from loanpulse.streams.scoring.forest import FOREST

SCORING_PARAMETERS = np.dtype(
    [
        ("weight", "f8", (COUNT,)),  # log-odds between an indicator's two anchors
        ("healthy", "f8", (COUNT,)),  # the anchors: utility 1 and utility 0
        ("unhealthy", "f8", (COUNT,)),
        ("neutral_log_odds", "f8"),  # of staying current, for a borrower without data
        ("neutral_utility", "f8"),
        ("offset", "f8"),  # index points at even odds
        ("factor", "f8"),  # points per unit of log-odds: PDO / ln 2
        ("level_min_points", "f8", (4,)),  # lowest index of AMPLE, STABLE, WATCH, TENSE
        ("hysteresis", "f8"),  # index points above a band's lowest that an improvement needs
        ("override_level", "i1", (4,)),  # the best level that each hard event allows
        ("dwell_ms", "i8"),
        ("improvement_dwell_ms", "i8"),
        ("relapse_dwell_ms", "i8"),
        ("grace_ms", "i8"),
        ("behaviours", "f8", (BEHAVIOURS, MOST_PARAMETERS)),  # the parameters of each
        ("cqplm_weight", "f8", (3,)),  # liquidity, credit, scenario
        ("credit_weight", "f8", (2,)),  # timeliness, elasticity
        ("scenario_weight", "f8", (2,)),  # purpose_share, 1 - purpose_deviation
        ("interval_ms", "i8"),
        ("lateness_ms", "i8"),  # how far behind its source an event may still be
        *FOREST,
    ]
)
"""The layout: one record for one policy and model."""

ScoringParameters: TypeAlias = np.void
"""One record of ``SCORING_PARAMETERS``."""
