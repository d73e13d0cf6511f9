"""The topic catalogue: every topic of a deployment, what keys it and what it carries."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from loanpulse.schemas.contracts import Contract
from loanpulse.schemas.units import DAY_MS

FOREVER_MS = -1


@dataclass(frozen=True, slots=True)
class Topic:
    """One topic of the catalogue.

    `contract` is None where the value is not Avro. `partitions` 0 stands for the configured count, which all
    topics keyed by borrower share, so that a borrower's records meet in one worker. `retention_ms` None stands
    for the configured retention; -1 keeps for ever.
    """

    name: str
    key: str
    contract: Contract | None
    carries: str
    cleanup_policy: str = "delete"
    retention_ms: int | None = None
    partitions: int = 0

    @property
    def subject(self) -> str:
        """The schema registry's subject for values of this topic."""
        return f"{self.name}-value"


REPAYMENT_EVENTS = "repayment-events"
SPENDING_EVENTS = "spending-events"
UTILITY_EVENTS = "utility-events"
LIQUIDITY_SNAPSHOTS = "liquidity-snapshots"
LIQUIDITY_ALERTS = "liquidity-alerts"
ALERT_FEEDBACK = "alert-feedback"
SUPPRESSIONS = "suppressions"
POLICY_ACTIVATIONS = "policy-activations"
TRAINING_EXAMPLES = "training-examples"
MODEL_HEALTH = "model-health"
MODEL_SNAPSHOTS = "model-snapshots"
ORDER_APPLICATIONS = "order-applications"
DEAD_LETTERS = "dead-letters"
BORROWERS_CHANGELOG = "loanpulse-borrowers-changelog"

EVENT_TOPICS = (REPAYMENT_EVENTS, SPENDING_EVENTS, UTILITY_EVENTS)

_BORROWER = "borrower_id"

TOPICS: list[Topic] = [
    Topic(REPAYMENT_EVENTS, _BORROWER, Contract.REPAYMENT_EVENT, "what happened to a loan"),
    Topic(SPENDING_EVENTS, _BORROWER, Contract.SPENDING_EVENT, "what moved on an account"),
    Topic(UTILITY_EVENTS, _BORROWER, Contract.UTILITY_EVENT, "bills, meter readings and notices"),
    Topic(LIQUIDITY_SNAPSHOTS, _BORROWER, Contract.LIQUIDITY_SNAPSHOT, "every scoring"),
    Topic(LIQUIDITY_ALERTS, _BORROWER, Contract.LIQUIDITY_ALERT, "what someone must act on"),
    Topic(ALERT_FEEDBACK, _BORROWER, Contract.ALERT_FEEDBACK, "the outcomes of alerts"),
    Topic(
        SUPPRESSIONS,
        "borrower_id/suppression_id",
        Contract.SUPPRESSION,
        "suppressions of alerts",
        "compact",
        FOREVER_MS,
    ),
    Topic(
        POLICY_ACTIVATIONS,
        "policy_id",
        Contract.POLICY_ACTIVATION,
        "policies taking effect",
        "compact",
        FOREVER_MS,
        partitions=1,
    ),
    Topic(TRAINING_EXAMPLES, _BORROWER, Contract.TRAINING_EXAMPLE, "snapshots whose outcome is known"),
    Topic(MODEL_HEALTH, "model_id", Contract.MODEL_HEALTH, "how good the models are", partitions=1),
    Topic(
        MODEL_SNAPSHOTS,
        "model_id",
        Contract.MODEL_SNAPSHOT,
        "versioned weights",
        "compact",
        FOREVER_MS,
        partitions=1,
    ),
    Topic(
        ORDER_APPLICATIONS,
        "order_id/partition",
        Contract.ORDER_APPLICATION,
        "from when each partition applies a directive",
        "compact",
        FOREVER_MS,
        partitions=1,
    ),
    Topic(DEAD_LETTERS, "as it came", None, "refused records, whole"),
    Topic(BORROWERS_CHANGELOG, _BORROWER, None, "state of the borrowers", "compact", FOREVER_MS),
]

_BY_NAME = {topic.name: topic for topic in TOPICS}


class UnknownTopic(ValueError):
    """The name is not in the catalogue."""


def key_of(topic: str, value: dict[str, Any]) -> bytes:
    """The key of a record of the topic with the bare name `topic`.

    On a compacted topic it is what must not be replaced: each activation by its policy_id, each suppression and each
    lifting of one by borrower_id and suppression_id, each application of an order by order_id and partition.
    """
    if topic == ORDER_APPLICATIONS:
        return f"{value['order_id']}/{value['partition']}".encode()
    if topic == SUPPRESSIONS:
        lifted = "/lifted" if value.get("lifted") else ""
        return f"{value['borrower_id']}/{value['suppression_id']}{lifted}".encode()
    field = topic_of(topic).key
    return str(value.get(field, "")).encode()


def lender_alerts(lender_id: str) -> str:
    """The bare name of one lender's own alert topic."""
    return f"{LIQUIDITY_ALERTS}.{lender_id}"


def full_name(name: str, prefix: str = "") -> str:
    """The name on the broker of the topic with the bare name `name`."""
    return prefix + name


def topic_of(name: str, prefix: str = "") -> Topic:
    """The catalogue's entry (with its bare name) for a topic on the broker; raises UnknownTopic."""
    bare = name.removeprefix(prefix)
    if bare in _BY_NAME:
        return _BY_NAME[bare]
    if bare.startswith(LIQUIDITY_ALERTS + ".") and len(bare) > len(LIQUIDITY_ALERTS) + 1:
        return replace(_BY_NAME[LIQUIDITY_ALERTS], name=bare)
    known = ", ".join(_BY_NAME)
    raise UnknownTopic(f"topic {name!r} is not in the catalogue; take one of {known}")


def contract_of(name: str, prefix: str = "") -> Contract:
    """The contract of a topic's values; raises UnknownTopic also for topics whose values are not Avro."""
    topic = topic_of(name, prefix)
    if topic.contract is None:
        raise UnknownTopic(f"topic {name!r} carries no Avro")
    return topic.contract


def catalogue(*, prefix: str = "", lenders: Iterable[str] = (), retention_days: float = 7.0) -> list[Topic]:
    """Every topic of a deployment under its name on the broker, with the retention filled in."""
    topics = [*TOPICS, *(topic_of(lender_alerts(lender)) for lender in lenders)]
    kept = int(retention_days * DAY_MS)
    return [
        replace(
            topic,
            name=full_name(topic.name, prefix),
            retention_ms=kept if topic.retention_ms is None else topic.retention_ms,
        )
        for topic in topics
    ]
