"""Every setting with its default, what it is for, and what is allowed."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator

NO_SECRET = SecretStr("")


class Section(BaseModel):
    """A section of the file: unknown keys are errors, values don't change."""

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
        "kafka", description="embedded shortens the group's time-outs for the broker that `loanpulse demo` starts"
    )
    security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = Field(
        "PLAINTEXT", description="how connections are secured"
    )
    sasl_mechanism: Literal["", "PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = Field(
        "", description="how a client proves who it is, with a SASL protocol"
    )
    sasl_username: str = Field("", description="the user, with a SASL protocol")
    sasl_password: SecretStr = Field(NO_SECRET, description="the user's password, with a SASL protocol")
    ssl_ca_location: str = Field("", description="file of the authorities to trust, PEM; empty takes the system's")
    ssl_certificate_location: str = Field("", description="file of the client's own certificate, PEM")
    ssl_key_location: str = Field("", description="file of the client's key, PEM")
    ssl_key_password: SecretStr = Field(NO_SECRET, description="password of the client's key")

    @property
    def group_timeouts(self) -> GroupTimeouts:
        """The time-outs of consumer groups under this profile."""
        return _EMBEDDED_TIMEOUTS if self.profile == "embedded" else _KAFKA_TIMEOUTS

    @property
    def uses_sasl(self) -> bool:
        """Whether clients prove who they are by SASL."""
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
    replication_factor: int = Field(1, ge=1, le=10, description="copies that the broker keeps")
    prefix: str = Field("", pattern=r"^[A-Za-z0-9._-]*$", max_length=64, description="what topic names start with")
    lenders: list[Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,24}$")]] = Field(
        [], description="lenders with an alert topic of their own (liquidity-alerts.<lender>)"
    )
    retention_days: float = Field(7.0, gt=0, le=3650, description="how long topics kept by time are kept")


class RegistrySection(Section):
    """The schema registry."""

    url: str = Field(
        "", pattern=r"^(https?://.+)?$", description="a Confluent-compatible registry; empty takes the local one"
    )
    username: str = Field("", description="the user of the registry")
    password: SecretStr = Field(NO_SECRET, description="the user's password")


class StreamsSection(Section):
    """The workers."""

    data_dir: str = Field(".loanpulse/streams", description="where a worker keeps files of its own")
    group: str = Field("loanpulse", pattern=r"^[A-Za-z0-9._-]+$", description="consumer group of the workers")
    scoring_interval_seconds: float = Field(
        2.0, gt=0, le=3600, description="a borrower touched by an event is scored within this time"
    )
    ordering_grace_seconds: float = Field(
        0.5, ge=0, le=600, description="how long a source without data is waited for before time goes on without it"
    )
    checkpoint_seconds: float = Field(
        2.0,
        ge=0.05,
        le=60,
        description="how often state is made durable at most, more rarely in a backlog; outputs do not wait for it",
    )
    allowed_lateness_days: float = Field(
        7.0, ge=0, le=30, description="how far behind its source an event may be before it is dead-lettered"
    )
    restate_days: float = Field(
        7.0, ge=0, le=30, description="how far back scorings are restated when an event comes late; 0 restates none"
    )
    future_tolerance_seconds: float = Field(
        300.0, ge=0, description="how far after its record's timestamp an event's time may lie"
    )
    threads: int = Field(
        0, ge=0, le=256, description="threads that carry partitions side by side; 0 takes as many as there are cores"
    )
    currency: str = Field("CNY", pattern=r"^[A-Z]{3}$", description="the one currency taken, ISO 4217")
    fetch_bytes: int = Field(
        1_048_576, ge=65_536, le=104_857_600, description="bytes that one fetch of a partition brings at most"
    )
    waiting_events: int = Field(
        200_000, ge=100, le=10_000_000,
        description="events of one source and partition that may wait for the others before its fetching is paused",
    )  # fmt: skip


class PolicySection(Section):
    """The policy: thresholds, levels and advice."""

    path: str = Field("", description="the policy file; empty takes the packaged one")


