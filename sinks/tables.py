"""The tables that the loader fills: their topics, their sorting keys, and which rows replace others."""

from dataclasses import dataclass, field

from loanpulse.schemas import contracts, topics
from loanpulse.schemas.contracts import Contract
from loanpulse.sinks.table_columns import MILLISECONDS, TIME_CODEC, ZIPPED, TableColumn, columns_of

ORIGIN = (
    TableColumn("kafka_partition", "UInt32", "Partition that the row came from"),
    TableColumn("kafka_offset", "Int64", "Offset that the row came from", TIME_CODEC),
    TableColumn("published_at", MILLISECONDS, "When the record was published, by its own timestamp", TIME_CODEC),
    TableColumn("loaded_at", MILLISECONDS, "When the row was loaded", TIME_CODEC, "now64(3, 'UTC')"),
)
"""The last columns of every topic's table: where the row came from."""

BLOCKS_REMEMBERED = 10_000
"""Number of recent blocks whose tokens a table keeps: a repetition of one of them adds nothing."""


@dataclass(frozen=True, slots=True)
class TopicTable:
    """A table fed by one topic. Of rows with equal ``order_by`` the last loaded one remains.

    ``filled`` gives the expression that replaces null in columns of the sorting key. ``contract`` is None for dead
    letters, whose columns are ``own_columns``.
    """

    name: str
    topic: str
    comment: str
    order_by: tuple[str, ...]
    contract: Contract | None = None
    partition_by: str = "toYYYYMM(event_time)"
    filled: dict[str, str] = field(default_factory=dict)
    own_columns: tuple[TableColumn, ...] = ()
    indexes: tuple[str, ...] = ()

    @property
    def columns(self) -> tuple[TableColumn, ...]:
        """All columns in order: those of the contract, then where the row came from."""
        if self.contract is None:
            return self.own_columns + ORIGIN
        return columns_of(contracts.load(self.contract), self.filled) + ORIGIN


BORROWER_INDEX = "INDEX borrower_id_index borrower_id TYPE bloom_filter GRANULARITY 4"

LETTER_COLUMNS = (
    TableColumn("topic", "LowCardinality(String)", "Topic in which the record stood"),
    TableColumn("partition", "UInt32", "Partition in which the record stood"),
    TableColumn("offset", "Int64", "Offset at which the record stood", TIME_CODEC),
    TableColumn("record_time", MILLISECONDS, "The record's own timestamp", TIME_CODEC),
    TableColumn("stage", "LowCardinality(String)", "Where it was refused: DECODE, CONTRACT, STREAM or LOAD"),
    TableColumn("code", "LowCardinality(String)", "Why it was refused, as a code"),
    TableColumn("message", "LowCardinality(String)", "Why it was refused, as a sentence"),
    TableColumn("key", "Nullable(String)", "The record's key as base64", ZIPPED),
    TableColumn("value", "Nullable(String)", "The record's value as base64", ZIPPED),
)

TABLES: tuple[TopicTable, ...] = (
    TopicTable(
        "repayment_events", topics.REPAYMENT_EVENTS, "What happened to loans, as the lenders sent it",
        ("borrower_id", "event_time", "event_id"), Contract.REPAYMENT_EVENT,
    ),
    TopicTable(
        "spending_events", topics.SPENDING_EVENTS, "What moved on accounts, as it was sent",
        ("borrower_id", "event_time", "event_id"), Contract.SPENDING_EVENT,
    ),
    TopicTable(
        "utility_events", topics.UTILITY_EVENTS, "Bills, meter readings and notices of utilities, as they were sent",
        ("borrower_id", "event_time", "event_id"), Contract.UTILITY_EVENT,
    ),
    TopicTable(
        "snapshots", topics.LIQUIDITY_SNAPSHOTS,
        # words: ok, migrations have these comments
        "Every scoring of every borrower, by event time; a moment restated later has a row for each time it was known",
        ("borrower_id", "event_time", "known_at", "snapshot_id"), Contract.LIQUIDITY_SNAPSHOT,
        filled={"known_at": "event_time"},
    ),
    TopicTable(
        "alerts", topics.LIQUIDITY_ALERTS, "What lenders were told, one row per alert",
        ("lender_id", "event_time", "alert_id"), Contract.LIQUIDITY_ALERT, filled={"known_at": "detection_time"},
        indexes=("INDEX alert_id_index alert_id TYPE bloom_filter GRANULARITY 1", BORROWER_INDEX),
    ),
    TopicTable(
        # words: ok, as migrated
        "alert_feedback", topics.ALERT_FEEDBACK, "What came of alerts, as the teams that worked them report",
        ("lender_id", "event_time", "feedback_id"), Contract.ALERT_FEEDBACK, indexes=(BORROWER_INDEX,),
    ),
    TopicTable(
        # words: ok, as migrated
        "suppressions", topics.SUPPRESSIONS, "Orders to hold alerts back, and those that lift them",
        ("borrower_id", "event_time", "suppression_id", "lifted"), Contract.SUPPRESSION,
    ),
    TopicTable(
        "training_examples", topics.TRAINING_EXAMPLES, "Snapshots whose outcome has matured: what models learn from",
        ("matured_time", "example_id"), Contract.TRAINING_EXAMPLE, "toYYYYMM(matured_time)",
        indexes=(BORROWER_INDEX,),
    ),
    TopicTable(
        "model_health", topics.MODEL_HEALTH, "How good each model is, window by window and group by group",
        ("model_id", "event_time", "model_version", "role", "horizon_days", "lender_id", "audited_group"),
        Contract.MODEL_HEALTH,
        filled={"lender_id": "''", "audited_group": "''"},
    ),
    TopicTable(
        "dead_letters", topics.DEAD_LETTERS, "Records that could not be taken, whole",
        ("topic", "partition", "offset", "code"), partition_by="toYYYYMM(record_time)", own_columns=LETTER_COLUMNS,
    ),
)  # fmt: skip

BY_NAME = {table.name: table for table in TABLES}
