"""Stories: a borrower's months in lines that a credit officer reads, expanded to events (see README.md)."""

from __future__ import annotations

import re
import sys
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import yaml

from loanpulse.schemas.contracts import AlertKind

START = datetime(2025, 1, 1, tzinfo=UTC)
"""Day 0 of every story; all have ended by now, so that the stream's clock is past them."""
LOCAL = timedelta(hours=8)
DEFAULT_HOUR = timedelta(hours=10)
FOLDER = Path(__file__).parent

REPAYMENT, SPENDING, UTILITY = "repayment-events", "spending-events", "utility-events"
INCOMES = {"salary": "SALARY", "benefits": "BENEFITS", "income": "OTHER"}
MOVES = {
    "cash withdrawal": ("CASH_WITHDRAWAL", "CASH", -1),
    "cash advance": ("CASH_ADVANCE", "CASH", 1),
    "transfer in": ("TRANSFER_IN", None, 1),
    "transfer out": ("TRANSFER_OUT", None, -1),
    "rent": ("TRANSFER_OUT", "HOUSING", -1),
    "refund": ("REFUND", "OTHER", 1),
}
UTILITIES = ("electricity", "water", "gas", "telecom")
KINDS = frozenset(kind.name for kind in AlertKind) - {"UNKNOWN"}
BEHAVIOURS = KINDS - {"LEVEL_WORSENED", "LEVEL_IMPROVED"}
LEVELS = ("AMPLE", "STABLE", "WATCH", "TENSE", "CRISIS")

MONEY = r"(?P<amount>\d+(?:\.\d{1,2})?)"
DUE = r"(?:due|of) (?:day (?P<due>\d+)|(?P<today>today)|in (?P<ahead>\d+) days?|(?P<ago>\d+) days? ago)"
WHEN = re.compile(
    r"day (?P<day>\d+)(?: (?:every (?P<every>\d+)|(?P<monthly>monthly)) to (?P<last>\d+))?"
    r"(?: at (?P<at>\d\d:\d\d))?(?:, told day (?P<told>\d+))?"
)
LOAN_LINES = (
    (re.compile(rf"(?P<loan>\w+) (?P<kind>applied|disbursed) {MONEY}(?: for (?P<purpose>\w+))?"), ""),
    (re.compile(rf"(?P<loan>\w+) instalment {MONEY} {DUE}(?:, minimum (?P<minimum>\d+))?"), "INSTALMENT_DUE"),
    (re.compile(rf"(?P<loan>\w+) paid {MONEY} {DUE}"), "PAID"),
    (re.compile(rf"(?P<loan>\w+) (?P<elsewhere>received) {MONEY} {DUE}"), "PAID"),
    (re.compile(r"(?P<loan>\w+) deferral requested"), "DEFERRAL_REQUESTED"),
    (re.compile(r"(?P<loan>\w+) (?P<kind>restructured|settled|written off)"), ""),
)
UTILITY_LINES = (
    (re.compile(rf"(?P<utility>\w+) bill {MONEY} {DUE}"), "BILL_ISSUED"),
    (re.compile(rf"(?P<utility>\w+) bill paid {MONEY} {DUE}"), "BILL_PAID"),
    (re.compile(rf"(?P<utility>\w+) bill overdue {MONEY} {DUE}"), "BILL_OVERDUE"),
    (re.compile(r"(?P<utility>\w+) meter (?P<usage>\d+(?:\.\d+)?)"), "METER_READ"),
    (re.compile(r"(?P<utility>\w+) disconnection notice"), "DISCONNECTION_NOTICE"),
)
MOVE_LINE = re.compile(rf"(?P<what>[a-z_ ]+?) {MONEY}(?: of loan (?P<loan>\w+))?")
ALERT = re.compile(
    r"(?P<kind>[A-Z_0-9]+|any alert|any behaviour)(?: to (?P<level>[A-Z]+))?(?: advising (?P<action>[A-Z_]+))?"
    r"(?: (?:on day (?P<on>\d+)|from day (?P<first>\d+)(?: to (?P<last>\d+))?|until day (?P<until>\d+)))?"
    r"(?: for (?P<lender>[\w-]+))?"
)


class StoryError(ValueError):
    """A line of a story that can't be read; the text names story and line."""


@dataclass(frozen=True, slots=True)
class AlertLine:
    """Alerts meant by a line: their kinds, a level reached (that or beyond), an advice, days, a lender (None: any)."""

    text: str
    kinds: frozenset[str]
    level: str | None
    action: str | None
    first: int
    last: int
    lender: str | None

    def meets(self, alert: dict[str, Any]) -> bool:
        """Whether the alert, in its JSON form, is one of those meant."""
        if alert["kind"] not in self.kinds or self.lender not in (None, alert["lender_id"]):
            return False
        if self.action is not None and self.action not in alert["actions"]:
            return False
        if self.level is not None:
            reached, wanted = LEVELS.index(alert["level_to"]), LEVELS.index(self.level)
            if (reached > wanted) if alert["kind"] == "LEVEL_IMPROVED" else (reached < wanted):
                return False
        return self.first <= story_day(alert["event_time"]) <= self.last


