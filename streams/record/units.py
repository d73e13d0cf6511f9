"""The record's units of time, and how they convert: UTC ms, seconds since 2020, local days and calendar months.

Event times are UTC milliseconds since 1970 (``_ms``). Where the record saves space it keeps seconds since 2020-01-01
UTC (``epoch2020_s``). Local days and months are those of the borrowers' clock (``UTC_OFFSET_MS``), counted since
January 1970.
"""

from loanpulse.schemas.compiled import compiled
from loanpulse.schemas.units import DAY_MS, UTC_OFFSET_MS

YEAR_2020_S = 1_577_836_800
"""2020-01-01 UTC in seconds since 1970: from where ``epoch2020_s`` counts."""


@compiled
def seconds_of(time_ms: int) -> int:
    """Return a time (UTC ms) in seconds since 2020, rounded down.

    Examples:
        >>> int(seconds_of(1_577_836_800_000)), int(seconds_of(1_577_836_801_999))
        (0, 1)
    """
    return time_ms // 1000 - YEAR_2020_S


@compiled
def ms_of(epoch2020_s: int) -> int:
    """Return seconds since 2020 as a time (UTC ms).

    Examples:
        >>> int(ms_of(1))
        1577836801000
    """
    return (int(epoch2020_s) + YEAR_2020_S) * 1000


@compiled
def month_of(time_ms: int) -> int:
    """Return the calendar month of a time (UTC ms) on the borrowers' clock, 0 = January 1970.

    A closed form of the Gregorian calendar, counted in eras of 400 years that begin on 1 March.

    Examples:
        The last second of January 1970 in UTC is already February in China.

        >>> int(month_of(0)), int(month_of(31 * 86_400_000 - 1))
        (0, 1)
    """
    days = (time_ms + UTC_OFFSET_MS) // DAY_MS + 719_468
    of_era = days % 146_097
    year = (of_era - of_era // 1_460 + of_era // 36_524 - of_era // 146_096) // 365
    of_year = of_era - (365 * year + year // 4 - year // 100)
    from_march = (5 * of_year + 2) // 153
    return int((days // 146_097 * 400 + year - 1970) * 12 + from_march + 2)


@compiled
def month_start_ms(month: int) -> int:
    """Return the time (UTC ms) at which a calendar month begins on the borrowers' clock.

    Examples:
        >>> int(month_start_ms(1)) == 31 * 86_400_000 - 8 * 3_600_000
        True
    """
    since_march = month - 2
    year = 1970 + since_march // 12
    from_march = since_march % 12
    era_year = year % 400
    days = year // 400 * 146_097 + era_year * 365 + era_year // 4 - era_year // 100 + (153 * from_march + 2) // 5
    return int((days - 719_468) * DAY_MS - UTC_OFFSET_MS)


@compiled
def local_day(time_ms: int) -> int:
    """Return the local day, counted since 1970-01-01, in which a time (UTC ms) lies.

    Examples:
        >>> int(local_day(0)), int(local_day(16 * 3_600_000))
        (0, 1)
    """
    return (time_ms + UTC_OFFSET_MS) // DAY_MS


@compiled
def day_start_ms(day: int) -> int:
    """Return the time (UTC ms) at which a local day begins.

    Examples:
        >>> int(day_start_ms(1)) == 16 * 3_600_000
        True
    """
    return int(day) * DAY_MS - UTC_OFFSET_MS


@compiled
def months_later(day: int, months: int) -> int:
    """Return the same day of the month ``months`` later, or that month's last day where it is too short.

    Examples:
        31 January 1970 is day 30; a month later is 28 February, day 58.

        >>> int(months_later(30, 1)), int(months_later(30, 2))
        (58, 89)
    """
    month = month_of(day_start_ms(day))
    of_month = int(day) - local_day(month_start_ms(month))
    first = local_day(month_start_ms(month + months))
    length = local_day(month_start_ms(month + months + 1)) - first
    return first + min(of_month, length - 1)
