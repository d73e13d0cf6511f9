"""The figures of one lender's month, asked of the warehouse."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa

FOLDER = Path(__file__).with_name("queries")
LEVELS = ("AMPLE", "STABLE", "WATCH", "TENSE", "CRISIS")
INTERVENED = ("TENSE", "CRISIS")
"""The levels from which a lender acts."""
BANDS = ("0-6", "7-13", "14-29", "30-59", "60-89", "90+")
LEAD_DAYS = (0, 3, 7, 10, 14, 21, 30)

Ask = Callable[[str, Mapping[str, str]], pa.Table]
"""Answers a statement that reads, with values for its parameters."""
Rows = list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class MonthFigures:
    """One lender's month. Shares are 0 to 1; every list is empty where there was nothing to count.

    ``levels``: day, level, borrowers. ``roll_rates``: level_from, level_to, borrowers, share of level_from.
    ``vintages``: vintage (month of disbursement), months on book, loans, share that had been 30 days past due.
    ``precision``: lead_days, alerts (episodes), share followed by 30 days past due at least so many days later.
    ``shortfall``: band of days, borrowers.
    """

    lender_id: str
    month: date
    levels: Rows
    roll_rates: Rows
    vintages: Rows
    precision: Rows
    shortfall: Rows
    alerts: int
    borrowers_alerted: int

    @property
    def days(self) -> list[date]:
        """The days of the month with figures."""
        return sorted({row["day"] for row in self.levels})

    def at_level(self, day: date, levels: tuple[str, ...] = LEVELS) -> int:
        """Return the number of borrowers at some levels at the end of a day."""
        return sum(row["borrowers"] for row in self.levels if row["day"] == day and row["level"] in levels)

    @property
    def median_lead_days(self) -> int | None:
        """The longest lead that half of the alerts that were right had, in days; None where none was."""
        right = self.precision[0]["hits"] if self.precision else 0
        longest = [row["lead_days"] for row in self.precision if right and row["hits"] * 2 >= right]
        return max(longest) if longest else None


def month_figures(ask: Ask, lender_id: str, month: date) -> MonthFigures:
    """Ask the warehouse for a month.

    ``month`` is its first day. Raises WarehouseError.
    """

    def rows(name: str) -> Rows:
        statement = (FOLDER / f"{name}.sql").read_text(encoding="utf-8")
        found: Rows = ask(statement, {"lender": lender_id, "month": month.isoformat()}).to_pylist()
        return found

    headline = rows("headline")[0]
    return MonthFigures(
        lender_id,
        month,
        sorted(rows("levels"), key=lambda row: (row["day"], LEVELS.index(row["level"]))),
        _with_shares(rows("roll_rates")),
        rows("vintages"),
        _precision([row["lead_days"] for row in rows("precision")]),
        _in_bands(rows("shortfall")),
        headline["alerts"],
        headline["borrowers_alerted"],
    )


def _with_shares(moves: Rows) -> Rows:
    totals: dict[str, int] = {}
    for move in moves:
        totals[move["level_from"]] = totals.get(move["level_from"], 0) + move["borrowers"]
    return [{**move, "share": move["borrowers"] / totals[move["level_from"]]} for move in moves]


def _precision(leads: list[float | None]) -> Rows:
    """Return, for each least lead in days, the alerts that were right so early and their share."""
    if not leads:
        return []
    counted = [(days, sum(lead is not None and lead >= days for lead in leads)) for days in LEAD_DAYS]
    return [
        {"lead_days": days, "hits": hits, "alerts": len(leads), "share": hits / len(leads)} for days, hits in counted
    ]


def _in_bands(found: Rows) -> Rows:
    counted = {row["band"]: row["borrowers"] for row in found}
    if not any(counted.get(band) for band in BANDS):
        return []
    return [{"band": band, "borrowers": counted.get(band, 0)} for band in BANDS]
