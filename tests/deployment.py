"""Driving a deployment as its users do: publish, run parts as processes, read topics."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from confluent_kafka import Consumer, Producer, TopicPartition

from loanpulse.city.outlets import encoded
from loanpulse.city.published import Published
from loanpulse.commands import child
from loanpulse.schemas.codec import Codec
from loanpulse.schemas.registry import LocalRegistry
from loanpulse.schemas.topics import full_name
from loanpulse.settings import Settings
from loanpulse.settings.broker import consumer_properties, producer_properties
from tests.conftest import environment

CODEC = Codec(LocalRegistry())


def publish(settings: Settings, records: Sequence[Published]) -> None:
    """Publish records with their simulated time as timestamp, so that replay sees the same log."""
    producer = Producer(producer_properties(settings))
    for number, record in enumerate(records):
        topic = full_name(record.topic, settings.topics.prefix)
        producer.produce(topic, key=record.key.encode(), value=encoded(record, CODEC), timestamp=record.at_ms)
        if number % 5_000 == 0:
            producer.poll(0)
    assert producer.flush(60) == 0


@contextmanager
def part(settings: Settings, folder: Path, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run `loanpulse …` as a process; it is ended on leaving."""
    folder.mkdir(parents=True, exist_ok=True)
    argv = [sys.executable, "-m", "loanpulse.commands", *arguments]
    process = child.spawn(argv, folder / f"{arguments[0]}-{time.monotonic_ns()}.log", environment(settings))
    try:
        yield process
    finally:
        child.stop(process, 20)


def kill(process: subprocess.Popen[bytes]) -> None:
    os.kill(process.pid, signal.SIGKILL)
    process.wait()


class Reader:
    """Reads whole topics from the beginning, again and again."""

    def __init__(self, settings: Settings, *topics: str) -> None:
        self._prefix = settings.topics.prefix
        self._consumer = Consumer(consumer_properties(settings, f"test-{time.monotonic_ns()}"))
        self._consumer.assign(
            [
                TopicPartition(full_name(topic, self._prefix), partition, 0)
                for topic in topics
                for partition in range(settings.topics.partitions)
            ]
        )
        self.messages: dict[str, list[Any]] = {topic: [] for topic in topics}

    def read(self, seconds: float = 0.3) -> int:
        got = [message for message in self._consumer.consume(5_000, seconds) if message.error() is None]
        for message in got:
            self.messages[message.topic().removeprefix(self._prefix)].append(message)
        return len(got)

    def read_until(self, enough: Callable[[], bool], seconds: float = 90.0) -> None:
        deadline = time.monotonic() + seconds
        while not enough():
            assert time.monotonic() < deadline, {topic: len(found) for topic, found in self.messages.items()}
            self.read()

    def read_until_quiet(self, quiet_seconds: float = 5.0, seconds: float = 90.0) -> None:
        """Read until something more has come and then nothing for a while."""
        deadline = time.monotonic() + seconds
        last: float | None = None
        while time.monotonic() < deadline:
            if self.read():
                last = time.monotonic()
            elif last is not None and time.monotonic() - last > quiet_seconds:
                return
        raise AssertionError({topic: len(found) for topic, found in self.messages.items()})

    def values(self, topic: str) -> list[dict[str, Any]]:
        return [CODEC.decode(topic, message.value()) for message in self.messages[topic]]

    def close(self) -> None:
        self._consumer.close()
