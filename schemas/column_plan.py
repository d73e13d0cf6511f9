"""How to read a writer's bodies into a reader's columns: Avro schema resolution worked out once per writer schema.

A plan is a small table of steps, one per primitive in the writer's order, which the compiled loop in
``decode_compiled.py`` walks for every body. Nested records are flattened: their fields are named ``outer.inner``.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from loanpulse.schemas.arrays import Int64s
from loanpulse.schemas.contracts import Schema

# What a step reads (WHAT). The order has no meaning.
LONG, BOOLEAN, FLOAT, DOUBLE, DECIMAL, TEXT, ENUM, UNION, FIXED, LONG_AS_REAL, TEXTS = range(11)
WHAT, INTEGER, REAL, TEXT_COLUMN, ARGUMENT, FIELD = range(6)
"""A step: what it reads, its integer, real and text column (-1: not kept), an argument, its field's number (or -1).

The argument of UNION is the number of steps of its value; of ENUM where the map of its symbols begins; of FIXED its
size in bytes.
"""
NULL_BRANCH = REAL
"""Where a UNION, which has no column, holds the branch that is null."""
_COLUMN_OF_KIND = {"integer": INTEGER, "real": REAL, "text": TEXT_COLUMN}


class UnsupportedSchema(ValueError):
    """The columnar reader cannot resolve this writer schema to the contract; the text says which field and why."""


@dataclass(frozen=True, slots=True)
class Column:
    """Where a reader's field is found: its kind ("integer", "real", "text"), its column, its number, its default.

    The column (``place``) counts among those of its kind, the number among all fields.
    """

    kind: str
    place: int
    number: int
    default: Any = None


@dataclass(slots=True)
class Layout:
    """The columns of a reader schema."""

    columns: dict[str, Column] = field(default_factory=dict)
    integers: int = 0
    reals: int = 0
    texts: int = 0


@dataclass(slots=True)
class Plan:
    """The steps for one writer schema, its enum maps, and what fields it lacks (they take the reader's default)."""

    steps: Int64s
    symbols: Int64s
    missing: tuple[str, ...]


Names = dict[str, Any]


def _unwrap(schema: Any, names: Names) -> Any:
    """Return the full definition of a schema that may be a name or wrapped in {"type": …}."""
    if isinstance(schema, str) and schema.rsplit(".", 1)[-1] in names:
        return names[schema.rsplit(".", 1)[-1]]
    if isinstance(schema, dict):
        if isinstance(schema["type"], (dict, list)):
            return _unwrap(schema["type"], names)
        if "name" in schema:
            names[schema["name"].rsplit(".", 1)[-1]] = schema
    return schema


def _type(schema: Any) -> str:
    return str(schema["type"] if isinstance(schema, dict) else schema)


def _logical(schema: Any) -> str:
    return str(schema.get("logicalType", "")) if isinstance(schema, dict) else ""


def _branches(schema: list[Any], path: str) -> tuple[int, Any]:
    """Return which branch of a union is null and the other branch; other unions are not read by columns."""
    if len(schema) == 2 and "null" in schema:
        null = schema.index("null")
        return null, schema[1 - null]
    raise UnsupportedSchema(f"{path}: only unions of null and one type are read by columns")


def flatten(schema: Schema, names: Names, prefix: str = "") -> Iterator[tuple[str, Any, Any, bool, list[str]]]:
    """Yield (path, definition, default, nullable, aliases) of every primitive field of a record."""
    for entry in schema["fields"]:
        path = prefix + entry["name"]
        inner = _unwrap(entry["type"], names)
        nullable = isinstance(inner, list)
        if nullable:
            inner = _unwrap(_branches(inner, path)[1], names)
        if _type(inner) == "record":
            yield from flatten(inner, names, path + ".")
        else:
            yield path, inner, entry.get("default", _NO_DEFAULT), nullable, entry.get("aliases", [])


def _is_text_list(schema: Any) -> bool:
    return _type(schema) == "array" and _type(schema["items"]) == "string"


class _NoDefault:
    pass


_NO_DEFAULT = _NoDefault()


def layout_of(reader: Schema) -> Layout:
    """Give every primitive field, and every list of texts, a column; other arrays and maps have none."""
    layout = Layout()
    for path, schema, default, _, _ in flatten(reader, {}):
        kind = _type(schema)
        number = len(layout.columns)
        if kind in ("array", "map") and not _is_text_list(schema):
            continue
        if kind in ("float", "double"):
            layout.columns[path] = Column("real", layout.reals, number, default)
            layout.reals += 1
        elif kind in ("string", "array"):
            layout.columns[path] = Column("text", layout.texts, number, default)
            layout.texts += 1
        elif kind in ("int", "long", "enum", "boolean") or _logical(schema) == "decimal":
            layout.columns[path] = Column("integer", layout.integers, number, default)
            layout.integers += 1
        else:
            raise UnsupportedSchema(f"{path}: {kind} is not read by columns")
    return layout


class _Planner:
    """Walks the writer's schema and records the steps."""

    def __init__(self, reader: Schema, layout: Layout) -> None:
        self.layout = layout
        self.reader: dict[str, Any] = {}
        self.aliases: dict[str, str] = {}
        for path, schema, _, _, aliases in flatten(reader, {}):
            self.reader[path] = schema
            for alias in aliases:
                self.aliases[path.rpartition(".")[0] + "." * ("." in path) + alias] = path
        self.names: Names = {}
        self.steps: list[list[int]] = []
        self.symbols: list[int] = []
        self.found: set[str] = set()

    def record(self, schema: Schema, prefix: str = "") -> None:
        for entry in schema["fields"]:
            path = prefix + entry["name"]
            self.value(_unwrap(entry["type"], self.names), self.aliases.get(path, path))

    def value(self, schema: Any, path: str) -> None:
        if isinstance(schema, list):
            null, inner = _branches(schema, path)
            place = len(self.steps)
            self.steps.append([UNION, -1, null, -1, 0, -1])
            self.value(_unwrap(inner, self.names), path)
            self.steps[place][ARGUMENT] = len(self.steps) - place - 1
        elif _type(schema) == "record":
            self.record(schema, path + ".")
        else:
            self.steps.append(self.primitive(schema, path))

    def primitive(self, schema: Any, path: str) -> list[int]:
        kind = _type(schema)
        column = self.layout.columns.get(path)
        step = [_STEP.get(kind, -1), -1, -1, -1, 0, -1]
        if _logical(schema) == "decimal" and kind == "bytes" and column is not None:
            step[WHAT] = DECIMAL
        if _is_text_list(schema):
            step[WHAT] = TEXTS
        if kind == "fixed":
            step[ARGUMENT] = int(schema["size"])
        if step[WHAT] < 0:
            raise UnsupportedSchema(f"{path}: {kind} is not read by columns")
        if column is None:
            if kind == "enum":
                step[WHAT] = LONG
            return step
        self.found.add(path)
        target = self.reader[path]
        step[_COLUMN_OF_KIND[column.kind]] = column.place
        step[FIELD] = column.number
        if kind == "enum":
            step[ARGUMENT] = self.enum(schema, target, path)
        elif step[WHAT] == LONG and column.kind == "real":
            step[WHAT] = LONG_AS_REAL
        self.check(schema, target, path)
        return step

    def enum(self, schema: Any, target: Any, path: str) -> int:
        if _type(target) != "enum":
            raise UnsupportedSchema(f"{path}: an enum can't be read as {_type(target)}")
        start = len(self.symbols)
        default = target["symbols"].index(target["default"]) if "default" in target else -1
        self.symbols.append(len(schema["symbols"]))
        for symbol in schema["symbols"]:
            self.symbols.append(target["symbols"].index(symbol) if symbol in target["symbols"] else default)
        return start

    def check(self, schema: Any, target: Any, path: str) -> None:
        writer, reader = _type(schema), _type(target)
        if reader not in _READABLE.get(writer, {writer}):
            raise UnsupportedSchema(f"{path}: {writer} can't be read as {reader}")
        if _logical(target) == "decimal" and schema.get("scale", 0) != target.get("scale", 0):
            raise UnsupportedSchema(f"{path}: a decimal of another scale can't be read")


_STEP = {
    "int": LONG,
    "long": LONG,
    "boolean": BOOLEAN,
    "float": FLOAT,
    "double": DOUBLE,
    "string": TEXT,
    "bytes": TEXT,
    "enum": ENUM,
    "fixed": FIXED,
}
_READABLE = {
    "int": {"int", "long", "float", "double"},
    "long": {"long", "float", "double"},
    "float": {"float", "double"},
    "string": {"string", "bytes"},
}


def plan_for(writer: Schema, reader: Schema, layout: Layout) -> Plan:
    """Work out the steps that read bodies of ``writer`` into the columns of ``reader``.

    Raises:
        UnsupportedSchema: the two can't be resolved, or use types that columns don't carry.
    """
    planner = _Planner(reader, layout)
    planner.record(_unwrap(writer, planner.names))
    missing = tuple(path for path in layout.columns if path not in planner.found)
    for path in missing:
        if layout.columns[path].default is _NO_DEFAULT:
            raise UnsupportedSchema(f"{path}: the writer's schema lacks it and the contract has no default")
    steps = np.array(planner.steps, np.int64).reshape(-1, FIELD + 1)
    return Plan(steps, np.array(planner.symbols or [0], np.int64), missing)