@dataclass(slots=True)
class Story:
    """One story: its events as (time of publication, line of JSON), and the alerts expected and forbidden."""

    name: str
    title: str
    borrower_id: str
    until: int
    lenders: dict[str, str]
    lines: list[tuple[datetime, dict[str, Any]]]
    expected: tuple[AlertLine, ...]
    forbidden: tuple[AlertLine, ...]

    @property
    def end_ms(self) -> int:
        """The event time (UTC ms) at which the story ends: the end of its last day."""
        return round((START + timedelta(days=self.until + 1) - LOCAL).timestamp() * 1000)


def story_day(event_time: str) -> int:
    """The day of a story on which an alert's event time lies, by the borrower's clock."""
    return (datetime.fromisoformat(event_time) + LOCAL - START) // timedelta(days=1)


def names() -> list[str]:
    """The names of all stories."""
    return sorted(path.stem for path in FOLDER.glob("*.yaml"))


def read(name: str) -> Story:
    """Read a story; raises StoryError where a line can't be understood."""
    content = yaml.safe_load((FOLDER / f"{name}.yaml").read_text(encoding="utf-8"))
    wanted = {"title", "about", "until", "balance", "lenders", "events"}
    unknown = set(content) - wanted - {"feeds", "expect", "forbid"}
    if unknown or wanted - {"balance", "lenders"} - set(content):
        raise StoryError(f"{name}: has {sorted(unknown)} that are not known, or misses one of {sorted(wanted)}")
    until = content["until"]
    return Story(
        name,
        content["title"],
        f"story-{name}",
        until,
        content.get("lenders", {}),
        sorted(Expander(name, content).lines(), key=lambda line: line[0]),
        tuple(_alert_line(name, text, until) for text in content.get("expect", ())),
        tuple(_alert_line(name, text, until) for text in content.get("forbid", ())),
    )


def _alert_line(name: str, text: str, until: int) -> AlertLine:
    found = ALERT.fullmatch(text)
    if found is None:
        raise StoryError(f"{name}: the alert {text!r} is not understood")
    part = found.groupdict()
    first = int(part["on"] or part["first"] or 0)
    last = int(part["on"] or part["last"] or part["until"] or until)
    if not first <= last <= until:
        raise StoryError(f"{name}: the days of {text!r} are not within the story")
    kinds = KINDS if part["kind"] == "any alert" else BEHAVIOURS if part["kind"] == "any behaviour" else {part["kind"]}
    if not kinds <= KINDS or part["level"] not in (None, *LEVELS):
        raise StoryError(f"{name}: {text!r} names a kind or level that does not exist")
    return AlertLine(text, frozenset(kinds), part["level"], part["action"], first, last, part["lender"])


