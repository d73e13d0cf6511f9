"""When a borrower may be contacted: after quiet hours, and not more often than the jurisdiction allows."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from loanpulse.streams.policy.interventions import JurisdictionSection
from loanpulse.streams.record.layout import DAY_MS

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def after_quiet_hours(moment: int, rules: JurisdictionSection) -> int:
    """Return ``moment`` (ms), or the end of the quiet hours that it falls into."""
    zone = ZoneInfo(rules.time_zone)
    local = (EPOCH + timedelta(milliseconds=moment)).astimezone(zone)
    clock = local.time()
    over_midnight = rules.quiet_from > rules.quiet_until
    if over_midnight:
        quiet = clock >= rules.quiet_from or clock < rules.quiet_until
    else:
        quiet = rules.quiet_from <= clock < rules.quiet_until
    if not quiet:
        return moment
    day = local.date() + timedelta(days=1 if over_midnight and clock >= rules.quiet_from else 0)
    ends = datetime.combine(day, rules.quiet_until, zone)
    return (ends.astimezone(UTC) - EPOCH) // timedelta(milliseconds=1)


def earliest_contact(moment: int, earlier: Iterable[int], rules: JurisdictionSection) -> int:
    """Return the first moment from ``moment`` (ms) on at which a further contact is allowed.

    ``earlier`` are the moments of the contacts advised before, of this lender with this borrower.
    """
    window = rules.per_days * DAY_MS
    candidate = after_quiet_hours(moment, rules)
    latest = sorted(earlier)[-rules.contacts :]
    # The oldest of as many contacts as the cap allows must lie a whole window back.
    if len(latest) == rules.contacts:
        candidate = max(candidate, after_quiet_hours(max(moment, latest[0] + window), rules))
    return candidate
