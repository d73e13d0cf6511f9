"""Faust's own settings, from ours."""

from typing import Any

import faust

from loanpulse.settings import Settings
from loanpulse.settings.broker import faust_security

BUFFERED_BATCHES = 8
"""Fetched batches that may wait for the agent before fetching is paused."""


def faust_settings(settings: Settings) -> dict[str, Any]:
    """Return the settings of a Faust app; docs/operator.md gives the reasons of the unusual ones."""
    security = faust_security(settings)
    timeouts = settings.broker.group_timeouts
    options: dict[str, Any] = {
        "broker": ";".join(f"loanpulse://{server}" for server in settings.broker.bootstrap_servers.split(",")),
        "ssl_context": security.ssl_context,
        "store": "memory://",
        "web_enabled": False,
        "topic_allow_declare": False,
        "topic_disable_leader": True,
        "topic_partitions": settings.topics.partitions,
        "topic_replication_factor": settings.topics.replication_factor,
        "table_standby_replicas": 0,
        "stream_wait_empty": False,
        "stream_buffer_maxsize": BUFFERED_BATCHES,
        "stream_recovery_delay": 0.0,
        "stream_processing_timeout": 300.0,
        "broker_session_timeout": timeouts.session_seconds,
        "broker_heartbeat_interval": timeouts.heartbeat_seconds,
        "broker_rebalance_timeout": timeouts.rebalance_seconds,
        "broker_request_timeout": 40.0,
        "broker_max_poll_interval": 120.0,
        "broker_commit_interval": 2.8,
        "broker_commit_livelock_soft_timeout": 60.0,
        "producer_request_timeout": 60.0,
        "consumer_auto_offset_reset": "earliest",
        "consumer_max_fetch_size": settings.streams.max_partition_fetch_bytes,
        "worker_redirect_stdouts": False,
        "datadir": settings.streams.data_dir,
    }
    if security.mechanism:
        options["broker_credentials"] = faust.SASLCredentials(
            username=security.username,
            password=security.password,
            mechanism=security.mechanism,
            ssl_context=security.ssl_context,
        )
    elif security.ssl_context:
        options["broker_credentials"] = faust.SSLCredentials(context=security.ssl_context)
    return options
