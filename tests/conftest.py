"""What tests share: a real broker process (Apache Kafka with LOANPULSE_TEST_BROKER=kafka), and a deployment on it."""

import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings

from loanpulse.commands import topics_admin
from loanpulse.commands.embedded_broker import EmbeddedBroker
from loanpulse.schemas.registry import LocalRegistry
from loanpulse.settings import Settings, load
from loanpulse.sinks.embedded import EmbeddedWarehouse
from loanpulse.streams.engine.engine import Engine
from loanpulse.streams.from_settings import engine_options, load_policy
from loanpulse.streams.worker.warm_up import warm_up
from tests.support import city_warehouse_rows, kafka_node
from tests.support.brokers import environment_of, on_kafka

hypothesis_settings.register_profile(
    "loanpulse", deadline=None, print_blob=True, suppress_health_check=[HealthCheck.too_slow]
)
hypothesis_settings.load_profile("loanpulse")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the files whose tests may take longest first, so that processes that share the tests end together."""
    longest: dict[Path, float] = {}
    for item in items:
        mark = item.get_closest_marker("timeout")
        longest[item.path] = max(longest.get(item.path, 0.0), float(mark.args[0]) if mark else 0.0)
    items.sort(key=lambda item: -longest[item.path])


@pytest.fixture(autouse=True)
def _logging_of_its_own() -> Iterator[None]:
    """A command run inside a test sets up logging to that test's output, which is closed after it."""
    yield
    structlog.reset_defaults()


def compile_core() -> None:
    settings = load(environment={})
    warm_up(Engine(engine_options(settings), load_policy(settings), LocalRegistry()))


def pytest_sessionstart(session: pytest.Session) -> None:
    """Compile the core once, before the processes that share the tests start: no test waits for it or times out."""
    config = session.config
    if hasattr(config, "workerinput") or not config.getoption("numprocesses", None) or config.option.collectonly:
        return
    began = time.monotonic()
    print("compiling the core, some minutes on a machine that never did …", flush=True)  # noqa: T201 - progress
    compile_core()
    print(f"compiled in {time.monotonic() - began:.0f} s", flush=True)  # noqa: T201 - progress


@pytest.fixture(scope="session")
def compiled() -> None:
    """The core's machine code on disk, so that no process that a test starts spends a minute on it."""
    compile_core()


@pytest.fixture(scope="session")
def bootstrap_servers(tmp_path_factory: pytest.TempPathFactory, compiled: None) -> Iterator[str]:
    """The address of a broker that runs for the whole session."""
    folder = tmp_path_factory.mktemp("broker")
    if on_kafka():
        missing = kafka_node.missing_tool()
        if missing:
            pytest.skip(f"Apache Kafka can't run here: {missing}")
        node = kafka_node.KafkaNode(folder).start()
        yield node.bootstrap_servers
        node.stop()
    else:
        with EmbeddedBroker(folder) as broker:
            yield broker.bootstrap_servers


@pytest.fixture
def deployment(bootstrap_servers: str, tmp_path: Path) -> Settings:
    """A deployment of its own on the broker: topics under a prefix, folders that go away."""
    settings = load(environment=environment_of(bootstrap_servers, tmp_path, f"t{uuid.uuid4().hex[:8]}-"))
    topics_admin.create_topics(settings)
    return settings


@pytest.fixture(scope="session")
def city_warehouse_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a warehouse with a small city's months in every table, filled once and closed."""
    return city_warehouse_rows.build(tmp_path_factory.mktemp("city") / "warehouse")


@pytest.fixture(scope="module")
def city_warehouse(city_warehouse_folder: Path) -> Iterator[EmbeddedWarehouse]:
    """That warehouse, open for a module: one process holds it at a time."""
    warehouse = EmbeddedWarehouse(city_warehouse_folder, "loanpulse", create=False)
    yield warehouse
    warehouse.close()