class Expander:
    """Turns a story's lines into event lines, keeping the account's balance along the way."""

    def __init__(self, name: str, content: dict[str, Any]) -> None:
        self._name = name
        self._lenders: dict[str, str] = content.get("lenders", {})
        self._feeds = set(content.get("feeds", ("repayments", "spending", "utilities")))
        self._balance = float(content.get("balance", 0))
        self._events: list[dict[str, str]] = content["events"]
        self._count = 0

    def lines(self) -> Iterator[tuple[datetime, dict[str, Any]]]:
        """Yield (time of publication, line) in the order of what happened."""
        happened: list[tuple[datetime, int, datetime | None, str]] = []
        for place, entry in enumerate(self._events):
            ((when, what),) = entry.items()
            for instant, told in self._instants(when):
                happened.append((instant, place, told, what))
        for instant, place, told, what in sorted(happened, key=lambda one: one[:2]):
            for topic, value in self._events_of(instant + timedelta(seconds=place), what):
                published = instant if told is None else told
                stamp = (published + timedelta(seconds=place)).isoformat().replace("+00:00", "Z")
                yield published + timedelta(seconds=place), {"topic": topic, "timestamp": stamp, "value": value}

    def _instants(self, when: str) -> Iterator[tuple[datetime, datetime | None]]:
        found = WHEN.fullmatch(when)
        if found is None:
            raise StoryError(f"{self._name}: the time {when!r} is not understood")
        part = found.groupdict()
        hour = DEFAULT_HOUR
        if part["at"]:
            hour = timedelta(hours=int(part["at"][:2]), minutes=int(part["at"][3:]))
        told = None if part["told"] is None else _instant(int(part["told"]), hour)
        day, last = int(part["day"]), int(part["last"] or part["day"])
        while day <= last:
            yield _instant(day, hour), told
            day = _next_month(day) if part["monthly"] else day + int(part["every"] or last + 1)

    def _events_of(self, instant: datetime, what: str) -> Iterator[tuple[str, dict[str, Any]]]:
        word = what.split()[0]
        if word in self._lenders:
            yield from self._loan(instant, what)
        elif word in UTILITIES:
            if "utilities" in self._feeds:
                yield UTILITY, self._utility(instant, what)
        else:
            found = MOVE_LINE.fullmatch(what)
            if found is None:
                raise StoryError(f"{self._name}: {what!r} is not understood")
            yield from self._move(instant, found["what"], float(found["amount"]), found["loan"])

    def _move(
        self, instant: datetime, what: str, amount: float, loan: str | None
    ) -> Iterator[tuple[str, dict[str, Any]]]:
        if what in INCOMES:
            kind, category, sign = "INCOME", INCOMES[what], 1
        elif what in MOVES:
            kind, category, sign = MOVES[what]
        else:
            kind, category, sign = "PURCHASE", what.replace(" ", "_").upper(), -1
        self._balance += sign * amount
        if "spending" in self._feeds:
            more = {"kind": kind, "amount": _money(amount), "category": category, "loan_id": self._loan_id(loan)}
            yield SPENDING, self._value(instant, "bank", **more, balance_after=_money(self._balance))

    def _loan(self, instant: datetime, what: str) -> Iterator[tuple[str, dict[str, Any]]]:
        part, kind = self._matched(LOAN_LINES, what)
        kind = kind or part["kind"].upper().replace(" ", "_")
        loan, amount = part["loan"], part.get("amount")
        statuses = ("APPLIED", "RESTRUCTURED", "SETTLED", "WRITTEN_OFF")
        value = self._value(
            instant,
            self._lenders[loan],
            lender_id=self._lenders[loan],
            loan_id=self._loan_id(loan),
            kind=kind,
            amount=amount and _money(float(amount)),
            due_date=self._due(instant, part) if kind in ("INSTALMENT_DUE", "PAID") else None,
            declared_purpose=part["purpose"].upper() if part.get("purpose") else None,
            loan_status="ACTIVE" if kind == "DISBURSED" else kind if kind in statuses else None,
            minimum_due=_money(float(part["minimum"])) if part.get("minimum") else None,
        )
        if "repayments" in self._feeds:
            yield REPAYMENT, value
        later = instant + timedelta(milliseconds=500)
        if kind == "DISBURSED":
            yield from self._move(later, "transfer in", float(amount or 0), loan)
        elif kind == "PAID" and "elsewhere" not in part:
            self._balance -= float(amount or 0)
            more = {"kind": "TRANSFER_OUT", "amount": value["amount"], "category": "LOAN_REPAYMENT"}
            if "spending" in self._feeds:
                account = {**more, "loan_id": None, "balance_after": _money(self._balance)}
                yield SPENDING, self._value(later, "bank", **account)

    def _utility(self, instant: datetime, what: str) -> dict[str, Any]:
        part, kind = self._matched(UTILITY_LINES, what)
        amount = part.get("amount")
        return self._value(
            instant,
            "utility",
            utility=part["utility"].upper(),
            kind=kind,
            amount=amount and _money(float(amount)),
            due_date=self._due(instant, part) if kind.startswith("BILL") else None,
            usage=float(part["usage"]) if part.get("usage") else None,
        )

    def _matched(self, forms: tuple[tuple[re.Pattern[str], str], ...], what: str) -> tuple[dict[str, Any], str]:
        for form, kind in forms:
            found = form.fullmatch(what)
            if found is not None:
                return found.groupdict(), kind
        raise StoryError(f"{self._name}: {what!r} is not understood")

    def _due(self, instant: datetime, part: dict[str, Any]) -> str:
        today = (instant + LOCAL).date()
        if part["due"]:
            return (START.date() + timedelta(days=int(part["due"]))).isoformat()
        return (today + timedelta(days=int(part["ahead"] or 0) - int(part["ago"] or 0))).isoformat()

    def _loan_id(self, loan: str | None) -> str | None:
        return None if loan is None else f"{self._name}-{loan}"

    def _value(self, instant: datetime, source: str, **fields: Any) -> dict[str, Any]:
        self._count += 1
        return {
            "event_id": str(uuid.uuid5(uuid.NAMESPACE_OID, f"{self._name}/{self._count}")),
            "borrower_id": f"story-{self._name}",
            "event_time": instant.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "currency": "CNY",
            "source": source,
            **fields,
        }


def _instant(day: int, hour: timedelta) -> datetime:
    return START + timedelta(days=day) + hour - LOCAL


def _next_month(day: int) -> int:
    today = START.date() + timedelta(days=day)
    year, month = divmod(today.year * 12 + today.month, 12)
    return (date(year, month + 1, min(today.day, 28)) - START.date()).days


def _money(amount: float) -> str:
    return f"{amount:.2f}"


if __name__ == "__main__":
    for story in [read(name) for name in sys.argv[1:] or names()]:
        for _, line in story.lines:
            sys.stdout.buffer.write(orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE))
