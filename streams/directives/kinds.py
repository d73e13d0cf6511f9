"""The kinds of directives: how the records of each control topic are read, and what they change in a partition."""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from loanpulse.schemas.contracts import AlertKind
from loanpulse.schemas.topics import MODEL_SNAPSHOTS, POLICY_ACTIVATIONS, SUPPRESSIONS
from loanpulse.streams.directives.directives import Directive, DirectiveError, DirectiveKind
from loanpulse.streams.directives.in_force import InForce
from loanpulse.streams.models.scorecard import FORMAT, WeightsError
from loanpulse.streams.models.served import Served, check_servable, served_from_bytes
from loanpulse.streams.models.versions import puts_in_force
from loanpulse.streams.policy import policy_file
from loanpulse.streams.policy.policy_file import PolicyFile


def read_activation(value: dict[str, Any]) -> PolicyFile:
    """Return the policy that an activation carries.

    Raises:
        DirectiveError: the document is damaged, is not of the version named, or breaks a rule of the policy.
    """
    document = value["document"]
    if hashlib.sha256(document.encode()).hexdigest() != value["sha256"].lower():
        raise DirectiveError("sha256 is not that of the document")
    try:
        file = policy_file.parse(document, "document")
    except policy_file.PolicyError as error:
        raise DirectiveError(str(error)) from error
    if file.version != value["policy_version"]:
        raise DirectiveError(f"policy_version is {value['policy_version']!r}, the document says {file.version!r}")
    return file


def apply_activation(in_force: InForce, directive: Directive, _at_ms: int) -> None:
    """Put a policy in force, unless one activated for a later time is in force already."""
    since = directive.effective_at, directive.identity
    if since > in_force.policy_since:
        replaced = in_force.policy
        policy = policy_file.built(directive.content, replaced.interval_seconds, replaced.allowed_lateness_days)
        in_force.activate(policy, since)


def read_suppression(value: dict[str, Any]) -> dict[str, Any]:
    """Return a suppression unchanged.

    Raises:
        DirectiveError: it names an unknown kind of alert, or ends before it begins.
    """
    if value["kind"] == AlertKind.UNKNOWN.name:
        raise DirectiveError("kind is not one that this version knows")
    if value["until"] is not None and value["until"] <= value["event_time"]:
        raise DirectiveError("until is not after event_time")
    return value


def apply_suppression(in_force: InForce, directive: Directive, at_ms: int) -> None:
    """Add a suppression, or its lifting, from ``at_ms`` on: alerts before that are sent already."""
    in_force.suppressions.add(directive.content, at_ms)


def suppressed_borrower(content: dict[str, Any]) -> str:
    """Return the borrower whom a suppression is about."""
    return str(content["borrower_id"])


@dataclass(frozen=True, slots=True)
class Model:
    """A version to score with: a champion's scorecard, or a forest that a person has promoted."""

    version: str
    served: Served


def read_model(value: dict[str, Any]) -> Model | None:
    """Return the version that a record of model-snapshots puts in force, None where it puts none in force.

    Raises:
        DirectiveError: the weights are damaged or in a form that is not known, or borrowers can't be scored with them.
    """
    if not puts_in_force(value):
        return None
    if value["weights_format"] != FORMAT:
        raise DirectiveError(f"weights_format is {value['weights_format']!r}; this version reads {FORMAT}")
    if not value["model_version"]:
        raise DirectiveError("model_version is empty")
    try:
        served = served_from_bytes(value["weights"], value["sha256"])
        check_servable(served)
    except WeightsError as error:
        raise DirectiveError(str(error)) from error
    return Model(value["model_version"], served)


def model_effective(value: dict[str, Any]) -> datetime:
    """Return when workers begin to score with a version: its effective time, else the end of what it has learned."""
    at: datetime = value["effective_time"] or value["event_time"]
    return at


def apply_model(in_force: InForce, directive: Directive, _at_ms: int) -> None:
    """Score with a model version, unless one put in force for a later time is in force already."""
    since = directive.effective_at, directive.identity
    if since > in_force.model_since:
        in_force.serve(directive.content.version, directive.content.served, since)


DIRECTIVE_KINDS: tuple[DirectiveKind, ...] = (
    DirectiveKind(POLICY_ACTIVATIONS, read_activation, apply_activation),
    DirectiveKind(MODEL_SNAPSHOTS, read_model, apply_model, model_effective),
    # A suppression compares each alert's own time, so no scoring depends on when it is added.
    DirectiveKind(SUPPRESSIONS, read_suppression, apply_suppression, splits=False, borrower=suppressed_borrower),
)
"""The kinds that ``Directives`` knows; a further topic is an entry here."""
