"""From what a topic's partition gave to events that the fold can read, and to what must be refused."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from loanpulse.schemas import rules
from loanpulse.schemas.columns import Bytes, ColumnDecoder, Columns, Flags, Float64s, Int64s
from loanpulse.schemas.compiled import compiled
from loanpulse.schemas.partitioning import murmur2
from loanpulse.schemas.registry import SchemaRegistry
from loanpulse.schemas.sources import EVENT_CONTRACTS, SPENDING, UTILITY
from loanpulse.schemas.spans import Spans
from loanpulse.schemas.violations import Violation
from loanpulse.streams.record.event import EVENT, NO_DAY, Events
from loanpulse.streams.record.hashing import hash_text, reference_of
from loanpulse.streams.record.ids import LENDER_WORDS, lender_word

WRONG_PARTITION, TIME_IN_FUTURE = int(Violation.WRONG_PARTITION), int(Violation.TIME_IN_FUTURE)
TOO_LATE = int(Violation.TOO_LATE)
FIRST_TIME, LAST_TIME = 946_684_800_000, 3_471_292_800_000
"""2000-01-01 and 2080-01-01 UTC (ms): between them every time that is kept of an event has room in the record."""
CENTS = 100.0


@dataclass(frozen=True, slots=True)
class RecordBatch:
    """Consecutive records of one source's partition as columns: values as they came, or decoded already."""

    source: int
    partition: int
    offsets: Int64s
    timestamps: Int64s
    keys: Spans
    values: Spans | Columns
    forgets: Sequence[int] = ()
    """Places of records that are no events but orders to forget their key's borrower."""

    @classmethod
    def of(
        cls,
        source: int,
        partition: int,
        offsets: Sequence[int],
        timestamps: Sequence[int],
        keys: Sequence[bytes | None],
        values: Sequence[bytes | None],
        forgets: Sequence[int] = (),
    ) -> Self:
        """Return records of Python's own values as columns."""
        return cls(
            source,
            partition,
            np.fromiter(offsets, np.int64, len(offsets)),
            np.fromiter(timestamps, np.int64, len(timestamps)),
            Spans.of(keys),
            Spans.of(values),
            forgets,
        )

    def __len__(self) -> int:
        return len(self.offsets)


@dataclass(frozen=True, slots=True)
class DecodedBatch:
    """Events and their records' keys."""

    events: Events
    keys: Spans


@compiled
def check_places(
    keys: Bytes,
    key_starts: Int64s,
    key_lengths: Int64s,
    partition: int,
    partitions: int,
    event_times: Int64s,
    timestamps: Int64s,
    tolerance_ms: int,
    errors: Bytes,
) -> None:
    """Mark records in a partition that is not their key's, and those of a time that can't be taken.

    That is a time in the future of the record's own timestamp, or one before FIRST_TIME or from LAST_TIME on.
    """
    for row in range(len(errors)):
        if errors[row] == 0:
            end = key_starts[row] + key_lengths[row]
            if murmur2(keys, key_starts[row], end) % partitions != partition:
                errors[row] = WRONG_PARTITION
        if errors[row] == 0 and event_times[row] > min(timestamps[row] + tolerance_ms, LAST_TIME - 1):
            errors[row] = TIME_IN_FUTURE
        if errors[row] == 0 and event_times[row] < FIRST_TIME:
            errors[row] = TOO_LATE


