"""Days of the borrowers' own clock, as the compiled core counts them: days since 1970-01-01."""

from loanpulse.schemas.compiled import compiled
from loanpulse.streams.record.layout import DAY_MS
from loanpulse.streams.record.months import UTC_OFFSET_MS, month_of, month_start


@compiled
def local_day(time: int) -> int:
    """Return the number of the local day in which ``time`` (UTC ms) lies."""
    return (time + UTC_OFFSET_MS) // DAY_MS


@compiled
def start_of(day: int) -> int:
    """Return the moment (UTC ms) at which a local day begins."""
    return int(day) * DAY_MS - UTC_OFFSET_MS


@compiled
def months_later(day: int, months: int) -> int:
    """Return the same day of the month ``months`` later, or that month's last day where it is too short."""
    month = month_of(start_of(day))
    of_month = int(day) - local_day(month_start(month))
    first = local_day(month_start(month + months))
    length = local_day(month_start(month + months + 1)) - first
    return first + min(of_month, length - 1)
