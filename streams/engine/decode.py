"""From what a topic's partition gave to events that the fold can read, and to what must be refused."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from loanpulse.schemas import rules
from loanpulse.schemas.arrays import Bytes, Int64s
from loanpulse.schemas.columns import ColumnArrays, Columns
from loanpulse.schemas.compiled import compiled
from loanpulse.schemas.decoder import ColumnDecoder
from loanpulse.schemas.partitioning import murmur2
from loanpulse.schemas.registry import SchemaRegistry
from loanpulse.schemas.rules import Places
from loanpulse.schemas.sources import EVENT_CONTRACTS, SPENDING, UTILITY
from loanpulse.schemas.spans import SpanArrays, Spans
from loanpulse.schemas.violations import Violation
from loanpulse.streams.record.event import EVENT, NO_DAY, Event, Events
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
def check_partitions(keys: SpanArrays, partition: int, partitions: int, errors: Bytes) -> None:
    """Mark records that are in another partition than their key's."""
    for row in range(len(errors)):
        if errors[row] == 0:
            end = keys.starts[row] + keys.lengths[row]
            if murmur2(keys.data, keys.starts[row], end) % partitions != partition:
                errors[row] = WRONG_PARTITION


@compiled
def check_times(event_times: Int64s, timestamps: Int64s, tolerance_ms: int, errors: Bytes) -> None:
    """Mark events too far in the future of their record's timestamp, before FIRST_TIME or from LAST_TIME on."""
    for row in range(len(errors)):
        if errors[row] == 0 and event_times[row] > min(timestamps[row] + tolerance_ms, LAST_TIME - 1):
            errors[row] = TIME_IN_FUTURE
        if errors[row] == 0 and event_times[row] < FIRST_TIME:
            errors[row] = TOO_LATE


@compiled
def clear_event(event: Event) -> None:
    """Set every field that an event may lack to its value for "none"."""
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


@compiled
def fill_spending(columns: ColumnArrays, places: Places, events: Events) -> None:
    """Fill what only spending events have."""
    errors, data, integers, _, starts, lengths, present = columns
    loan = places.loan_id
    for row in range(len(events)):
        if errors[row] != 0:
            continue
        event = events[row]
        if present[row, places.category_shown]:
            event["category"] = integers[row, places.category]
        if present[row, places.balance_after_shown]:
            event["balance"] = integers[row, places.balance_after] / CENTS
        if present[row, places.loan_id_shown]:
            event["loan_reference"] = reference_of(data, starts[row, loan], lengths[row, loan])


@compiled
def fill_utility(columns: ColumnArrays, places: Places, events: Events) -> None:
    """Fill what only utility events have."""
    errors, _, integers, reals, _, _, present = columns
    for row in range(len(events)):
        if errors[row] != 0:
            continue
        event = events[row]
        event["utility"] = integers[row, places.utility]
        if present[row, places.due_date_shown]:
            event["due_day"] = integers[row, places.due_date]
        if present[row, places.usage_shown]:
            event["usage"] = reals[row, places.usage]


@compiled
def fill_repayment(columns: ColumnArrays, places: Places, events: Events) -> None:
    """Fill what only repayment events have."""
    errors, data, integers, _, starts, lengths, present = columns
    for row in range(len(events)):
        if errors[row] != 0:
            continue
        event = events[row]
        if present[row, places.due_date_shown]:
            event["due_day"] = integers[row, places.due_date]
        if present[row, places.outstanding_principal_shown]:
            event["outstanding"] = integers[row, places.outstanding_principal] / CENTS
        if present[row, places.credit_limit_shown]:
            event["credit_limit"] = integers[row, places.credit_limit] / CENTS
        if present[row, places.loan_status_shown]:
            event["status"] = integers[row, places.loan_status]
        if present[row, places.minimum_due_shown]:
            event["minimum_due"] = integers[row, places.minimum_due] / CENTS
        if present[row, places.declared_purpose_shown]:
            event["purpose"] = integers[row, places.declared_purpose]
        if present[row, places.product_shown]:
            event["product"] = integers[row, places.product]
        start, length = starts[row, places.lender_id], lengths[row, places.lender_id]
        lender = hash_text(data, start, length, np.uint64(1))
        for word in range(LENDER_WORDS):
            event["lender"][word] = lender_word(data, start, length, word)
        start, length = starts[row, places.loan_id], lengths[row, places.loan_id]
        event["loan_key"] = hash_text(data, start, length, lender)
        event["loan_reference"] = reference_of(data, start, length)


@compiled
def fill_events(source: int, columns: ColumnArrays, places: Places, offsets: Int64s, events: Events) -> None:
    """Project decoded columns onto events; one with an error has only its source, offset and error."""
    errors, data, integers, _, starts, lengths, present = columns
    for row in range(len(events)):
        event = events[row]
        event["source"] = source
        event["offset"] = offsets[row]
        event["error"] = errors[row]
        clear_event(event)
        if errors[row] == 0:
            event["event_time"] = integers[row, places.event_time]
            event["kind"] = integers[row, places.kind]
            start, length = starts[row, places.event_id], lengths[row, places.event_id]
            event["id_hash"] = hash_text(data, start, length, np.uint64(0))
            if present[row, places.amount_shown]:
                event["amount"] = integers[row, places.amount] / CENTS
    if source == SPENDING:
        fill_spending(columns, places, events)
    elif source == UTILITY:
        fill_utility(columns, places, events)
    else:
        fill_repayment(columns, places, events)


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
        """Return an event per record, ``error`` set where it must be refused; ``row`` is filled by the borrower store.

        Raises:
            RegistryUnavailable: a schema id is new and the registry can't be asked now.
        """
        values, keys = fetched.values, fetched.keys
        columns = values if isinstance(values, Columns) else self._decoders[fetched.source].decode(values)
        rules.check(columns, EVENT_CONTRACTS[fetched.source], keys, self._currency)
        check_partitions(keys.arrays, fetched.partition, self._partitions, columns.errors)
        check_times(columns.integer("event_time"), fetched.timestamps, self._tolerance_ms, columns.errors)
        events = np.zeros(len(fetched), EVENT)
        fill_events(fetched.source, columns.arrays, rules.places_of(columns), fetched.offsets, events)
        return DecodedBatch(events, keys)
