"""Publishing events: each is checked against its contract first; invalid ones are refused, the others published."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from loanpulse.broker.producer import DurableProducer
from loanpulse.schemas import rules
from loanpulse.schemas.codec import Codec, CodecError
from loanpulse.schemas.contracts import Contract
from loanpulse.schemas.decoder import ColumnDecoder
from loanpulse.schemas.lines import EventLine, LineError, read_lines
from loanpulse.schemas.registry import SchemaRegistry
from loanpulse.schemas.spans import Spans
from loanpulse.schemas.topics import EVENT_TOPICS, contract_of, full_name, key_of
from loanpulse.schemas.violations import Violation

LINES_PER_CHECK = 2_000

Progress = Callable[[int, int], None]


class RefusedEventError(ValueError):
    """An event that violates its contract: the field, and what is wrong with it."""

    def __init__(self, field_name: str, message: str) -> None:
        super().__init__(f"{field_name}: {message}")
        self.field = field_name
        self.message = message


@dataclass(frozen=True, slots=True)
class Refusal:
    """A line that was not published: its number, the field, and what is wrong with it."""

    line: int
    field: str
    message: str


@dataclass(slots=True)
class PublishReport:
    """The result for a file: events published, lines refused, and events that the broker did not accept."""

    published: int = 0
    refused: list[Refusal] = field(default_factory=list)
    failed: int = 0

    @property
    def complete(self) -> bool:
        """Return True if everything was published."""
        return not self.refused and not self.failed


class Publisher:
    """Publishes checked events with an idempotent producer; use it in a ``with`` block, or call ``flush``.

    ``properties`` are those of ``loanpulse.settings.broker.producer_properties``. ``prefix`` is the deployment's prefix
    of topic names, ``currency`` its currency.
    """

    def __init__(
        self, properties: dict[str, Any], registry: SchemaRegistry, prefix: str = "", currency: str = "CNY"
    ) -> None:
        self._producer = DurableProducer(properties)
        self._codec = Codec(registry, prefix)
        self._prefix = prefix
        self._currency = currency
        self._decoders = {topic: ColumnDecoder(contract_of(topic), registry) for topic in EVENT_TOPICS}

    @property
    def delivered(self) -> int:
        """The number of events that the broker has acknowledged; exact after ``flush``."""
        return self._producer.delivered

    @property
    def failed(self) -> int:
        """The number of events that the broker did not accept."""
        return self._producer.failed

    @property
    def last_error(self) -> str:
        """Why the broker did not accept the last of them; empty where it accepted all."""
        return self._producer.last_error

    def publish(self, topic: str, value: dict[str, Any]) -> None:
        """Check one event (native values; bare topic name) and queue it.

        Raises:
            RefusedEventError: it violates the contract; the text names the field.
            PublishError: it can't be queued, e.g. because it is too large.
        """
        key = key_of(topic, value)
        try:
            encoded = self._codec.encode(full_name(topic, self._prefix), value)
        except CodecError as error:
            raise RefusedEventError("value", error.message) from error
        violation = self._check(topic, [key], [encoded])[0]
        if violation:
            raise RefusedEventError(rules.FIELD_OF[violation], violation.sentence)
        self._send(topic, key, encoded)

    def publish_file(self, path: Path, progress: Progress = lambda published, refused: None) -> PublishReport:
        """Publish the lines of a JSON Lines file; the report has the refused ones. Raises OSError, PublishError."""
        report = PublishReport()
        failed_before, delivered_before = self.failed, self.delivered
        chunk: list[EventLine] = []
        for line in read_lines(path):
            if isinstance(line, LineError):
                report.refused.append(Refusal(line.number, line.field, line.message))
            elif line.value is None:
                report.refused.append(Refusal(line.number, "raw", "a line to publish needs a value, not raw bytes"))
            else:
                chunk.append(line)
            if len(chunk) >= LINES_PER_CHECK:
                self._publish_lines(chunk, report)
                chunk = []
                progress(self.delivered - delivered_before, len(report.refused))
        self._publish_lines(chunk, report)
        self.flush()
        report.failed = self.failed - failed_before
        report.published = self.delivered - delivered_before
        report.refused.sort(key=lambda refusal: refusal.line)
        return report

    def flush(self) -> None:
        """Wait until the broker has accepted or refused every event; ``failed`` counts the refused ones."""
        self._producer.drain()

    def _publish_lines(self, lines: Iterable[EventLine], report: PublishReport) -> None:
        by_topic: dict[str, list[tuple[EventLine, bytes]]] = {}
        for line in lines:
            try:
                by_topic.setdefault(line.topic, []).append((line, line.record(self._codec)[1]))
            except CodecError as error:
                report.refused.append(Refusal(line.number, "value", error.message))
        for topic, encoded in by_topic.items():
            violations = self._check(topic, [line.key for line, _ in encoded], [value for _, value in encoded])
            for (line, value), violation in zip(encoded, violations, strict=True):
                if violation:
                    report.refused.append(Refusal(line.number, rules.FIELD_OF[violation], violation.sentence))
                else:
                    self._send(topic, line.key, value)

    def _check(self, topic: str, keys: list[bytes], values: list[bytes]) -> list[Violation]:
        if topic not in self._decoders:
            return [Violation.NONE] * len(values)
        columns = self._decoders[topic].decode(values)
        rules.check(columns, Contract(contract_of(topic)), Spans.of(keys), self._currency)
        return [Violation(error) for error in columns.errors.tolist()]

    def _send(self, topic: str, key: bytes, value: bytes) -> None:
        self._producer.produce(full_name(topic, self._prefix), key, value)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.flush()
