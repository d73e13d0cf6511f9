"""Driving a deployment as its users do: publish, run parts as processes, read topics."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from confluent_kafka import Consumer, Producer, TopicPartition

from loanpulse.broker.read_to_end import READ_TO_END_PROPERTIES, partitions_from_beginning, read_to_end
from loanpulse.city.published import Published
from loanpulse.city.writers import encoded
from loanpulse.commands import child
from loanpulse.schemas.codec import Codec
from loanpulse.schemas.registry import LocalRegistry
from loanpulse.schemas.topics import LIQUIDITY_ALERTS, LIQUIDITY_SNAPSHOTS, full_name
from loanpulse.settings import Settings
from loanpulse.settings.broker import consumer_properties, producer_properties
from tests.support.brokers import environment

CODEC = Codec(LocalRegistry())
IDENTITIES = {LIQUIDITY_SNAPSHOTS: "snapshot_id", LIQUIDITY_ALERTS: "alert_id"}
LONGER_SECONDS = 1.0
SHOWN_CHARACTERS = 3_000


def publish(settings: Settings, records: Sequence[Published], **properties: Any) -> None:
    """Publish records with their simulated time as timestamp, so that replay sees the same log."""
    producer = Producer({**producer_properties(settings), **properties})
    for number, record in enumerate(records):
        topic = full_name(record.topic, settings.topics.prefix)
        producer.produce(topic, key=record.key.encode(), value=encoded(record, CODEC), timestamp=record.at_ms)
        if number % 5_000 == 0:
            producer.poll(0)
    assert producer.flush(60) == 0


@contextmanager
def part(settings: Settings, folder: Path, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run `loanpulse …` as a process until the block ends. If the test fails, the process's output is printed."""
    folder.mkdir(parents=True, exist_ok=True)
    argv = [sys.executable, "-m", "loanpulse.commands", *arguments]
    output = folder / f"{arguments[0]}-{time.monotonic_ns()}.log"
    process = child.spawn(argv, output, environment(settings))
    try:
        yield process
    except BaseException:
        print("exit code", process.poll(), "output:", output.read_text()[-SHOWN_CHARACTERS:])  # noqa: T201
        raise
    finally:
        child.stop(process, 20)


def wait_until(true: Callable[[], bool], seconds: float = 30.0) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def kill(process: subprocess.Popen[bytes]) -> None:
    os.kill(process.pid, signal.SIGKILL)
    process.wait()


class Reader:
    """Reads whole topics from the beginning, as often as called."""

    def __init__(self, settings: Settings, *topics: str) -> None:
        self._prefix = settings.topics.prefix
        group = f"test-{time.monotonic_ns()}"
        self._consumer = Consumer(consumer_properties(settings, group, **READ_TO_END_PROPERTIES))
        partitions = partitions_from_beginning(self._consumer, [full_name(topic, self._prefix) for topic in topics])
        self._next = {(each.topic, each.partition): each.offset for each in partitions}
        self.messages: dict[str, list[Any]] = {topic: [] for topic in topics}
        self._values: dict[str, list[dict[str, Any]]] = {topic: [] for topic in topics}
        self._consumer.assign(partitions)

    def read(self, seconds: float = 0.3) -> None:
        for message in self._consumer.consume(5_000, seconds):
            if message.error() is None:
                self._keep(message)

    def _keep(self, message: Any) -> None:
        self.messages[message.topic().removeprefix(self._prefix)].append(message)
        self._next[message.topic(), message.partition()] = message.offset() + 1

    def read_until(self, enough: Callable[[], bool], seconds: float = 90.0) -> None:
        deadline = time.monotonic() + seconds
        while not enough():
            assert time.monotonic() < deadline, {topic: len(found) for topic, found in self.messages.items()}
            self.read()

    def read_all(self, expected: Mapping[str, AbstractSet[str]], seconds: float = 150.0) -> None:
        """Read until every expected id was read, and ``LONGER_SECONDS`` more for records that should not exist."""
        deadline = time.monotonic() + seconds
        while missing := {topic: ids - self.ids(topic) for topic, ids in expected.items() if ids - self.ids(topic)}:
            counts = {topic: f"{len(ids)} of {len(expected[topic])} are missing" for topic, ids in missing.items()}
            assert time.monotonic() < deadline, counts
            self.read()
        end = time.monotonic() + LONGER_SECONDS
        while time.monotonic() < end:
            self.read()

    def read_to_end(self) -> None:
        """Read all that there is: for when the writers have ended."""
        partitions = [TopicPartition(*partition, offset) for partition, offset in self._next.items()]
        for message in read_to_end(self._consumer, partitions, 30.0):
            self._keep(message)

    def values(self, topic: str) -> list[dict[str, Any]]:
        known = self._values[topic]
        known += [CODEC.decode(topic, message.value()) for message in self.messages[topic][len(known) :]]
        return known

    def ids(self, topic: str) -> set[str]:
        return {value[IDENTITIES[topic]] for value in self.values(topic)}

    def close(self) -> None:
        self._consumer.close()
