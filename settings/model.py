"""Every setting: its default, what it is for, and which values it allows."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator

NO_SECRET = SecretStr("")


class Section(BaseModel):
    """A section of the file: unknown keys are errors, and values are immutable."""

    model_config = ConfigDict(extra="forbid", frozen=True)


@dataclass(frozen=True, slots=True)
class GroupTimeouts:
    """How soon a consumer group notices that a member is gone (seconds)."""

    session_seconds: float
    heartbeat_seconds: float
    rebalance_seconds: float


_EMBEDDED_TIMEOUTS = GroupTimeouts(6, 2, 6)
_KAFKA_TIMEOUTS = GroupTimeouts(30, 10, 60)


class BrokerSection(Section):
    """How every client reaches the Kafka broker."""

    bootstrap_servers: Annotated[str, Field(min_length=1)] = Field(
        "127.0.0.1:9092", description="host:port of one or more brokers, separated by commas"
    )
    profile: Literal["kafka", "embedded"] = Field(
        "kafka", description="embedded shortens the groups' timeouts, for the broker that `loanpulse demo` starts"
    )
    security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = Field(
        "PLAINTEXT", description="how connections are secured"
    )
    sasl_mechanism: Literal["", "PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = Field(
        "", description="how clients authenticate, with a SASL protocol"
    )
    sasl_username: str = Field("", description="the user, with a SASL protocol")
    sasl_password: SecretStr = Field(NO_SECRET, description="the user's password, with a SASL protocol")
    ssl_ca_location: str = Field("", description="PEM file of the authorities to trust; empty uses the system's")
    ssl_certificate_location: str = Field("", description="PEM file of the client's certificate")
    ssl_key_location: str = Field("", description="PEM file of the client's key")
    ssl_key_password: SecretStr = Field(NO_SECRET, description="password of the client's key")

    @property
    def group_timeouts(self) -> GroupTimeouts:
        """The timeouts of consumer groups under this profile."""
        return _EMBEDDED_TIMEOUTS if self.profile == "embedded" else _KAFKA_TIMEOUTS

    @property
    def uses_sasl(self) -> bool:
        """Whether clients authenticate by SASL."""
        return self.security_protocol.startswith("SASL_")

    @property
    def uses_tls(self) -> bool:
        """Whether connections are encrypted."""
        return self.security_protocol.endswith("SSL")

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.uses_sasl and not (self.sasl_mechanism and self.sasl_username and self.sasl_password):
            raise ValueError(
                f"security_protocol {self.security_protocol} needs sasl_mechanism, sasl_username and sasl_password"
            )
        if self.ssl_certificate_location and not self.ssl_key_location:
            raise ValueError("ssl_certificate_location needs ssl_key_location")
        for name in ("ssl_ca_location", "ssl_certificate_location", "ssl_key_location"):
            file = getattr(self, name)
            if file and not Path(file).is_file():
                raise ValueError(f"{name} names {file}, which is not a file")
        return self


class TopicsSection(Section):
    """The topics of this deployment."""

    partitions: int = Field(8, ge=1, le=10_000, description="partitions of every topic keyed by borrower")
    replication_factor: int = Field(1, ge=1, le=10, description="replicas of every partition")
    prefix: str = Field("", pattern=r"^[A-Za-z0-9._-]*$", max_length=64, description="prefix of every topic name")
    lenders: list[Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,24}$")]] = Field(
        [], description="lenders with an alert topic of their own (liquidity-alerts.<lender>)"
    )
    retention_days: float = Field(7.0, gt=0, le=3650, description="retention of topics with cleanup.policy=delete")


class RegistrySection(Section):
    """The schema registry."""

    url: str = Field(
        "", pattern=r"^(https?://.+)?$", description="a Confluent-compatible registry; empty uses the package's own"
    )
    username: str = Field("", description="the user of the registry")
    password: SecretStr = Field(NO_SECRET, description="the user's password")


class StreamsSection(Section):
    """The workers."""

    data_dir: str = Field(".loanpulse/streams", description="folder of a worker's local files")
    consumer_group: str = Field("loanpulse", pattern=r"^[A-Za-z0-9._-]+$", description="consumer group of the workers")
    scoring_interval_seconds: float = Field(
        2.0,
        gt=0,
        le=3600,
        description="a borrower is scored within this time after an event; in event time, at each half of it",
    )
    idle_source_timeout_seconds: float = Field(
        0.5, ge=0, le=600, description="a source with no data for this long no longer delays the others"
    )
    checkpoint_seconds: float = Field(
        2.0,
        ge=0.05,
        le=60,
        description="shortest time between two writes of state, longer while catching up; outputs do not wait for it",
    )
    allowed_lateness_days: float = Field(
        7.0, ge=0, le=30, description="how far an event may be behind its source's watermark before it is dead-lettered"
    )
    restatement_days: float = Field(
        7.0, ge=0, le=30, description="how far back a late event restates scorings; 0 turns restatement off"
    )
    max_clock_skew_seconds: float = Field(
        300.0, ge=0, description="how far an event's time may be ahead of its record's timestamp"
    )
    threads: int = Field(
        0, ge=0, le=256, description="threads that process partitions in parallel; 0 uses one per core"
    )
    currency: str = Field("CNY", pattern=r"^[A-Z]{3}$", description="the only currency accepted, ISO 4217")
    max_partition_fetch_bytes: int = Field(
        1_048_576, ge=65_536, le=104_857_600, description="most bytes that one fetch returns for a partition"
    )
    max_buffered_events_per_source: int = Field(
        200_000, ge=100, le=10_000_000,
        description="events of one source and partition buffered for merging before its fetching is paused",
    )  # fmt: skip


class PolicySection(Section):
    """The policy: thresholds, levels and advice."""

    path: str = Field("", description="the policy file; empty uses the packaged one")


class LearningSection(Section):
    """The trainer."""

    data_dir: str = Field(".loanpulse/learning", description="folder of the trainer's state")
    horizons: list[Annotated[int, Field(ge=1, le=365)]] = Field(
        [30, 60, 90],
        min_length=1,
        description="days after a snapshot in which a default counts; models learn the first",
    )
    prediction_interval_days: float = Field(
        7.0, gt=0, le=90, description="days between two predictions of a borrower that are followed up to an outcome"
    )
    examples_per_version: int = Field(
        1024, ge=128, le=1_000_000, description="examples after which a new version is judged and published"
    )
    team_capacity_per_day: int = Field(
        50, ge=1, description="borrowers that a team can contact in a day, for precision and recall"
    )
    audit_groups_path: str = Field(
        "", description="CSV file borrower_id,group for fairness audits, never a model input; empty turns audits off"
    )
    checkpoint_seconds: float = Field(10.0, ge=0.05, le=3600, description="how often the trainer's state is stored")


class WarehouseSection(Section):
    """ClickHouse, embedded or a server."""

    kind: Literal["embedded", "server"] = Field("embedded", description="embedded keeps the tables in a folder")
    path: str = Field(".loanpulse/warehouse", description="the folder of the embedded warehouse")
    host: str = Field("127.0.0.1", description="the server's host, or several separated by commas")
    port: int = Field(9000, ge=1, le=65_535, description="the server's native port")
    database: str = Field("loanpulse", pattern=r"^[A-Za-z_][A-Za-z0-9_]*$", description="the database of the tables")
    username: str = Field("default", description="the server's user")
    password: SecretStr = Field(NO_SECRET, description="the user's password")
    secure: bool = Field(False, description="whether the connection is encrypted")
    connect_timeout_seconds: float = Field(
        5.0, gt=0, le=600, description="how long to wait for a server to accept a connection"
    )
    query_timeout_seconds: float = Field(300.0, gt=0, le=86_400, description="how long to wait for a server's answer")
    ca_location: str = Field("", description="PEM file of the authorities to trust")
    cluster: str = Field(
        "",
        pattern=r"^[A-Za-z0-9_-]*$",
        description="the cluster on which tables are replicated and distributed; empty means a single server",
    )
    batch_rows: int = Field(
        100_000, ge=1, le=10_000_000, description="a batch is inserted at the latest when it holds this many rows"
    )
    max_batch_age_seconds: float = Field(
        1.0, gt=0, le=600, description="a batch is inserted at the latest when its oldest record has waited this long"
    )
    insert_threads: int = Field(2, ge=1, le=64, description="blocks of a batch that are built and inserted in parallel")
    query_port: int = Field(
        0,
        ge=0,
        le=65_535,
        description="embedded: loopback port on which the loader answers queries; 0 picks a free one",
    )

    @model_validator(mode="after")
    def _cluster_is_a_servers(self) -> Self:
        if self.cluster and self.kind == "embedded":
            raise ValueError("cluster needs kind = server")
        return self


class RetentionSection(Section):
    """Days for which the warehouse keeps rows, by table, counted from when a row was loaded; 0 keeps for ever."""

    repayment_events: float = Field(730, ge=0, description="days that repayment events are kept; 0 for ever")
    spending_events: float = Field(730, ge=0, description="days that spending events are kept; 0 for ever")
    utility_events: float = Field(730, ge=0, description="days that utility events are kept; 0 for ever")
    snapshots: float = Field(730, ge=0, description="days that scorings are kept; 0 for ever")
    alerts: float = Field(0, ge=0, description="days that alerts are kept; 0 for ever")
    alert_feedback: float = Field(0, ge=0, description="days that feedback is kept; 0 for ever")
    suppressions: float = Field(0, ge=0, description="days that suppressions are kept; 0 for ever")
    training_examples: float = Field(730, ge=0, description="days that training examples are kept; 0 for ever")
    model_health: float = Field(0, ge=0, description="days that model health is kept; 0 for ever")
    dead_letters: float = Field(180, ge=0, description="days that dead letters are kept; 0 for ever")
    borrower_minutes: float = Field(7, ge=0, description="days that the portfolio by minute is kept; 0 for ever")
    borrower_hours: float = Field(180, ge=0, description="days that the portfolio by hour is kept; 0 for ever")
    borrower_days: float = Field(0, ge=0, description="days that the portfolio by day is kept; 0 for ever")
    borrower_day_moves: float = Field(0, ge=0, description="days that moves between levels are kept; 0 for ever")
    borrower_days_as_known: float = Field(
        0, ge=0, description="days that the portfolio by day as it was known is kept; 0 for ever"
    )
    borrower_months_as_known: float = Field(
        0, ge=0, description="days that the portfolio by month as it was known is kept; 0 for ever"
    )
    level_changes: float = Field(0, ge=0, description="days that changes of level are kept; 0 for ever")

    def days(self) -> dict[str, float]:
        """Return the days by table."""
        return {name: float(getattr(self, name)) for name in type(self).model_fields}


class LoggingSection(Section):
    """Logs."""

    level: Literal["debug", "info", "warning", "error"] = Field("info", description="the lowest level that is logged")
    format: Literal["console", "json"] = Field("console", description="console for people, json for machines")


class Settings(Section):
    """The whole configuration."""

    broker: BrokerSection = BrokerSection()
    topics: TopicsSection = TopicsSection()
    registry: RegistrySection = RegistrySection()
    streams: StreamsSection = StreamsSection()
    policy: PolicySection = PolicySection()
    learning: LearningSection = LearningSection()
    warehouse: WarehouseSection = WarehouseSection()
    retention: RetentionSection = RetentionSection()
    logging: LoggingSection = LoggingSection()
