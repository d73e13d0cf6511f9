"""What stands in one lane: the policy, the model, the alerts held back, and how far budgets are used."""

from dataclasses import dataclass, field

from loanpulse.streams.borrower_record import LONG_AGO
from loanpulse.streams.budget import BudgetLedger
from loanpulse.streams.policy import MODEL_VERSION, Policy
from loanpulse.streams.scoring import Card
from loanpulse.streams.suppressions import Suppressions


@dataclass(slots=True)
class Standing:
    """What is in force in one lane. ``policy_since`` is the moment (ms) and identity of the newest activation."""

    policy: Policy
    policy_since: tuple[int, str] = (LONG_AGO, "")
    model_version: str = MODEL_VERSION
    suppressions: Suppressions = field(default_factory=Suppressions)
    ledger: BudgetLedger = field(default_factory=BudgetLedger)

    @property
    def card(self) -> Card:
        """The scorecard by which the lane scores."""
        return self.policy.card
