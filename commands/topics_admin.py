"""Creating the topics of a deployment, and checking the existing ones."""

from dataclasses import dataclass
from typing import Any

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient, ConfigResource, NewTopic, ResourceType

from loanpulse.schemas.topics import Topic, catalogue
from loanpulse.settings import Settings
from loanpulse.settings.broker import librdkafka_properties

TIMEOUT_SECONDS = 15.0
PEOPLE_WAIT_SECONDS = 3.0
"""How long a command waits for a broker before it reports that none answers; a starting deployment waits longer."""


class BrokerUnreachableError(ConnectionError):
    """The broker does not answer, or refuses this client; the text names its address and what to check."""


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong with the topics, and what to do about it."""

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
    """Create the missing topics; returns for each topic whether it was created now.

    Raises:
        BrokerUnreachableError: the broker does not answer, or can't create a topic.
    """
    client, there = _connect(settings, TIMEOUT_SECONDS)
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
    client, there = _connect(settings, wait_seconds)
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
    """Return each topic of the deployment with its number of partitions, None if it is missing."""
    _, there = _connect(settings, PEOPLE_WAIT_SECONDS)
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
            continue  # not every broker returns its configuration
        if entry is not None and entry.value and "compact" not in entry.value:
            problems.append(
                Problem(
                    f"topic {resource.name} is not compacted, so the broker deletes its oldest state",
                    f"set cleanup.policy=compact on {resource.name}",
                )
            )
    return problems


def _connect(settings: Settings, wait_seconds: float) -> tuple[AdminClient, dict[str, int]]:
    """Return a client of the broker, and the number of partitions of each existing topic."""
    errors: list[str] = []
    client = AdminClient(
        librdkafka_properties(settings, log_level=0, error_cb=lambda error: errors.append(error.str()))
    )
    try:
        metadata: Any = client.list_topics(timeout=wait_seconds)
    except KafkaException as error:
        client.poll(0)
        raise BrokerUnreachableError(
            f"no broker answers at {settings.broker.bootstrap_servers} within {wait_seconds:g} s "
            f"({_cause(errors) or error.args[0].str()}); "
            "check broker.bootstrap_servers, the broker's security settings and that it runs"
        ) from error
    return client, {name: len(topic.partitions) for name, topic in metadata.topics.items() if topic.error is None}


def _cause(errors: list[str]) -> str:
    """Return the first cause among a client's errors, such as "Connection refused"; "" if there is none."""
    for text in errors:
        if "brokers are down" not in text:
            return text.split(" (after ")[0].rsplit("failed: ", 1)[-1]
    return ""
