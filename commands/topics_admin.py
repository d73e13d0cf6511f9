"""Creating the topics of a deployment, and saying what is wrong with those that are there."""

from dataclasses import dataclass
from typing import Any

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient, ConfigResource, NewTopic, ResourceType

from loanpulse.schemas.topics import Topic, catalogue
from loanpulse.settings import Settings
from loanpulse.settings.broker import librdkafka_properties

TIMEOUT_SECONDS = 15.0
PEOPLE_WAIT_SECONDS = 3.0
"""How long a person waits to be told that no broker answers; a part of a starting deployment waits longer."""


class BrokerUnreachableError(ConnectionError):
    """The broker does not answer, or refuses this client; the text says where and what to look at."""


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong, and what to do about it."""

    what: str
    remedy: str


def deployment(settings: Settings) -> list[Topic]:
    """Return the catalogue of this deployment."""
    topics = settings.topics
    return catalogue(prefix=topics.prefix, lenders=topics.lenders, retention_days=topics.retention_days)


def partitions_of(topic: Topic, settings: Settings) -> int:
    """Return how many partitions a topic has in this deployment."""
    return topic.partitions or settings.topics.partitions


def create_topics(settings: Settings) -> dict[str, bool]:
    """Create what is missing; returns, per topic, whether it was created now.

    Raises:
        BrokerUnreachableError: the broker can't be asked.
    """
    client, there = _asked(settings, TIMEOUT_SECONDS)
    missing = [topic for topic in deployment(settings) if topic.name not in there]
    new = [
        NewTopic(
            topic.name,
            num_partitions=partitions_of(topic, settings),
            replication_factor=settings.topics.replication_factor,
            config={"cleanup.policy": topic.cleanup_policy, "retention.ms": str(topic.retention_ms)},
        )
        for topic in missing
    ]
    if new:
        for name, future in client.create_topics(new, operation_timeout=TIMEOUT_SECONDS).items():
            try:
                future.result(TIMEOUT_SECONDS)
            except KafkaException as error:
                if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
                    raise BrokerUnreachableError(f"topic {name} can't be created: {error.args[0].str()}") from error
    created = {topic.name for topic in missing}
    return {topic.name: topic.name in created for topic in deployment(settings)}


def check_topics(settings: Settings, wait_seconds: float = PEOPLE_WAIT_SECONDS) -> list[Problem]:
    """Return what is wrong with the topics; raises BrokerUnreachableError."""
    client, there = _asked(settings, wait_seconds)
    problems: list[Problem] = []
    for topic in deployment(settings):
        wanted = partitions_of(topic, settings)
        found = there.get(topic.name)
        if found is None:
            problems.append(Problem(f"topic {topic.name} is missing", "run `loanpulse topics create`"))
        elif found != wanted:
            problems.append(
                Problem(
                    f"topic {topic.name} has {found} partitions, the configuration says {wanted}",
                    "set topics.partitions to what the topics have; a borrower's records must not change partition, "
                    "so never add partitions to topics in use",
                )
            )
    return problems + _policy_problems(client, settings, set(there))


def describe_topics(settings: Settings) -> list[tuple[Topic, int | None]]:
    """Return each topic of the deployment with the partitions it has, None where it is missing."""
    _, there = _asked(settings, PEOPLE_WAIT_SECONDS)
    return [(topic, there.get(topic.name)) for topic in deployment(settings)]


def _policy_problems(client: AdminClient, settings: Settings, there: set[str]) -> list[Problem]:
    compacted = [topic for topic in deployment(settings) if topic.cleanup_policy == "compact" and topic.name in there]
    problems = []
    resources = [ConfigResource(ResourceType.TOPIC, topic.name) for topic in compacted]
    if not resources:
        return []
    for resource, future in client.describe_configs(resources).items():
        try:
            entry = future.result(TIMEOUT_SECONDS).get("cleanup.policy")
        except KafkaException:
            continue  # a broker that doesn't tell its configuration is not thereby wrong
        if entry is not None and entry.value and "compact" not in entry.value:
            problems.append(
                Problem(
                    f"topic {resource.name} is not compacted, so its state would be lost with time",
                    f"set cleanup.policy=compact on {resource.name}",
                )
            )
    return problems


def _asked(settings: Settings, wait_seconds: float) -> tuple[AdminClient, dict[str, int]]:
    """Return a client of the broker, and the partitions of each topic that is there."""
    said: list[str] = []
    client = AdminClient(librdkafka_properties(settings, log_level=0, error_cb=lambda error: said.append(error.str())))
    try:
        metadata: Any = client.list_topics(timeout=wait_seconds)
    except KafkaException as error:
        client.poll(0)
        raise BrokerUnreachableError(
            f"no broker answers at {settings.broker.bootstrap_servers} within {wait_seconds:g} s "
            f"({_cause(said) or error.args[0].str()}); "
            "check broker.bootstrap_servers, the broker's security settings and that it runs"
        ) from error
    return client, {name: len(topic.partitions) for name, topic in metadata.topics.items() if topic.error is None}


def _cause(said: list[str]) -> str:
    """Return the first cause that a client named, such as "Connection refused"; "" where it named none."""
    for text in said:
        if "brokers are down" not in text:
            return text.split(" (after ")[0].rsplit("failed: ", 1)[-1]
    return ""
