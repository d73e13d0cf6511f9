"""What of the configuration decides results: the stream and replay take it from here, so that they agree."""

from loanpulse.settings import Settings
from loanpulse.streams import policy as policies
from loanpulse.streams.engine import EngineOptions


def engine_options(settings: Settings) -> EngineOptions:
    """Return what of the configuration decides how events are taken."""
    streams = settings.streams
    return EngineOptions(
        partitions=settings.topics.partitions,
        currency=streams.currency,
        allowed_lateness_ms=round(streams.allowed_lateness_days * 86_400_000),
        future_tolerance_ms=round(streams.future_tolerance_seconds * 1000),
    )


def load_policy(settings: Settings) -> policies.Policy:
    """Return the configured policy.

    Half of the scoring interval is the bucket of event time at whose end a borrower is scored; the rest is for
    ordering and publishing.
    """
    streams = settings.streams
    return policies.load(settings.policy.path, streams.scoring_interval_seconds / 2, streams.allowed_lateness_days)
