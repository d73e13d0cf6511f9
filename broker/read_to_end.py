"""Reading topics from their beginnings to what are their ends now."""

import time
from collections.abc import Iterable, Iterator

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, Message, TopicPartition

WANTED = {"enable.partition.eof": True}
"""What the consumer must be configured with."""
FETCHED_AT_ONCE = 5_000
POLL_SECONDS = 0.2
QUIET_SECONDS = 1.0
"""Topics count as read when every partition has told its end and nothing has come for so long since: some brokers tell
the end of a partition by the first offset of its last batch."""

Place = tuple[str, int]


class WholeTopics:
    """The records of some partitions; ``unread`` are those that have not told their end yet."""

    def __init__(self, consumer: Consumer, places: Iterable[Place]) -> None:
        self._consumer = consumer
        self.unread = set(places)
        consumer.assign([TopicPartition(*place, OFFSET_BEGINNING) for place in sorted(self.unread)])

    def polls(self) -> Iterator[list[Message]]:
        """Yield what each poll brings, often nothing, until all is read; how long to be patient is the caller's."""
        last = time.monotonic()
        while self.unread or time.monotonic() - last < QUIET_SECONDS:
            found = []
            for message in self._consumer.consume(FETCHED_AT_ONCE, POLL_SECONDS):
                error = message.error()
                if error is None:
                    found.append(message)
                elif error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001 - the library's name for it
                    self.unread.discard((message.topic() or "", message.partition() or 0))
            if found:
                last = time.monotonic()
            yield found

    @property
    def unread_topics(self) -> str:
        """The topics of which some partition has not told its end, for a message."""
        return ", ".join(sorted({topic for topic, _ in self.unread}))
