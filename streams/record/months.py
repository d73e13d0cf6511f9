"""Calendar months of the borrowers' clock, counted since January 1970."""

from loanpulse.schemas.compiled import compiled
from loanpulse.streams.record.layout import DAY_MS

UTC_OFFSET_MS = 8 * 3_600_000
"""The borrowers' clock against UTC: China has one time zone."""


@compiled
def month_of(time: int) -> int:
    """Return the calendar month of a time (ms), 0 = January 1970; a closed form of the Gregorian calendar."""
    days = (time + UTC_OFFSET_MS) // DAY_MS + 719_468
    of_era = days % 146_097
    year = (of_era - of_era // 1_460 + of_era // 36_524 - of_era // 146_096) // 365
    of_year = of_era - (365 * year + year // 4 - year // 100)
    from_march = (5 * of_year + 2) // 153
    return int((days // 146_097 * 400 + year - 1970) * 12 + from_march + 2)


@compiled
def month_start(month: int) -> int:
    """Return the time (ms) at which a calendar month begins."""
    since_march = month - 2
    year = 1970 + since_march // 12
    from_march = since_march % 12
    era_year = year % 400
    days = year // 400 * 146_097 + era_year * 365 + era_year // 4 - era_year // 100 + (153 * from_march + 2) // 5
    return int((days - 719_468) * DAY_MS - UTC_OFFSET_MS)
