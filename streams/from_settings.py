"""What of the configuration decides results: the stream and replay take it from here, so that they agree."""

from pathlib import Path

from loanpulse.schemas.units import DAY_MS
from loanpulse.settings import Settings
from loanpulse.streams.engine.engine import EngineOptions
from loanpulse.streams.policy import policy_file


def engine_options(settings: Settings) -> EngineOptions:
    """Return what of the configuration decides how events are taken."""
    streams = settings.streams
    return EngineOptions(
        partitions=settings.topics.partitions,
        currency=streams.currency,
        allowed_lateness_ms=round(streams.allowed_lateness_days * DAY_MS),
        max_clock_skew_ms=round(streams.max_clock_skew_seconds * 1000),
        restatement_ms=round(streams.restatement_days * DAY_MS),
    )


def scoring_interval(settings: Settings) -> float:
    """Return the bucket of event time (seconds) at whose end a borrower is scored.

    It is half of the configured interval; the rest is for ordering and publishing.
    """
    return settings.streams.scoring_interval_seconds / 2


def load_policy(settings: Settings) -> policy_file.Policy:
    """Return the configured policy, which stands until an activation takes effect."""
    return policy_at(settings, settings.policy.path)


def policy_at(settings: Settings, path: str | Path) -> policy_file.Policy:
    """Return the policy of a file as this deployment would use it; an empty path means the packaged one."""
    return policy_file.load(path, scoring_interval(settings), settings.streams.allowed_lateness_days)
