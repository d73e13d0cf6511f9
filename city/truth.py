"""The ground truth of a simulated city, for evaluation only: it goes to a file and never to a topic."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from datetime import date
from enum import StrEnum
from pathlib import Path
from types import TracebackType
from typing import TypeAlias

import orjson


class LifeEvent(StrEnum):
    """What happens in a household without anyone telling its lenders."""

    JOB_LOSS = "JOB_LOSS"
    CUT_PAY = "CUT_PAY"
    ILLNESS = "ILLNESS"
    OVER_BORROWING = "OVER_BORROWING"
    PURPOSE_FRAUD = "PURPOSE_FRAUD"
    RECOVERY = "RECOVERY"


@dataclass(frozen=True, slots=True)
class LifeEventTruth:
    """A life event of a borrower, from its first to its last day (local dates)."""

    borrower_id: str
    life_event: LifeEvent
    starts: date
    ends: date


@dataclass(frozen=True, slots=True)
class DefaultTruth:
    """A default: an instalment still unpaid 30 days past due, which happens on `default_date`."""

    borrower_id: str
    loan_id: str
    first_missed_due_date: date
    default_date: date


@dataclass(frozen=True, slots=True)
class MissedTruth:
    """An instalment of which something is still unpaid at the end of its `missed_due_date`."""

    borrower_id: str
    loan_id: str
    missed_due_date: date


@dataclass(frozen=True, slots=True)
class ShortfallTruth:
    """A day on which the account can't meet an instalment that falls due, before any money is found elsewhere."""

    borrower_id: str
    shortfall_date: date


Truth: TypeAlias = LifeEventTruth | DefaultTruth | MissedTruth | ShortfallTruth
OnTruth: TypeAlias = Callable[[Truth], None]


def ignore(_: Truth) -> None:
    """Take a line of the truth and forget it."""


class TruthWriter:
    """Writes the truth as JSON Lines, each line at once, so that a city that is stopped leaves a whole file."""

    def __init__(self, path: str | Path) -> None:
        self._file = Path(path).open("wb", buffering=0)  # noqa: SIM115 - closed by close()

    def __call__(self, truth: Truth) -> None:
        """Write one line."""
        self._file.write(orjson.dumps(asdict(truth), option=orjson.OPT_APPEND_NEWLINE))

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def __enter__(self) -> TruthWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def read(path: str | Path) -> list[Truth]:
    """The truth in a file; raises ValueError naming the line that is not one of its forms."""
    found: list[Truth] = []
    for number, line in enumerate(Path(path).read_bytes().splitlines(), 1):
        try:
            found.append(_parse(orjson.loads(line)))
        except (KeyError, ValueError) as error:
            raise ValueError(f"{path} line {number} is not a line of the truth: {error}") from error
    return found


def _parse(line: dict[str, str]) -> Truth:
    if "life_event" in line:
        starts, ends = date.fromisoformat(line["starts"]), date.fromisoformat(line["ends"])
        return LifeEventTruth(line["borrower_id"], LifeEvent(line["life_event"]), starts, ends)
    if "missed_due_date" in line:
        return MissedTruth(line["borrower_id"], line["loan_id"], date.fromisoformat(line["missed_due_date"]))
    if "shortfall_date" in line:
        return ShortfallTruth(line["borrower_id"], date.fromisoformat(line["shortfall_date"]))
    missed, default = date.fromisoformat(line["first_missed_due_date"]), date.fromisoformat(line["default_date"])
    return DefaultTruth(line["borrower_id"], line["loan_id"], missed, default)


def days_to_default(truth: Iterable[Truth], as_of: date) -> dict[str, int]:
    """Days from `as_of` to each borrower's next default; a borrower who does not default after it is absent.

    A borrower whose default came on or before `as_of` counts again only by a later one. Defaults after the end of
    the simulation are not known: look no further ahead than the simulation went.
    """
    days: dict[str, int] = {}
    for line in truth:
        if isinstance(line, DefaultTruth) and line.default_date > as_of:
            ahead = (line.default_date - as_of).days
            days[line.borrower_id] = min(ahead, days.get(line.borrower_id, ahead))
    return days
