"""Compiling the core before the first event needs it: seconds to minutes once per machine, then loaded from disk."""

import uuid
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from loanpulse.schemas.codec import Codec
from loanpulse.schemas.partitioning import partition_of
from loanpulse.schemas.registry import LocalRegistry
from loanpulse.schemas.topics import EVENT_TOPICS, LIQUIDITY_SNAPSHOTS
from loanpulse.schemas.units import DAY_MS
from loanpulse.streams.alerts.snapshots import SnapshotEncoder
from loanpulse.streams.engine.engine import Engine, record_batch_of
from loanpulse.streams.partition.undo_memory import FIRST_CHUNKS

BORROWER = b"warm-up"
EVENT_TIME = datetime(2026, 1, 1, tzinfo=UTC)


def warm_up(engine: Engine) -> None:
    """Process one event of each source in a copy of ``engine``, whose own state is not touched."""
    scratch = Engine(engine.options, engine.policy, LocalRegistry())
    codec = Codec(LocalRegistry())
    common: dict[str, Any] = {
        "borrower_id": BORROWER.decode(),
        "event_time": EVENT_TIME,
        "source": "warm-up",
        "currency": engine.options.currency,
        "amount": Decimal("1.00"),
    }
    values = (
        {"lender_id": "l", "loan_id": "l", "kind": "INSTALMENT_DUE", "due_date": date(2026, 1, 1)},
        {"kind": "PURCHASE", "category": "GROCERIES", "balance_after": Decimal("1.00")},
        {"utility": "GAS", "kind": "METER_READ", "usage": 1.0},
    )
    stamp = int(EVENT_TIME.timestamp() * 1000)
    number = partition_of(BORROWER, engine.options.partitions)
    for source, value in enumerate(values):
        encoded = codec.encode(EVENT_TOPICS[source], {**common, **value, "event_id": str(uuid.UUID(int=source))})
        scratch.offer(record_batch_of(source, number, 0, [stamp], [BORROWER], [encoded]))
    partition = scratch.partition(number)
    encoder = SnapshotEncoder(codec.schema_id(LIQUIDITY_SNAPSHOTS))
    for scored in partition.advance(stamp + DAY_MS, inclusive=True):
        encoder.encode(scored.scores, scored.keys, scored.ids, scored.model_version, scored.policy.version)
        partition.alerts(scored)
    changes = partition.changed(stamp)
    for key, stored in changes.entries if changes is not None else ():
        partition.restore(key, stored)
    store = partition.store
    store.undo_memory.make_room(store.undo_log, 0, FIRST_CHUNKS + 1)
    store.drop(BORROWER)
