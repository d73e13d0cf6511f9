"""What every behaviour owes."""

import re

from loanpulse.checks.texts import assert_readable, assert_told
from loanpulse.schemas.contracts import AlertKind, Level
from loanpulse.streams.behaviours.catalogue import BEHAVIOURS, MOST_PARAMETERS, Behaviour
from loanpulse.streams.policy.policy_file import Policy

CLEAR_DAYS = "clear_days"
FIRST_BEHAVIOUR = AlertKind.MULTI_LENDER_SURGE


def check_is_an_alert_kind(behaviour: Behaviour, policy: Policy) -> None:
    """Its place in the catalogue is that of its alert kind, because a scoring carries it as a bit."""
    assert behaviour.name in AlertKind.__members__, f"{behaviour.name}: add it to AlertKind and to the contract"
    place = BEHAVIOURS.index(behaviour)
    assert AlertKind[behaviour.name] == FIRST_BEHAVIOUR + place, f"{behaviour.name}: keep the order of AlertKind"


def check_texts(behaviour: Behaviour, policy: Policy) -> None:
    """Definition, value and source are said, and the reason can be shown in both languages."""
    assert_told(behaviour.name, definition=behaviour.definition, value=behaviour.value, source=behaviour.source)
    assert_readable(behaviour.name, behaviour.reason_en, behaviour.reason_zh)


def check_parameters_have_room_and_bounds(behaviour: Behaviour, policy: Policy) -> None:
    """The first parameter is how long it must be clear; each default lies within what a policy may set."""
    parameters = behaviour.parameters
    assert parameters[0].name == CLEAR_DAYS, f"{behaviour.name}: {CLEAR_DAYS} is the first parameter"
    assert len(parameters) <= MOST_PARAMETERS, f"{behaviour.name}: raise MOST_PARAMETERS, and the record's layout"
    names = [parameter.name for parameter in parameters]
    assert len(names) == len(set(names)), f"{behaviour.name}: two parameters have one name"
    for parameter in parameters:
        assert parameter.least <= parameter.default <= parameter.most, f"{behaviour.name}.{parameter.name}: bounds"
        assert_told(f"{behaviour.name}.{parameter.name}", meaning=parameter.meaning)


def check_definition_names_its_parameters(behaviour: Behaviour, policy: Policy) -> None:
    """Whoever reads the definition sees which number decides; it names no parameter that is not there."""
    named = set(re.findall(r"`(\w+)`", behaviour.definition))
    owned = {parameter.name for parameter in behaviour.parameters} - {CLEAR_DAYS}
    assert owned <= named, f"{behaviour.name}: the definition leaves out {sorted(owned - named)}"


def check_policy_advises(behaviour: Behaviour, policy: Policy) -> None:
    """The policy has advice for it at every level, and a set of parameters."""
    for level in (Level.AMPLE, Level.STABLE, Level.WATCH, Level.TENSE, Level.CRISIS):
        actions = policy.actions(AlertKind[behaviour.name], level)
        assert actions, f"{behaviour.name}: [behaviour_actions] of the policy advises nothing"