class LearningSection(Section):
    """The trainer."""

    data_dir: str = Field(".loanpulse/learning", description="where the trainer keeps its state")
    horizons: list[Annotated[int, Field(ge=1, le=365)]] = Field(
        [30, 60, 90], min_length=1, description="days after a snapshot in which a default counts; the first is learned"
    )
    sample_days: float = Field(
        7.0, gt=0, le=90, description="one snapshot a borrower in so many days is a prediction that is followed up"
    )
    version_examples: int = Field(
        1024, ge=128, le=1_000_000, description="examples after which a new version is judged and published"
    )
    budget_per_day: int = Field(
        50, ge=1, description="borrowers whom a team can reach in a day, for precision and recall"
    )
    groups_path: str = Field(
        "", description="table borrower_id,group for audits of fairness, never a feature; empty audits nothing"
    )
    checkpoint_seconds: float = Field(10.0, ge=0.05, le=3600, description="how often the trainer's state is stored")


class WarehouseSection(Section):
    """ClickHouse, embedded or a server."""

    kind: Literal["embedded", "server"] = Field("embedded", description="embedded keeps the tables in a folder")
    path: str = Field(".loanpulse/warehouse", description="the folder of the embedded warehouse")
    host: str = Field("127.0.0.1", description="the server's host; more than one separated by commas")
    port: int = Field(9000, ge=1, le=65_535, description="the server's native port")
    database: str = Field("loanpulse", pattern=r"^[A-Za-z_][A-Za-z0-9_]*$", description="the database of the tables")
    username: str = Field("default", description="the server's user")
    password: SecretStr = Field(NO_SECRET, description="the user's password")
    secure: bool = Field(False, description="whether the connection is encrypted")
    connect_seconds: float = Field(5.0, gt=0, le=600, description="how long a server may take to accept a connection")
    answer_seconds: float = Field(300.0, gt=0, le=86_400, description="how long a server may take to answer")
    ca_location: str = Field("", description="file of the authorities to trust, PEM")
    cluster: str = Field(
        "",
        pattern=r"^[A-Za-z0-9_-]*$",
        description="a server's cluster: tables are replicated on its shards and distributed; empty takes one server",
    )
    batch_rows: int = Field(100_000, ge=1, le=10_000_000, description="rows after which a batch is inserted")
    batch_seconds: float = Field(1.0, gt=0, le=600, description="seconds after which a batch is inserted")
    insert_threads: int = Field(2, ge=1, le=64, description="blocks of a batch that are made and inserted at a time")
    query_port: int = Field(
        0,
        ge=0,
        le=65_535,
        description="embedded: loopback port on which the loader answers queries; 0 takes a free one",
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
    model_health: float = Field(0, ge=0, description="days that measures of models are kept; 0 for ever")
    dead_letters: float = Field(180, ge=0, description="days that dead letters are kept; 0 for ever")
    borrower_minutes: float = Field(7, ge=0, description="days that the portfolio by minute is kept; 0 for ever")
    borrower_hours: float = Field(180, ge=0, description="days that the portfolio by hour is kept; 0 for ever")
    borrower_days: float = Field(0, ge=0, description="days that the portfolio by day is kept; 0 for ever")
    borrower_day_moves: float = Field(0, ge=0, description="days that moves between levels are kept; 0 for ever")
    borrower_days_as_known: float = Field(0, ge=0, description="days that what was believed is kept; 0 for ever")
    borrower_months_as_known: float = Field(0, ge=0, description="days that it is kept by month; 0 for ever")
    level_changes: float = Field(0, ge=0, description="days that changes of level are kept; 0 for ever")

    def days(self) -> dict[str, float]:
        """Return the days by table."""
        return {name: float(getattr(self, name)) for name in type(self).model_fields}


class LoggingSection(Section):
    """Logs."""

    level: Literal["debug", "info", "warning", "error"] = Field("info", description="the least that is logged")
    format: Literal["console", "json"] = Field("console", description="for people or for machines")


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
