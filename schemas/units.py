"""Units of time, and the clock that borrowers live by: the one place for these numbers."""

MINUTE_MS = 60_000
HOUR_MS = 3_600_000
DAY_MS = 86_400_000
UTC_OFFSET_MS = 8 * HOUR_MS
"""Local time less UTC: China has one time zone."""
