"""Fetched records as the engine takes them, and as dead letters where it refuses them."""

import numpy as np

from loanpulse.schemas.dead_letters import DeadLetter
from loanpulse.schemas.forgetting import is_order_to_forget
from loanpulse.streams.engine.decode import RecordBatch
from loanpulse.streams.engine.engine import Refused
from loanpulse.streams.faust_kafka.record_batches import FetchedRecords


def batch_of(source: int, partition: int, records: FetchedRecords) -> RecordBatch:
    """Return fetched records as a batch, with the orders to forget that their headers mark."""
    empty = np.flatnonzero(records.values.missing).tolist()
    forgets = [row for row in empty if is_order_to_forget(None, records.headers_of(row))]
    return RecordBatch(source, partition, records.offsets, records.timestamps, records.keys, records.values, forgets)


def dead_letter_of(topic: str, partition: int, records: FetchedRecords, refused: Refused) -> DeadLetter:
    """Return the dead letter of one of the records."""
    row = refused.index
    return DeadLetter(
        topic, partition, int(records.offsets[row]), int(records.timestamps[row]), records.keys[row],
        records.values[row], refused.violation, records.headers_of(row),
    )  # fmt: skip