@compiled
def fill_events(
    source: int,
    data: Bytes,
    integers: Int64s,
    reals: Float64s,
    starts: Int64s,
    lengths: Int64s,
    present: Flags,
    places: Int64s,
    errors: Bytes,
    offsets: Int64s,
    events: Events,
) -> None:
    """Project decoded columns onto events."""
    for row in range(len(events)):
        event = events[row]
        event["source"] = source
        event["offset"] = offsets[row]
        event["error"] = errors[row]
        event["row"] = -1
        event["utility"] = -1
        event["category"] = -1
        event["status"] = -1
        event["purpose"] = -1
        event["product"] = -1
        event["due_day"] = NO_DAY
        event["amount"] = np.nan
        event["outstanding"] = np.nan
        event["credit_limit"] = np.nan
        event["minimum_due"] = np.nan
        event["balance"] = np.nan
        event["usage"] = np.nan
        if errors[row] != 0:
            continue
        shown = present[row]
        event["event_time"] = integers[row, places[rules.EVENT_TIME]]
        event["kind"] = integers[row, places[rules.KIND]]
        text = places[rules.EVENT_ID]
        event["id_hash"] = hash_text(data, starts[row, text], lengths[row, text], np.uint64(0))
        if shown[places[rules.AMOUNT_SHOWN]]:
            event["amount"] = integers[row, places[rules.AMOUNT]] / CENTS
        if source == SPENDING:
            if shown[places[rules.CATEGORY_SHOWN]]:
                event["category"] = integers[row, places[rules.CATEGORY]]
            if shown[places[rules.BALANCE_SHOWN]]:
                event["balance"] = integers[row, places[rules.BALANCE]] / CENTS
            if shown[places[rules.LOAN_ID_SHOWN]]:
                text = places[rules.LOAN_ID]
                event["loan_reference"] = reference_of(data, starts[row, text], lengths[row, text])
            continue
        if shown[places[rules.DUE_DATE_SHOWN]]:
            event["due_day"] = integers[row, places[rules.DUE_DATE]]
        if source == UTILITY:
            event["utility"] = integers[row, places[rules.UTILITY]]
            if shown[places[rules.USAGE_SHOWN]]:
                event["usage"] = reals[row, places[rules.USAGE]]
            continue
        if shown[places[rules.OUTSTANDING_SHOWN]]:
            event["outstanding"] = integers[row, places[rules.OUTSTANDING]] / CENTS
        if shown[places[rules.CREDIT_LIMIT_SHOWN]]:
            event["credit_limit"] = integers[row, places[rules.CREDIT_LIMIT]] / CENTS
        if shown[places[rules.STATUS_SHOWN]]:
            event["status"] = integers[row, places[rules.STATUS]]
        if shown[places[rules.MINIMUM_DUE_SHOWN]]:
            event["minimum_due"] = integers[row, places[rules.MINIMUM_DUE]] / CENTS
        if shown[places[rules.PURPOSE_SHOWN]]:
            event["purpose"] = integers[row, places[rules.PURPOSE]]
        if shown[places[rules.PRODUCT_SHOWN]]:
            event["product"] = integers[row, places[rules.PRODUCT]]
        text = places[rules.LENDER_ID]
        lender = hash_text(data, starts[row, text], lengths[row, text], np.uint64(1))
        for word in range(LENDER_WORDS):
            event["lender"][word] = lender_word(data, starts[row, text], lengths[row, text], word)
        text = places[rules.LOAN_ID]
        event["loan_key"] = hash_text(data, starts[row, text], lengths[row, text], lender)
        event["loan_reference"] = reference_of(data, starts[row, text], lengths[row, text])


class EventDecoder:
    """Decodes, checks and projects what was fetched.

    ``currency`` is the deployment's (ISO 4217), ``partitions`` the event topics' partition count,
    ``tolerance_ms`` how far an event may lie in the future of its record's timestamp.
    """

    def __init__(self, registry: SchemaRegistry, currency: str, partitions: int, tolerance_ms: int) -> None:
        self._decoders = tuple(ColumnDecoder(contract, registry) for contract in EVENT_CONTRACTS)
        self._currency = currency
        self._partitions = partitions
        self._tolerance_ms = tolerance_ms

    def events(self, fetched: RecordBatch) -> DecodedBatch:
        """Return an event per record, ``error`` set where it must be refused; ``row`` is left for the slab to give.

        Raises:
            RegistryUnavailable: a schema id is new and the registry can't be asked now.
        """
        contract = EVENT_CONTRACTS[fetched.source]
        values, keys = fetched.values, fetched.keys
        columns = values if isinstance(values, Columns) else self._decoders[fetched.source].decode(values)
        rules.check(columns, contract, keys, self._currency)
        check_places(
            keys.data,
            keys.starts,
            keys.lengths,
            fetched.partition,
            self._partitions,
            columns.integer("event_time"),
            fetched.timestamps,
            self._tolerance_ms,
            columns.errors,
        )
        events = np.zeros(len(fetched), EVENT)
        fill_events(
            fetched.source,
            columns.data,
            columns.integers,
            columns.reals,
            columns.starts,
            columns.lengths,
            columns.present,
            rules.places_of(columns),
            columns.errors,
            fetched.offsets,
            events,
        )
        return DecodedBatch(events, keys)
