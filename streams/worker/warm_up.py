"""Compiling the core before the first event needs it: some seconds once per machine, then loaded from disk."""

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
from loanpulse.streams.partition.undo_log import FIRST_CHUNKS

BORROWER = b"warm-up"
MOMENT = datetime(2026, 1, 1, tzinfo=UTC)


def warm_up(engine: Engine) -> None:
    """Send one event of each kind of topic through a copy of ``engine``; what it holds is not touched."""
    scratch = Engine(engine.options, engine.policy, LocalRegistry())
    codec = Codec(LocalRegistry())
    common: dict[str, Any] = {
        "borrower_id": BORROWER.decode(),
        "event_time": MOMENT,
        "source": "warm-up",
        "currency": engine.options.currency,
        "amount": Decimal("1.00"),
    }
    values = (
        {"lender_id": "l", "loan_id": "l", "kind": "INSTALMENT_DUE", "due_date": date(2026, 1, 1)},
        {"kind": "PURCHASE", "category": "GROCERIES", "balance_after": Decimal("1.00")},
        {"utility": "GAS", "kind": "METER_READ", "usage": 1.0},
    )
    stamp = int(MOMENT.timestamp() * 1000)
    partition = partition_of(BORROWER, engine.options.partitions)
    for source, value in enumerate(values):
        encoded = codec.encode(EVENT_TOPICS[source], {**common, **value, "event_id": str(uuid.UUID(int=source))})
        scratch.take(record_batch_of(source, partition, 0, [stamp], [BORROWER], [encoded]))
    scored = scratch.run(partition, stamp + DAY_MS, inclusive=True)
    SnapshotEncoder(codec.schema_id(LIQUIDITY_SNAPSHOTS)).encode(
        scored.scores, scored.keys, scored.ids, scored.model_version, scored.policy.version
    )
    scratch.alerts(scored)
    slab = scratch.lane(partition).slab
    for key, raw in slab.take_dirty():
        slab.load(key, raw)
    slab.trails.make_room(slab.trail, 0, FIRST_CHUNKS + 1)
    slab.drop(BORROWER)
