"""Which broker the tests run on, and the environment that their processes get."""

import os
from pathlib import Path

from loanpulse.settings import Settings

PARTITIONS = 2


def on_kafka() -> bool:
    return os.environ.get("LOANPULSE_TEST_BROKER") == "kafka"


def environment_of(bootstrap_servers: str, folder: Path, prefix: str = "") -> dict[str, str]:
    return {
        "LOANPULSE_BROKER__BOOTSTRAP_SERVERS": bootstrap_servers,
        "LOANPULSE_BROKER__PROFILE": "embedded",
        "LOANPULSE_TOPICS__PARTITIONS": str(PARTITIONS),
        "LOANPULSE_TOPICS__PREFIX": prefix,
        "LOANPULSE_TOPICS__LENDERS": "lender-a",
        # Apache Kafka counts from the records' timestamps, which are of simulated time.
        "LOANPULSE_TOPICS__RETENTION_DAYS": "3650",
        "LOANPULSE_STREAMS__DATA_DIR": str(folder / "streams"),
        "LOANPULSE_WAREHOUSE__PATH": str(folder / "warehouse"),
        "LOANPULSE_WAREHOUSE__MAX_BATCH_AGE_SECONDS": "0.3",
    }


def environment(settings: Settings) -> dict[str, str]:
    """The environment by which a child process gets the same deployment."""
    return environment_of(
        settings.broker.bootstrap_servers, Path(settings.streams.data_dir).parent, settings.topics.prefix
    )
