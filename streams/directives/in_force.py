"""What stands in one lane: the policy, the model, the alerts held back, and how far budgets are used."""

from dataclasses import dataclass, field

from loanpulse.streams.alerts.budget import AlertBudgets
from loanpulse.streams.alerts.suppressions import Suppressions
from loanpulse.streams.models.served import Served, parameters_with
from loanpulse.streams.policy.policy_file import MODEL_VERSION, Policy
from loanpulse.streams.record.layout import LONG_AGO
from loanpulse.streams.scoring.parameters import ScoringParameters


@dataclass(slots=True)
class InForce:
    """What is in force in one lane. ``policy_since`` and ``model_since`` are the moment (ms) and identity of the
    newest activation and of the newest version put in force; ``model`` is None where the experts' scorecard stands.
    """

    policy: Policy
    policy_since: tuple[int, str] = (LONG_AGO, "")
    model_version: str = MODEL_VERSION
    model_since: tuple[int, str] = (LONG_AGO, "")
    model: Served | None = None
    suppressions: Suppressions = field(default_factory=Suppressions)
    ledger: AlertBudgets = field(default_factory=AlertBudgets)

    @property
    def parameters(self) -> ScoringParameters:
        """The policy's parameters by which the lane scores, with the model where one is in force."""
        return self.policy.parameters if self.model is None else parameters_with(self.policy.parameters, self.model)
