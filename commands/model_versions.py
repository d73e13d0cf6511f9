"""The models' versions on model-snapshots, and the experts' scorecard, which need not be published."""

from typing import Any

from confluent_kafka import Consumer, KafkaException

from loanpulse.broker.read_to_end import (
    READ_TO_END_PROPERTIES,
    TopicMissingError,
    partitions_from_beginning,
    read_to_end,
)
from loanpulse.commands import topics_admin
from loanpulse.schemas.codec import Codec
from loanpulse.schemas.confluent_registry import open_registry
from loanpulse.schemas.topics import MODEL_SNAPSHOTS, full_name
from loanpulse.settings import Settings
from loanpulse.settings.broker import consumer_properties
from loanpulse.streams.from_settings import load_policy
from loanpulse.streams.learning import contract_values
from loanpulse.streams.models.scorecard import scorecard_of
from loanpulse.streams.models.versions import IN_FORCE_KEY
from loanpulse.streams.policy.policy_file import MODEL_VERSION

MAX_SILENCE_SECONDS = 15.0

Versions = dict[str, dict[str, Any]]
"""The newest record of every key."""


class UnknownVersion(LookupError):
    """No version has this name."""


def opened(settings: Settings) -> tuple[Codec, Versions]:
    """Return the codec and all versions, with the experts' scorecard of the configured policy.

    Raises:
        PolicyError: the policy file can't be used.
        RegistryUnavailable: the schema registry can't be reached.
        BrokerUnreachableError: no broker answers.
        EndNotReachedError: the broker stopped delivering.
    """
    topics_admin.check_topics(settings)
    codec = Codec(open_registry(settings.registry), settings.topics.prefix)
    versions = read_versions(settings, codec)
    experts = contract_values.experts_value(
        scorecard_of(load_policy(settings).parameters), in_force=IN_FORCE_KEY not in versions
    )
    versions.setdefault(f"{experts['model_id']}/{MODEL_VERSION}", experts)
    return codec, versions


def read_versions(settings: Settings, codec: Codec) -> Versions:
    """Return the newest record of every key of model-snapshots.

    Raises:
        BrokerUnreachableError: the broker does not deliver the topic, or has no such topic.
        EndNotReachedError: the broker stopped delivering.
    """
    topic = full_name(MODEL_SNAPSHOTS, settings.topics.prefix)
    consumer = Consumer(consumer_properties(settings, "loanpulse-models", log_level=0, **READ_TO_END_PROPERTIES))
    found: Versions = {}
    try:
        partitions = partitions_from_beginning(consumer, [topic])
        for message in read_to_end(consumer, partitions, MAX_SILENCE_SECONDS):
            key = message.key().decode()
            if message.value() is None:
                found.pop(key, None)
            else:
                found[key] = codec.decode(topic, message.value())
    except KafkaException as error:
        raise topics_admin.BrokerUnreachableError(f"{topic} can't be read: {error.args[0].str()}") from error
    except TopicMissingError as error:
        raise topics_admin.BrokerUnreachableError(str(error)) from error
    finally:
        consumer.close()
    return found


def version_in_force(versions: Versions) -> str:
    """Return the name of the version in force."""
    name: str = versions[IN_FORCE_KEY]["model_version"] if IN_FORCE_KEY in versions else MODEL_VERSION
    return name


def find_version(versions: Versions, version: str) -> dict[str, Any]:
    """Return a version's record.

    Raises:
        UnknownVersion: no version has this name.
    """
    for key, value in versions.items():
        if key != IN_FORCE_KEY and value["model_version"] == version:
            return value
    known = ", ".join(sorted({value["model_version"] for value in versions.values()}))
    raise UnknownVersion(f"There is no version {version}; known: {known}.")
