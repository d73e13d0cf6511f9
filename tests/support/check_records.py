"""Records of a small city after some months: borrowers of every kind, for what is read from a record."""

from loanpulse.city.writers import encoded
from loanpulse.schemas.codec import Codec
from loanpulse.schemas.registry import LocalRegistry
from loanpulse.schemas.topics import EVENT_TOPICS
from loanpulse.streams.engine.decode import EventDecoder, RecordBatch
from loanpulse.streams.fold.event import fold_event
from loanpulse.streams.record.layout import Records, empty_records
from tests.support import sample_logs

BORROWERS, DAYS = 6, 150


def sample_records() -> Records:
    """Return the records of a city's borrowers, folded event by event."""
    registry = LocalRegistry()
    codec, decoder = Codec(registry), EventDecoder(registry, "CNY", 1, 300_000)
    rows: dict[str, int] = {}
    records = empty_records(BORROWERS)
    for record in sample_logs.city(BORROWERS, DAYS):
        if record.flaw:
            continue
        source = EVENT_TOPICS.index(record.topic)
        batch = RecordBatch.of(source, 0, [0], [record.at_ms], [record.key.encode()], [encoded(record, codec)])
        event = decoder.events(batch).events[0]
        row = rows.setdefault(record.key, len(rows))
        if event["error"] == 0 and row < BORROWERS:
            fold_event(records[row], event)
    return records
