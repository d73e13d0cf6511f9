"""A forest that has grown on made-up borrowers, whose defaults follow two indicators together and a third."""

from functools import cache

import numpy as np

from loanpulse.streams.indicators.catalogue import COUNT
from loanpulse.streams.learning import contract_values
from loanpulse.streams.learning.challenger import Challenger, ChallengerOptions
from loanpulse.streams.learning.champion import Champion
from loanpulse.streams.learning.forest import ForestOptions
from loanpulse.streams.learning.outputs import FOREST, Version
from loanpulse.streams.learning.trainer import FEATURES
from loanpulse.streams.models.calibration import probability
from loanpulse.streams.models.challenger_weights import challenger_to_bytes
from loanpulse.streams.models.flat_challenger import PublishedChallenger
from loanpulse.streams.models.inputs import INDEX_INPUTS, Labels, Reals, inputs_of
from loanpulse.streams.policy import policy_file

PARAMETERS = policy_file.load().parameters
NEUTRAL = float(PARAMETERS["neutral_utility"])
OPTIONS = ChallengerOptions(ForestOptions(trees=5, patch=0.6, grace_period=40, delta=0.05, tau=0.2), replays=2)


def model_inputs(count: int, seed: int) -> Reals:
    """Value, utility, evidence, points and age of made-up borrowers' indicators; one in ten is not known."""
    dice = np.random.default_rng(seed)
    utility = dice.random((count, COUNT))
    known = dice.random((count, COUNT)) > 0.1
    value = np.where(
        known,
        PARAMETERS["unhealthy"] + utility * (PARAMETERS["healthy"] - PARAMETERS["unhealthy"]),
        np.nan,
    )
    evidence = np.where(known, dice.random((count, COUNT)), 0.0)
    nothing = np.zeros((count, COUNT))
    return np.stack([value, np.where(known, utility, NEUTRAL), evidence, nothing, nothing], axis=2)


def outcomes(rows: Reals, seed: int) -> Labels:
    """Who defaults: where arrears and cash flow are bad together, or income falls."""
    counted = rows[:, :, 2] * (np.nan_to_num(rows[:, :, 1]) - NEUTRAL)
    odds = -2.0 - 4.0 * counted[:, 4] + 4.0 * ((counted[:, 6] < -0.1) & (counted[:, 0] < 0.0))
    return np.random.default_rng(seed).random(len(rows)) < probability(odds)


@cache
def grown() -> tuple[Champion, Challenger]:
    """The two models after some thousand examples."""
    champion, challenger = Champion(INDEX_INPUTS, 0.04), Challenger(FEATURES, OPTIONS)
    for batch in range(24):
        rows = model_inputs(128, batch)
        counted, features = inputs_of(rows, NEUTRAL)
        told = outcomes(rows, 100 + batch)
        challenger.learn(features, champion.raw_log_odds(counted), told)
        champion.learn(counted, told)
    return champion, challenger


def forest() -> PublishedChallenger:
    """The challenger as it is published."""
    champion, challenger = grown()
    return PublishedChallenger(challenger.flat(), champion.uncalibrated())


def promoted(time_ms: int, version: str = "forest-30-3072") -> contract_values.Value:
    """The forest as a value of model-snapshots that puts it in force, by a person."""
    said = Version(FOREST, version, "expert-1", True, True, time_ms, 3072, "test", challenger_to_bytes(forest()), "ok")
    return contract_values.version_value(said, [0]) | {"decided_by": "p-1"}
