"""A process without its broker: its logs are rate-limited, and it ends in time when told to."""

import logging
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from loanpulse.commands import topics_admin
from loanpulse.commands.embedded_broker import EmbeddedBroker
from loanpulse.settings import load
from loanpulse.settings.client_errors import ClientErrors
from loanpulse.streams.faust_kafka.process import SHUTDOWN_SECONDS, RateLimitedLogFilter
from tests.support.brokers import on_kafka


def test_the_same_message_is_logged_once_in_a_minute() -> None:
    now = 0.0
    once_a_minute = RateLimitedLogFilter(lambda: now)
    logged = []
    for now in (0.0, 0.1, 30.0, 59.0, 60.5, 61.0):
        record = logging.LogRecord("aiokafka", logging.ERROR, "", 0, "no node %s at %s", (1, now), None)
        if once_a_minute.filter(record):
            logged.append(now)
    assert logged == [0.0, 60.5]
    assert once_a_minute.filter(logging.LogRecord("aiokafka", logging.ERROR, "", 0, "another", (), None))


def test_a_client_that_cannot_connect_logs_it_once(capsys: pytest.CaptureFixture[str]) -> None:
    from confluent_kafka import Consumer

    from loanpulse.settings.broker import consumer_properties

    settings = load(environment={"LOANPULSE_BROKER__BOOTSTRAP_SERVERS": "127.0.0.1:1"})
    properties = consumer_properties(settings, "nobody")
    assert isinstance(properties["error_cb"], ClientErrors)
    consumer = Consumer(properties)
    consumer.subscribe(["none"])
    deadline = time.monotonic() + 3.0
    while time.monotonic() < deadline:
        consumer.consume(1, 0.2)
    consumer.close()
    said = capsys.readouterr()
    assert (said.out + said.err).count("broker error; ") in (1, 2), "the one node, and that it was the last"


@pytest.mark.integration
@pytest.mark.skipif(on_kafka(), reason="it ends a broker of its own")
@pytest.mark.timeout(120)
def test_told_to_stop_without_a_broker_it_ends_in_time(tmp_path: Path) -> None:
    broker = EmbeddedBroker(tmp_path)
    log = tmp_path / "trainer.log"
    with broker:
        environment = {
            "LOANPULSE_BROKER__BOOTSTRAP_SERVERS": broker.bootstrap_servers, "LOANPULSE_BROKER__PROFILE": "embedded",
            "LOANPULSE_LEARNING__DATA_DIR": str(tmp_path / "learning"),
        }  # fmt: skip
        topics_admin.create_topics(load(environment=environment))
        with log.open("wb") as written:
            trainer = subprocess.Popen(
                [sys.executable, "-m", "loanpulse.commands", "trainer"], stdout=written, stderr=written,
                env={**os.environ, **environment},
            )  # fmt: skip
        time.sleep(12.0)  # it has joined by then; a join is not logged
    try:
        time.sleep(3.0)
        trainer.send_signal(signal.SIGTERM)
        assert trainer.wait(SHUTDOWN_SECONDS + 15) in (0, 1)
    finally:
        trainer.kill()
    assert len(log.read_text().splitlines()) < 200
