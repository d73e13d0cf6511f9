"""One node of Apache Kafka 4.1 for tests, fetched by Maven, without Docker."""

import os
import shutil
import subprocess
import time
import uuid
from pathlib import Path

from loanpulse.commands import child
from loanpulse.commands.embedded_broker import answers, free_port

VERSION = "4.1.0"
START_SECONDS = 60
POM = f"""<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>loanpulse</groupId><artifactId>kafka-node</artifactId><version>1</version>
  <dependencies>
    <dependency><groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>{VERSION}</version></dependency>
    <dependency><groupId>org.apache.kafka</groupId><artifactId>kafka-tools</artifactId><version>{VERSION}</version></dependency>
  </dependencies>
</project>
"""


def missing_tool() -> str:
    """Return what is missing to run Kafka here, empty if nothing is."""
    for tool in ("java", "mvn"):
        if shutil.which(tool) is None:
            return f"{tool} is not installed"
    return ""


def libraries() -> Path:
    """Return a folder with Kafka's libraries, fetched once."""
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = home / "loanpulse" / f"kafka-{VERSION}"
    if not (folder / "complete").exists():
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "pom.xml").write_text(POM)
        subprocess.run(
            ["mvn", "-q", "-B", "dependency:copy-dependencies", f"-DoutputDirectory={folder / 'libs'}"],
            cwd=folder, check=True, capture_output=True, timeout=280,
        )  # fmt: skip
        (folder / "complete").touch()
    return folder / "libs"


class KafkaNode:
    """A KRaft node in a temporary folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.port, self._controller = free_port(), free_port()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def bootstrap_servers(self) -> str:
        return f"127.0.0.1:{self.port}"

    def start(self) -> "KafkaNode":
        properties = self._folder / "server.properties"
        properties.write_text(
            f"""process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{self._controller}
listeners=PLAINTEXT://127.0.0.1:{self.port},CONTROLLER://127.0.0.1:{self._controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{self.port}
controller.listener.names=CONTROLLER
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
log.dirs={self._folder / "logs"}
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
group.initial.rebalance.delay.ms=0
auto.create.topics.enable=false
"""
        )
        java = ["java", "-Xmx512m", "-cp", f"{libraries()}/*"]
        cluster = uuid.uuid4().hex[:22]
        subprocess.run(
            [*java, "kafka.tools.StorageTool", "format", "-t", cluster, "-c", str(properties)],
            check=True, capture_output=True, timeout=60,
        )  # fmt: skip
        self._process = child.spawn([*java, "kafka.Kafka", str(properties)], self._folder / "kafka.log")
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if answers(self.bootstrap_servers):
                return self
            time.sleep(0.3)
        self.stop()
        raise RuntimeError((self._folder / "kafka.log").read_text()[-2000:])

    def stop(self) -> None:
        if self._process is not None:
            child.stop(self._process, 20)
