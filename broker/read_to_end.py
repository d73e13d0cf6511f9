"""Reading topics from a start to their present end: one definition of the end for all readers.

A partition's end is where the consumer reports it (``PARTITION_EOF``). Don't compare positions with the end offset that
the broker returns on request: the embedded broker returns the first offset of the last batch plus one, and the
position never reaches the end of a partition whose last records are transaction markers.
"""

import time
from collections.abc import Iterable, Iterator

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, Message, TopicPartition

READ_TO_END_PROPERTIES = {"enable.partition.eof": True}
"""Properties that a consumer needs for ``read_to_end``."""
MAX_BATCH_RECORDS = 5_000
POLL_SECONDS = 0.2
METADATA_SECONDS = 15.0


class TopicMissingError(LookupError):
    """The broker has no such topic; the text names it and says what to do."""


class EndNotReachedError(TimeoutError):
    """The broker stopped delivering records before the end; the text names the topics."""


def partitions_from_beginning(
    consumer: Consumer, topics: Iterable[str], timeout_seconds: float = METADATA_SECONDS
) -> list[TopicPartition]:
    """Return all partitions of topics (full names), each at its beginning.

    Raises:
        TopicMissingError: the broker has no such topic.
        KafkaException: the broker does not answer in time.
    """
    known = consumer.list_topics(timeout=timeout_seconds).topics
    partitions = []
    for name in topics:
        if name not in known or known[name].error is not None:
            raise TopicMissingError(f"topic {name} is missing: run `loanpulse topics create` first")
        partitions += [TopicPartition(name, number, OFFSET_BEGINNING) for number in sorted(known[name].partitions)]
    return partitions


def read_to_end(
    consumer: Consumer, partitions: Iterable[TopicPartition], max_silence_seconds: float
) -> Iterator[Message]:
    """Yield the records of partitions from their offsets to their present ends; a partition's records are in order.

    Records that are written meanwhile may be yielded too. Afterwards the consumer is still assigned the partitions,
    and can follow them. ``consumer`` needs ``READ_TO_END_PROPERTIES``.

    Raises:
        EndNotReachedError: no record and no end was delivered for ``max_silence_seconds``.
        KafkaException: the consumer failed for good.
    """
    assigned = list(partitions)
    unread = {(each.topic, each.partition) for each in assigned}
    consumer.assign(assigned)
    last_delivery = time.monotonic()
    last_error = ""
    while unread:
        delivered = False
        for message in consumer.consume(MAX_BATCH_RECORDS, POLL_SECONDS):
            error = message.error()
            if error is None:
                yield message
            elif error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001 - the library's name for it
                unread.discard((message.topic() or "", message.partition() or 0))
            else:
                last_error = f": {error.str()}"
                continue
            delivered = True
        if delivered:
            # Not when it was fetched: the caller may have worked on the records for long.
            last_delivery = time.monotonic()
        elif time.monotonic() - last_delivery > max_silence_seconds:
            names = ", ".join(sorted({topic for topic, _ in unread}))
            raise EndNotReachedError(
                f"the broker delivered nothing of {names} for {max_silence_seconds:.0f} s, before the end{last_error}"
            )
