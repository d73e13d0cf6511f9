"""What is in force in one partition: the policy, the model, the suppressions, and the use of alert budgets."""

from dataclasses import dataclass, field

from loanpulse.streams.alerts.budget import AlertBudgets
from loanpulse.streams.alerts.suppressions import Suppressions
from loanpulse.streams.models.served import Served, parameters_with
from loanpulse.streams.policy.policy_file import MODEL_VERSION, Policy
from loanpulse.streams.record.layout import LONG_AGO
from loanpulse.streams.scoring.parameters import ScoringParameters

Since = tuple[int, str]
"""The effective time (ms) and the identity of the directive that put something in force: later ones win."""


@dataclass(slots=True)
class InForce:
    """What is in force in one partition.

    ``parameters`` follow from the policy and the model; ``model`` is None where the experts' scorecard is in force.
    """

    policy: Policy
    policy_since: Since = (LONG_AGO, "")
    model_version: str = MODEL_VERSION
    model_since: Since = (LONG_AGO, "")
    model: Served | None = None
    suppressions: Suppressions = field(default_factory=Suppressions)
    budgets: AlertBudgets = field(default_factory=AlertBudgets)
    parameters: ScoringParameters = field(init=False)

    def __post_init__(self) -> None:
        self.parameters = self.policy.parameters

    def activate(self, policy: Policy, since: Since) -> None:
        """Put a policy in force."""
        self.policy, self.policy_since = policy, since
        self._set_parameters()

    def serve(self, version: str, model: Served, since: Since) -> None:
        """Score with a model from now on."""
        self.model_version, self.model, self.model_since = version, model, since
        self._set_parameters()

    def _set_parameters(self) -> None:
        expert = self.policy.parameters
        self.parameters = expert if self.model is None else parameters_with(expert, self.model)
