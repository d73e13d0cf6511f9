"""The control topics that a lane obeys, and what their records do to it."""

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
        DirectiveError: the document is damaged, of another version than said, or breaks a rule of the policy.
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


def apply_activation(standing: InForce, order: Directive, _moment: int) -> None:
    """Put a policy in force, unless one activated for a later moment stands already."""
    since = order.effective_at, order.identity
    if since > standing.policy_since:
        standing.policy_since = since
        standing.policy = policy_file.built(
            order.content, standing.policy.interval_seconds, standing.policy.allowed_lateness_days
        )


def read_suppression(value: dict[str, Any]) -> dict[str, Any]:
    """Return a suppression as it is.

    Raises:
        DirectiveError: it names a kind of alert that is not known, or ends before it begins.
    """
    if value["kind"] == AlertKind.UNKNOWN.name:
        raise DirectiveError("kind is not one that this version knows")
    if value["until"] is not None and value["until"] <= value["event_time"]:
        raise DirectiveError("until is not after event_time")
    return value


def apply_suppression(standing: InForce, order: Directive, moment: int) -> None:
    """Note a suppression, or its lifting, from ``moment`` (ms) on: alerts before it have been sent."""
    standing.suppressions.add(order.content, moment)


def suppressed_borrower(content: dict[str, Any]) -> str:
    """Return the borrower whom a suppression is about."""
    return str(content["borrower_id"])


@dataclass(frozen=True, slots=True)
class Model:
    """A version to score with: a champion's scorecard, or a forest that a person has put in its place."""

    version: str
    served: Served


def read_model(value: dict[str, Any]) -> Model | None:
    """Return the version that a record of model-snapshots puts in force, None where it puts none.

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
    """Return from when on workers score with a version: its effective time, else that up to which it has learned."""
    moment: datetime = value["effective_time"] or value["event_time"]
    return moment


def apply_model(standing: InForce, order: Directive, _moment: int) -> None:
    """Score with a version, unless one put in force for a later moment stands already."""
    since = order.effective_at, order.identity
    if since > standing.model_since:
        standing.model_since = since
        standing.model_version, standing.model = order.content.version, order.content.served


DIRECTIVE_KINDS: tuple[DirectiveKind, ...] = (
    DirectiveKind(POLICY_ACTIVATIONS, read_activation, apply_activation),
    DirectiveKind(MODEL_SNAPSHOTS, read_model, apply_model, model_effective),
    # An order to hold back compares each alert's own moment, so no scoring depends on when it is noted.
    DirectiveKind(SUPPRESSIONS, read_suppression, apply_suppression, splits=False, borrower=suppressed_borrower),
)
"""What ``Directives`` is made of; a further topic is an entry here."""
