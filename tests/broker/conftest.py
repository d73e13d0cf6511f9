"""A broker for tests that need no compiled code, and topics of two partitions on it."""

import uuid
from collections.abc import Iterator

import pytest
from confluent_kafka.admin import AdminClient, NewTopic

from loanpulse.commands.embedded_broker import EmbeddedBroker
from loanpulse.settings import Settings, load


@pytest.fixture(scope="session")
def broker_settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """The settings of clients of an embedded broker that runs for these tests."""
    with EmbeddedBroker(tmp_path_factory.mktemp("broker")) as broker:
        yield load(environment={"LOANPULSE_BROKER__BOOTSTRAP_SERVERS": broker.bootstrap_servers})


@pytest.fixture
def topic(broker_settings: Settings) -> str:
    """A new topic of two partitions."""
    name = f"t{uuid.uuid4().hex[:8]}"
    client = AdminClient({"bootstrap.servers": broker_settings.broker.bootstrap_servers})
    client.create_topics([NewTopic(name, 2, 1)])[name].result(10)
    return name
