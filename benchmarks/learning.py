"""What learning costs: examples learned per second, prediction per borrower and batch, and the size of each model."""

import time
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from loanpulse.schemas.compiled import compiled
from loanpulse.streams.indicators.catalogue import COUNT
from loanpulse.streams.learning.challenger import Challenger
from loanpulse.streams.learning.champion import Champion
from loanpulse.streams.learning.trainer import FEATURES
from loanpulse.streams.models.calibration import probability
from loanpulse.streams.models.challenger_weights import challenger_to_bytes
from loanpulse.streams.models.flat_challenger import PublishedChallenger
from loanpulse.streams.models.inputs import INDEX_INPUTS
from loanpulse.streams.models.scorecard import scorecard_to_bytes
from loanpulse.streams.models.served import parameters_with
from loanpulse.streams.policy import policy_file
from loanpulse.streams.scoring.index import weigh
from loanpulse.streams.scoring.parameters import ScoringParameters
from loanpulse.streams.scoring.score import SCORE, Scores

BATCH_ROWS = 128
LESSONS = 40
BATCH = 1_000

Figures = dict[str, float]


def timed(call: Callable[[], Any]) -> float:
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


@compiled
def weigh_all(scores: Scores, parameters: ScoringParameters) -> None:
    """Weigh every scoring as a worker does while it scores."""
    for place in range(len(scores)):
        weigh(scores[place], parameters)


def measure(figures: Figures) -> None:
    """Learn made-up examples with both models and add the figures."""
    dice = np.random.default_rng(1)
    count = BATCH_ROWS * LESSONS
    rows = dice.random((count, FEATURES)) - 0.6
    counted = np.ascontiguousarray(rows[:, :COUNT])
    outcomes = dice.random(count) < probability(-2.0 - 3.0 * counted[:, 6] - 2.0 * counted[:, 0] * counted[:, 1])
    champion, challenger = Champion(INDEX_INPUTS, 0.04), Challenger(FEATURES)
    batches = [slice(start, start + BATCH_ROWS) for start in range(0, count, BATCH_ROWS)]

    def teach_champion() -> None:
        for part in batches:
            champion.learn(counted[part], outcomes[part])

    def teach_challenger() -> None:
        for part in batches:
            challenger.learn(rows[part], np.zeros(BATCH_ROWS), outcomes[part])

    figures["learning: champion, examples/s"] = count / timed(teach_champion)
    figures["learning: challenger, examples/s"] = count / timed(teach_challenger)
    scorecard, flat = champion.scorecard(), challenger.flat()
    batch, odds = rows[:BATCH], np.zeros(BATCH)
    flat.log_odds(batch, odds)
    figures["prediction: champion, µs a batch of 1,000"] = 1e6 * timed(lambda: scorecard.pd(counted[:BATCH]))
    figures["prediction: challenger, µs a batch of 1,000"] = 1e6 * timed(lambda: flat.log_odds(batch, odds))
    one, no_odds = rows[:1], np.zeros(1)
    figures["prediction: champion, µs one borrower"] = 1e6 * timed(lambda: scorecard.pd(counted[:1]))
    figures["prediction: challenger, µs one borrower"] = 1e6 * timed(lambda: flat.log_odds(one, no_odds))
    scores, parameters = np.zeros(BATCH, SCORE), policy_file.load().parameters
    scores["value"] = parameters["unhealthy"] + (batch[:, :COUNT] + 0.6) * (
        parameters["healthy"] - parameters["unhealthy"]
    )
    scores["evidence"] = 1.0
    published = PublishedChallenger(flat, champion.uncalibrated())
    for name, served in (("scorecard", scorecard), ("forest", published)):
        own = parameters_with(parameters, served)
        weigh_all(scores, own)
        figures[f"prediction in a worker: {name}, µs a borrower"] = 1e6 * timed(partial(weigh_all, scores, own)) / BATCH
    figures["size: champion, bytes"] = len(scorecard_to_bytes(scorecard))
    figures["size: challenger, bytes"] = len(challenger_to_bytes(published))


if __name__ == "__main__":
    found: Figures = {}
    measure(found)
    for name, value in found.items():
        print(f"{name:48} {value:12,.1f}")
