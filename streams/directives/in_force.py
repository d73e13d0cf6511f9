"""What stands in one lane: the policy, the model, the alerts held back, and how far budgets are used."""

from dataclasses import dataclass, field

from loanpulse.streams.alerts.budget import BudgetLedger
from loanpulse.streams.alerts.suppressions import Suppressions
from loanpulse.streams.models.served import Served, card_with
from loanpulse.streams.policy.policy_file import MODEL_VERSION, Policy
from loanpulse.streams.record.layout import LONG_AGO
from loanpulse.streams.scoring.borrower import Card


@dataclass(slots=True)
class Standing:
    """What is in force in one lane. ``policy_since`` and ``model_since`` are the moment (ms) and identity of the
    newest activation and of the newest version put in force; ``model`` is None where the experts' scorecard stands.
    """

    policy: Policy
    policy_since: tuple[int, str] = (LONG_AGO, "")
    model_version: str = MODEL_VERSION
    model_since: tuple[int, str] = (LONG_AGO, "")
    model: Served | None = None
    suppressions: Suppressions = field(default_factory=Suppressions)
    ledger: BudgetLedger = field(default_factory=BudgetLedger)

    @property
    def card(self) -> Card:
        """The policy's card by which the lane scores, with the model where one is in force."""
        return self.policy.card if self.model is None else card_with(self.policy.card, self.model)
