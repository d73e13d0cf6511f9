"""What every kind of alert owes."""

import numpy as np

from loanpulse.schemas import contracts
from loanpulse.schemas.contracts import AlertKind, Contract, Level
from loanpulse.streams.alerts.relevance import is_relevant_to_lender
from loanpulse.streams.policy.actions import Action
from loanpulse.streams.policy.policy_file import Policy
from loanpulse.streams.record.layout import empty_records

LEVELS = tuple(level for level in Level if level is not Level.UNKNOWN)


def levels_of(kind: AlertKind) -> tuple[Level, ...]:
    """Return the levels at which an alert of ``kind`` can be: no level worsens to AMPLE or improves to CRISIS."""
    impossible = {AlertKind.LEVEL_WORSENED: Level.AMPLE, AlertKind.LEVEL_IMPROVED: Level.CRISIS}.get(kind)
    return tuple(level for level in LEVELS if level is not impossible)


def check_stands_in_the_contract(kind: AlertKind, policy: Policy) -> None:
    """Alerts and suppressions can name it."""
    for contract in (Contract.LIQUIDITY_ALERT, Contract.SUPPRESSION):
        assert f'"{kind.name}"' in contracts.path(contract).read_text(), f"{kind.name}: add it to {contract}"


def check_policy_advises_what_it_knows(kind: AlertKind, policy: Policy) -> None:
    """At every level the policy gives a list of actions that it knows, each once."""
    for level in levels_of(kind):
        actions = policy.actions(kind, level)
        assert all(isinstance(action, Action) for action in actions), f"{kind.name} at {level.name}: unknown action"
        assert len(actions) == len(set(actions)), f"{kind.name} at {level.name}: an action stands twice"


def check_relevance_is_decided(kind: AlertKind, policy: Policy) -> None:
    """It is told whether a lender hears of it; a lender without a loan never hears of another's instalment."""
    stranger = np.array([1, 2, 3], "<u8")
    relevant = is_relevant_to_lender(empty_records(1)[0], kind, stranger, 0)
    assert isinstance(relevant, bool), f"{kind.name}: is_relevant_to_lender must answer yes or no"
    own_loans_only = {AlertKind.INSTALMENT_MISSED, AlertKind.PARTIAL_PAYMENT_STREAK, AlertKind.PURPOSE_DEVIATION}
    assert relevant == (kind not in own_loans_only), f"{kind.name}: a lender hears of its own loans only"


def check_priority_is_known(kind: AlertKind, policy: Policy) -> None:
    """What its actions are taken to avoid is a share of the expected loss."""
    for level in levels_of(kind):
        assert 0.0 <= policy.effect(policy.actions(kind, level)) <= 1.0, f"{kind.name}: an effect is no share"
