"""What a partition hands to everyone who reads scorings: the alerts, the snapshots, the evaluation."""

from collections.abc import Callable
from dataclasses import dataclass

from loanpulse.streams.alerts.ids import Texts
from loanpulse.streams.policy.policy_file import Policy
from loanpulse.streams.record.ids import Keys
from loanpulse.streams.record.layout import Records
from loanpulse.streams.scoring.parameters import ScoringParameters
from loanpulse.streams.scoring.score import Scores


def _keep() -> None:
    """Release nothing."""


@dataclass(frozen=True, slots=True)
class Scored:
    """Scorings with their borrowers' keys and their deterministic ids, in the same order.

    All were made under one policy and one model. ``kept`` holds copies of the borrowers' records, taken at the
    scorings that call for an alert. After ``release`` the memory of ``scores`` is written again, so call it when nobody
    reads them any more; without the call nothing is reused.
    """

    partition: int
    policy: Policy
    model_version: str
    scores: Scores
    keys: Keys
    ids: Texts
    parameters: ScoringParameters
    kept: Records
    release: Callable[[], None] = _keep

    def __len__(self) -> int:
        return len(self.scores)
