"""Encoding a step's results as messages of the topics that others read."""

from datetime import UTC, datetime
from functools import partial

from loanpulse.schemas.codec import Codec
from loanpulse.schemas.contracts import AlertDisposition
from loanpulse.schemas.topics import (
    EVENT_TOPICS,
    LIQUIDITY_ALERTS,
    LIQUIDITY_SNAPSHOTS,
    ORDER_APPLICATIONS,
    full_name,
    key_of,
    lender_alerts,
)
from loanpulse.streams.alerts.scored import Scored
from loanpulse.streams.alerts.snapshots import SnapshotEncoder
from loanpulse.streams.alerts.value import Alert
from loanpulse.streams.directives.directives import Application
from loanpulse.streams.partition.changelog import Changes, Entry
from loanpulse.streams.worker.checkpoint import Checkpoint, Messages


class OutputEncoder:
    """Adds results to checkpoints. Topics' names begin with ``prefix``; ``lenders`` have a topic of alerts each."""

    def __init__(self, codec: Codec, prefix: str, lenders: frozenset[str]) -> None:
        self._codec = codec
        self._prefix = prefix
        self._lenders = lenders
        self._snapshots: SnapshotEncoder | None = None

    def add_application(self, application: Application, checkpoint: Checkpoint) -> None:
        """Add from when on a partition applies a directive."""
        value = {
            "order_id": application.identity,
            "topic": application.topic,
            "partition": application.partition,
            "event_time": datetime.fromtimestamp(application.at_ms / 1000, UTC),
            "source": "worker",
        }
        encoded = self._codec.encode(full_name(ORDER_APPLICATIONS, self._prefix), value)
        checkpoint.applications.append({"key": key_of(ORDER_APPLICATIONS, value), "value": encoded})

    def add_snapshots(self, scored: Scored, checkpoint: Checkpoint) -> None:
        """Add scorings, to be encoded when the checkpoint is written, and released then."""
        topic = full_name(LIQUIDITY_SNAPSHOTS, self._prefix)
        if self._snapshots is None:
            self._snapshots = SnapshotEncoder(self._codec.schema_id(topic))
        checkpoint.unencoded.append(((topic, scored.partition), partial(encode_snapshots, self._snapshots, scored)))

    def add_alert(self, partition: int, alert: Alert, checkpoint: Checkpoint) -> None:
        """Add an alert, also to its lender's own topic where there is one and the alert is sent."""
        topics = [LIQUIDITY_ALERTS]
        if alert["lender_id"] in self._lenders and alert["disposition"] == AlertDisposition.SENT.name:
            topics.append(lender_alerts(alert["lender_id"]))
        value = self._codec.encode(full_name(LIQUIDITY_ALERTS, self._prefix), alert)
        for topic in topics:
            messages = checkpoint.outputs.setdefault((full_name(topic, self._prefix), partition), [])
            messages.append({"key": alert["borrower_id"].encode(), "value": value})

    def add_changes(self, partition: int, changes: Changes, checkpoint: Checkpoint) -> None:
        """Add what a partition has to store, and the offsets that may be committed after that."""
        checkpoint.changelog[partition] = [_message(entry) for entry in changes.entries]
        checkpoint.own_entries[partition] = _message(changes.own_entry)
        for source, offset in changes.offsets.items():
            checkpoint.offsets[full_name(EVENT_TOPICS[source], self._prefix), partition] = offset


def encode_snapshots(encoder: SnapshotEncoder, scored: Scored) -> Messages:
    """Encode scorings and release their memory."""
    values = encoder.encode(scored.scores, scored.keys, scored.ids, scored.model_version, scored.policy.version)
    scored.release()
    return [{"key": key, "value": value} for key, value in zip(scored.keys.tolist(), values, strict=True)]


def _message(entry: Entry) -> dict[str, bytes | None]:
    key, value = entry
    return {"key": key, "value": value}
