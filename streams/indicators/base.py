"""What an indicator is: its definition, published whole, beside the function that reads it from a record."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from loanpulse.schemas.sources import SOURCES

BALANCE = SOURCES
"""Beside the numbers of the sources: the feed of reported balances."""


@dataclass(frozen=True, slots=True)
class Indicator:
    """One input of the index.

    ``healthy`` and ``unhealthy`` are the published anchors of its utility: 1 at ``healthy``, 0 at ``unhealthy``,
    linear between, in the indicator's own ``unit``. ``weight`` is what the expert scorecard gives it, in units of
    log-odds between the two anchors. ``read`` takes a borrower's record and a time (UTC ms) and returns the value, NaN
    where there is none, and its evidence (0..1). ``feeds`` are the sources whose oldest newest data is its age (or
    ``BALANCE``, the last balance reported). ``watched`` names what of a supervisor's list of early warnings it
    sees.
    """

    name: str
    meaning: str
    unit: str
    healthy: float
    unhealthy: float
    weight: float
    evidence: str
    source: str
    reason_en: str
    reason_zh: str
    read: Callable[[Any, int], tuple[float, float]]
    feeds: tuple[int, ...]
    watched: tuple[str, ...] = ()
