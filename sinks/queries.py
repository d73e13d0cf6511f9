"""The documented queries, by name: each a file that begins with its question and its parameters.

    -- A sentence that says what the query answers.
    -- lender: what this parameter is for; if it is not given, lines that end in ``-- if lender`` are left out
    -- since = 30d: a parameter with a default

Placeholders are ClickHouse's own, ``{lender:String}``; a dash in a parameter's name is an underscore there.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

FOLDER = Path(__file__).with_name("queries")
PARAMETER = re.compile(r"^-- ([a-z-]+)(?: = (\S+))?: (.+)$")
CONDITION = re.compile(r"-- if ([a-z-]+)$")
PLACEHOLDER = re.compile(r"\{(\w+):((?:[^{}])+)\}")
BEFORE_NOW = re.compile(r"^(\d+)([mhdw])$")
SECONDS = {"m": 60, "h": 3_600, "d": 86_400, "w": 604_800}
EVENT_CLOCK = "SELECT now FROM event_clock"


class QueryParameterError(ValueError):
    """A parameter is unknown, missing or of the wrong type; the text is one sentence."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of a query; ``default`` is None if it has none."""

    name: str
    about: str
    default: str | None

    @property
    def placeholder(self) -> str:
        """Its placeholder's name in the statement."""
        return self.name.replace("-", "_")


@dataclass(frozen=True, slots=True)
class NamedQuery:
    """A documented query."""

    name: str
    question: str
    parameters: tuple[Parameter, ...]
    statement: str

    @property
    def optional(self) -> frozenset[str]:
        """Parameters without a default that may be left out, together with their lines."""
        return frozenset(found[1] for line in self.statement.splitlines() if (found := CONDITION.search(line)))


@dataclass(frozen=True, slots=True)
class Bound:
    """A statement ready to run, with the values of its placeholders."""

    statement: str
    values: dict[str, str]


def named_queries(folder: Path = FOLDER) -> dict[str, NamedQuery]:
    """Return the documented queries by name."""
    return {file.stem: parse(file.stem, file.read_text(encoding="utf-8")) for file in sorted(folder.glob("*.sql"))}


def parse(name: str, text: str) -> NamedQuery:
    """Return the query in a file's text."""
    lines = text.splitlines()
    count = next(number for number, line in enumerate(lines) if not line.startswith("--"))
    heads = [found for line in lines[1:count] if (found := PARAMETER.match(line))]
    parameters = tuple(Parameter(found[1], found[3], found[2]) for found in heads)
    return NamedQuery(name, lines[0].removeprefix("--").strip(), parameters, "\n".join(lines[count:]).rstrip(";\n"))


def bind(query: NamedQuery, given: Mapping[str, str], now: datetime) -> Bound:
    """Return the statement and values for the given parameters. Times such as 30d count back from ``now`` (event time).

    Raises:
        QueryParameterError: a parameter is unknown, missing or of the wrong type.
    """
    known = {parameter.name: parameter for parameter in query.parameters}
    for name in given:
        if name not in known:
            raise QueryParameterError(f"{query.name} has no --{name}; {_offered(query)}.")
    asked = {name: given.get(name, parameter.default) for name, parameter in known.items()}
    for name, value in asked.items():
        if value is None and name not in query.optional:
            raise QueryParameterError(f"{query.name} needs --{name}: {known[name].about}.")
    statement = _chosen(query.statement, {name for name, value in asked.items() if value is not None})
    kinds = dict(PLACEHOLDER.findall(statement))
    values = {
        known[name].placeholder: _value(name, value, kinds[known[name].placeholder], now)
        for name, value in asked.items()
        if value is not None and known[name].placeholder in kinds
    }
    return Bound(statement, values)


def _offered(query: NamedQuery) -> str:
    names = ", ".join(f"--{parameter.name}" for parameter in query.parameters)
    return f"it takes {names}" if names else "it takes no options"


def _chosen(statement: str, given: set[str]) -> str:
    lines = []
    for line in statement.splitlines():
        condition = CONDITION.search(line)
        if condition is None or condition[1] in given:
            lines.append(CONDITION.sub("", line).rstrip())
    return "\n".join(lines)


def _value(name: str, value: str, kind: str, now: datetime) -> str:
    if not kind.startswith("Date"):
        return value
    at = _time(name, value, now)
    return f"{at:%Y-%m-%d}" if kind == "Date" else f"{at:%Y-%m-%d %H:%M:%S}.{at.microsecond // 1000:03d}"


def _time(name: str, value: str, now: datetime) -> datetime:
    before = BEFORE_NOW.match(value)
    if before:
        return now - timedelta(seconds=int(before[1]) * SECONDS[before[2]])
    try:
        at = datetime.fromisoformat(value)
    except ValueError:
        raise QueryParameterError(
            f"--{name} is {value!r}; give a date such as 2026-03-01, a time such as 2026-03-01T08:00, "
            "or a time before now such as 30d, 12h or 90m."
        ) from None
    return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)
