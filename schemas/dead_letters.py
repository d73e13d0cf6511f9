"""Dead letters: a refused record's key and value untouched, with headers that say where it stood and why.

The header names are Kafka Connect's, which dead-letter tools know.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from loanpulse.schemas.violations import Violation

PREFIX = "__connect.errors."
TOPIC, PARTITION, OFFSET, TIMESTAMP, STAGE, CODE, MESSAGE = (
    PREFIX + name for name in ("topic", "partition", "offset", "timestamp", "stage", "class.name", "exception.message")
)

Headers = list[tuple[str, bytes]]


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A refused record: where it stood (``timestamp`` in ms), its bytes, and why it was refused."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    violation: Violation
    own_headers: tuple[tuple[str, bytes], ...] = ()

    def headers(self) -> Headers:
        """Return the headers of the letter: ours, then the record's own."""
        said = {
            TOPIC: self.topic,
            PARTITION: str(self.partition),
            OFFSET: str(self.offset),
            TIMESTAMP: str(self.timestamp),
            STAGE: self.violation.stage,
            CODE: self.violation.name,
            MESSAGE: self.violation.sentence,
        }
        return [(name, text.encode()) for name, text in said.items()] + list(self.own_headers)


def parse(key: bytes | None, value: bytes | None, headers: Sequence[tuple[str, bytes | None]] | None) -> DeadLetter:
    """Return the letter that a record of the dead-letter topic is.

    Raises:
        ValueError: the headers are not a dead letter's; the text names the first that is missing or wrong.
    """
    said = {name: (text or b"").decode("utf-8", "replace") for name, text in headers or () if name.startswith(PREFIX)}
    own = tuple((name, text or b"") for name, text in headers or () if not name.startswith(PREFIX))
    for name in (TOPIC, PARTITION, OFFSET, TIMESTAMP, CODE):
        if name not in said:
            raise ValueError(f"the record has no header {name}, so it is not a dead letter")
    try:
        return DeadLetter(
            said[TOPIC],
            int(said[PARTITION]),
            int(said[OFFSET]),
            int(said[TIMESTAMP]),
            key,
            value,
            Violation[said[CODE]],
            own,
        )
    except KeyError:
        raise ValueError(f"{CODE} is not a code that this version knows") from None
