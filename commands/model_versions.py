"""The models' versions as model-snapshots holds them, with the experts' own, which nobody has to publish."""

import time
from typing import Any

from confluent_kafka import Consumer, KafkaException, TopicPartition

from loanpulse.commands import topics_admin
from loanpulse.schemas.codec import Codec
from loanpulse.schemas.registry import open_registry
from loanpulse.schemas.topics import MODEL_SNAPSHOTS, full_name
from loanpulse.settings import Settings
from loanpulse.settings.broker import consumer_properties
from loanpulse.streams.from_settings import load_policy
from loanpulse.streams.learning import contract_values
from loanpulse.streams.models.scorecard import scorecard_of
from loanpulse.streams.policy.policy_file import MODEL_VERSION
from loanpulse.streams.trainer.process import IN_FORCE_KEY

READ_SECONDS = 15.0

Versions = dict[str, dict[str, Any]]
"""The newest record of every key."""


class UnknownVersion(LookupError):
    """No version of that name was published."""


def opened(settings: Settings) -> tuple[Codec, Versions]:
    """Return the codec and all versions; the experts' scorecard is one of them, from the policy that is configured.

    Raises:
        PolicyError: the policy file can't be used.
        RegistryUnavailable: the schema registry can't be reached.
        BrokerUnreachableError: no broker answers.
        TimeoutError: the broker did not give the whole topic in time.
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
        BrokerUnreachableError: the broker refuses the topic.
        TimeoutError: the broker did not give the whole topic in time.
    """
    topic = full_name(MODEL_SNAPSHOTS, settings.topics.prefix)
    consumer = Consumer(consumer_properties(settings, "loanpulse-models", log_level=0))
    found: Versions = {}
    deadline = time.monotonic() + READ_SECONDS
    try:
        _, end = consumer.get_watermark_offsets(TopicPartition(topic, 0), timeout=READ_SECONDS)
        consumer.assign([TopicPartition(topic, 0, 0)])
        reached = 0
        while reached < end:
            for message in consumer.consume(500, 0.5):
                if message.error() is None:
                    reached = message.offset() + 1
                    if message.value() is None:
                        found.pop(message.key().decode(), None)
                    else:
                        found[message.key().decode()] = codec.decode(topic, message.value())
            position = consumer.position([TopicPartition(topic, 0)])[0].offset
            reached = max(reached, position)
            if time.monotonic() > deadline:
                raise TimeoutError(f"{topic} could not be read to its end within {READ_SECONDS:.0f} s")
    except KafkaException as error:
        raise topics_admin.BrokerUnreachableError(f"{topic} can't be read: {error.args[0].str()}") from error
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
        UnknownVersion: there is none of that name.
    """
    for key, value in versions.items():
        if key != IN_FORCE_KEY and value["model_version"] == version:
            return value
    known = ", ".join(sorted({value["model_version"] for value in versions.values()}))
    raise UnknownVersion(f"There is no version {version}; known: {known}.")
