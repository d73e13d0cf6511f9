"""The same stories on Apache Kafka itself, wherever Java and Maven are present."""

import os
import subprocess
import sys

import pytest

from tests.support import kafka_node
from tests.support.brokers import on_kafka

STORIES = (
    "tests/streams/worker/test_worker.py",
    "tests/sinks/test_loader.py",
    "tests/stories/test_stories.py",
)


@pytest.mark.kafka
@pytest.mark.timeout(600)
@pytest.mark.skipif(on_kafka(), reason="this run is already against Apache Kafka")
def test_the_integration_stories_hold_on_apache_kafka() -> None:
    missing = kafka_node.missing_tool()
    if missing:
        pytest.skip(f"Apache Kafka can't run here: {missing}")
    try:
        kafka_node.libraries()
    except subprocess.SubprocessError as error:
        pytest.skip(f"Maven could not fetch Apache Kafka: {type(error).__name__}")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-m", "integration", *STORIES],
        capture_output=True, text=True, check=False, env={**os.environ, "LOANPULSE_TEST_BROKER": "kafka"},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-12000:]
    assert "passed" in done.stdout
