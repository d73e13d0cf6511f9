"""When a borrower may be contacted: after quiet hours, and not more often than the jurisdiction allows."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from loanpulse.schemas.units import DAY_MS
from loanpulse.streams.policy.interventions import JurisdictionSection

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def after_quiet_hours(time_ms: int, rules: JurisdictionSection) -> int:
    """Return ``time_ms``, or the end (ms) of the quiet hours that it falls into."""
    zone = ZoneInfo(rules.time_zone)
    local = (EPOCH + timedelta(milliseconds=time_ms)).astimezone(zone)
    clock = local.time()
    over_midnight = rules.quiet_from > rules.quiet_until
    if over_midnight:
        quiet = clock >= rules.quiet_from or clock < rules.quiet_until
    else:
        quiet = rules.quiet_from <= clock < rules.quiet_until
    if not quiet:
        return time_ms
    day = local.date() + timedelta(days=1 if over_midnight and clock >= rules.quiet_from else 0)
    ends = datetime.combine(day, rules.quiet_until, zone)
    return (ends.astimezone(UTC) - EPOCH) // timedelta(milliseconds=1)


def earliest_contact(time_ms: int, earlier_ms: Iterable[int], rules: JurisdictionSection) -> int:
    """Return the first time (ms) from ``time_ms`` on at which a further contact is allowed.

    ``earlier_ms`` are the times of this lender's contacts with this borrower that were advised before.
    """
    window_ms = rules.per_days * DAY_MS
    candidate_ms = after_quiet_hours(time_ms, rules)
    latest_ms = sorted(earlier_ms)[-rules.contacts :]
    # With as many contacts as the cap allows, the oldest of them must lie a whole window back.
    if len(latest_ms) == rules.contacts:
        candidate_ms = max(candidate_ms, after_quiet_hours(max(time_ms, latest_ms[0] + window_ms), rules))
    return candidate_ms
