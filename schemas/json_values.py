"""Single values of plain JSON text, compiled: texts, dates, times, decimals and numbers, each exactly or not at all."""

from typing import Any

import numpy as np

from loanpulse.schemas.arrays import Bytes
from loanpulse.schemas.compiled import compiled
from loanpulse.schemas.units import DAY_MS

BROKEN = -1
"""The position after a value that is not plain."""
QUOTE, BACKSLASH, COMMA, COLON, SPACE, OPEN, CLOSE = (ord(sign) for sign in '"\\,: {}')
ZERO, NINE, MINUS, POINT, DASH, LETTER_T, LETTER_Z = (ord(sign) for sign in "09-.-TZ")
LONGEST_MANTISSA = 15
NULL_WORD = np.frombuffer(b"null", np.uint8)


@compiled
def skip_spaces(data: Bytes, place: int) -> int:
    """Return the next place that is no space."""
    while data[place] == SPACE:
        place += 1
    return place


@compiled
def read_text(data: Bytes, place: int) -> tuple[int, int]:
    """Return where a plain quoted text at ``place`` begins and where its closing quote is, BROKEN if it is none."""
    if data[place] != QUOTE:
        return 0, BROKEN
    start = place + 1
    place = start
    while data[place] != QUOTE:
        if data[place] < SPACE or data[place] > 126 or data[place] == BACKSLASH:
            return 0, BROKEN
        place += 1
    return start, place


@compiled
def is_word(data: Bytes, start: int, length: int, words: Bytes, word: int, word_length: int) -> bool:
    """Tell whether a text is a word of ``words``."""
    if length != word_length:
        return False
    for place in range(length):  # noqa: SIM110 - a generator does not compile
        if data[start + place] != words[word + place]:
            return False
    return True


@compiled
def read_digits(data: Bytes, start: int, count: int) -> Any:
    """Return the number of ``count`` digits, BROKEN where there are others."""
    value: Any = np.int64(0)
    for place in range(start, start + count):
        if data[place] < ZERO or data[place] > NINE:
            return np.int64(BROKEN)
        value = value * 10 + np.int64(data[place]) - ZERO
    return value


@compiled
def read_date(data: Bytes, start: int) -> tuple[Any, bool]:
    """Return the days since 1970-01-01 of a date such as 2026-01-31, and whether it is one.

    By the civil calendar's period of 400 years, counted from March.
    """
    year, month, day = read_digits(data, start, 4), read_digits(data, start + 5, 2), read_digits(data, start + 8, 2)
    if year < 1 or not 1 <= month <= 12 or data[start + 4] != DASH or data[start + 7] != DASH:
        return np.int64(0), False
    longest = 30 if month in (4, 6, 9, 11) else 31
    if month == 2:
        longest = 29 if year % 4 == 0 and (year % 100 != 0 or year % 400 == 0) else 28
    shifted = year - 1 if month <= 2 else year
    era = shifted // 400
    of_era = shifted - era * 400
    of_year = (153 * ((month + 9) % 12) + 2) // 5 + day - 1
    days = era * 146_097 + of_era * 365 + of_era // 4 - of_era // 100 + of_year - 719_468
    return days, bool(1 <= day <= longest)


@compiled
def read_timestamp(data: Bytes, start: int, end: int) -> tuple[Any, bool]:
    """Return the ms since 1970 of a time such as 2026-01-31T08:00:00.000Z (or without fractions), and whether it is."""
    size = end - start
    days, good = read_date(data, start) if size in (20, 24) else (np.int64(0), False)
    if not good or data[start + 10] != LETTER_T or data[end - 1] != LETTER_Z:
        return np.int64(0), False
    hour, minute, second = (
        read_digits(data, start + 11, 2), read_digits(data, start + 14, 2), read_digits(data, start + 17, 2),
    )  # fmt: skip
    if not (0 <= hour < 24 and 0 <= minute < 60 and 0 <= second < 60):
        return np.int64(0), False
    if data[start + 13] != COLON or data[start + 16] != COLON:
        return np.int64(0), False
    fraction: Any = np.int64(0)
    if size == 24:
        fraction = read_digits(data, start + 20, 3)
        if data[start + 19] != POINT or fraction < 0:
            return np.int64(0), False
    return days * DAY_MS + ((hour * 60 + minute) * 60 + second) * 1000 + fraction, True


@compiled
def read_cents(data: Bytes, start: int, end: int) -> tuple[Any, bool]:
    """Return a decimal with at most two places, such as -12.3, in hundredths, and whether it is one."""
    place = start + 1 if data[start] == MINUS else start
    whole = place
    value: Any = np.int64(0)
    while place < end and ZERO <= data[place] <= NINE:
        value = value * 10 + np.int64(data[place]) - ZERO
        place += 1
    if place == whole or place - whole > 12:
        return np.int64(0), False
    places = 0
    if place < end and data[place] == POINT:
        places = end - place - 1
        if not 1 <= places <= 2:
            return np.int64(0), False
        fraction = read_digits(data, place + 1, places)
        if fraction < 0:
            return np.int64(0), False
        value = value * 10**places + fraction
        place = end
    value = value * 10 ** (2 - places)
    return (-value if data[start] == MINUS else value), bool(place == end)


@compiled
def read_number(data: Bytes, place: int) -> tuple[float, int]:
    """Return a JSON number of at most 15 digits without an exponent, exactly, and the place after it.

    Numerator and power of ten are exact doubles, so that their quotient is the nearest double (Clinger 1990).
    """
    negative = data[place] == MINUS
    place += negative
    start = place
    digits = 0
    mantissa = 0.0
    scale = 1.0
    while ZERO <= data[place] <= NINE:
        mantissa = mantissa * 10.0 + (np.int64(data[place]) - ZERO)
        digits += 1
        place += 1
    if digits == 0 or (digits > 1 and data[start] == ZERO):
        return 0.0, BROKEN
    if data[place] == POINT:
        place += 1
        before = digits
        while ZERO <= data[place] <= NINE:
            mantissa = mantissa * 10.0 + (np.int64(data[place]) - ZERO)
            scale *= 10.0
            digits += 1
            place += 1
        if digits == before:
            return 0.0, BROKEN
    if digits > LONGEST_MANTISSA or data[place] not in (COMMA, CLOSE, SPACE):
        return 0.0, BROKEN
    value = mantissa / scale
    return (-value if negative else value), place


@compiled
def is_null(data: Bytes, place: int) -> bool:
    """Tell whether there is ``null`` at ``place``."""
    return is_word(data, place, 4, NULL_WORD, 0, 4)
