"""Derives a table's columns (name, type, codec, comment) from the Avro contract of its topic.

Fields of nested records become ``outer_inner``. If a contract changes, the columns change, and the test that compares
every migrated table with its contract fails until a migration is added.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from loanpulse.schemas.contracts import Schema

MILLISECONDS = "DateTime64(3, 'UTC')"
FEW_VALUES = frozenset(
    {"lender_id", "source", "currency", "region", "hard_event", "level", "model_id", "audited_group", "code"}
    | {"text_en", "text_zh"}
)
"""Text columns with few distinct values; columns that end in ``_version`` are also such."""

TIME_CODEC, ZIPPED = "Delta, ZSTD(1)", "ZSTD(1)"
_NUMBERS = {"int": "Int32", "long": "Int64", "float": "Float32", "double": "Float64", "boolean": "Bool"}


@dataclass(frozen=True, slots=True)
class TableColumn:
    """A column; ``kind`` is its ClickHouse type. An empty codec means the server's default."""

    name: str
    kind: str
    comment: str
    codec: str = ""
    default: str = ""


@dataclass(frozen=True, slots=True)
class Leaf:
    """A primitive field or list of a contract, wherever it is nested."""

    path: str
    schema: Mapping[str, Any]
    doc: str
    nullable: bool

    @property
    def name(self) -> str:
        """The column's name."""
        return self.path.replace(".", "_")


def leaves(schema: Schema) -> list[Leaf]:
    """Return the fields of a contract that are columns, in order."""
    return list(_walk(schema, {}, "", "", nullable=False))


def columns_of(schema: Schema, filled: Mapping[str, str]) -> tuple[TableColumn, ...]:
    """Return the columns of a contract. ``filled`` gives, by column, the SQL expression that replaces null."""
    return tuple(_column(leaf, filled.get(leaf.name)) for leaf in leaves(schema))


def _walk(schema: Mapping[str, Any], names: dict[str, Any], path: str, doc: str, *, nullable: bool) -> Iterator[Leaf]:
    for entry in schema["fields"]:
        inner, optional = entry["type"], nullable
        if isinstance(inner, list):
            optional = optional or "null" in inner
            inner = next(branch for branch in inner if branch != "null")
        inner = resolved(inner, names)
        said = f"{doc}: {_lowered(entry['doc'])}" if doc else str(entry["doc"])
        if inner["type"] == "record":
            yield from _walk(inner, names, f"{path}{entry['name']}.", said.rstrip("."), nullable=optional)
        else:
            yield Leaf(path + entry["name"], inner, said.rstrip("."), optional)


def resolved(schema: Any, names: dict[str, Any]) -> Mapping[str, Any]:
    """Return a schema as a mapping, with named types resolved through ``names``; adds new ones to it."""
    found: Mapping[str, Any] = names.get(schema, {"type": schema}) if isinstance(schema, str) else schema
    if "name" in found:
        names[found["name"]] = found
    return found


def _column(leaf: Leaf, filled: str | None) -> TableColumn:
    kind, codec = _kind(leaf.schema, leaf.name)
    # NaN means "no evidence" in a record; tables have null, which averages skip.
    if (leaf.nullable or "NaN" in leaf.doc) and filled is None:
        kind = _nullable(kind)
    comment = leaf.doc if filled is None else f"{leaf.doc}. Where the record has null, {_said(filled)} stands here"
    return TableColumn(leaf.name, kind, comment, codec)


def _kind(schema: Mapping[str, Any], name: str) -> tuple[str, str]:
    kind, logical = schema["type"], schema.get("logicalType")
    if logical == "timestamp-millis":
        return MILLISECONDS, TIME_CODEC
    if logical == "date":
        return "Date", TIME_CODEC
    if logical == "decimal":
        return f"Decimal({schema['precision']}, {schema['scale']})", ZIPPED
    if kind == "enum" or (kind == "string" and (name in FEW_VALUES or name.endswith("_version"))):
        return "LowCardinality(String)", ""
    if kind == "array":
        return f"Array({_item(schema['items'])})", ZIPPED
    if kind in ("string", "bytes"):
        return "String", ZIPPED
    return _NUMBERS[kind], "" if kind == "boolean" else ZIPPED


def _item(items: Any) -> str:
    schema = resolved(items, {})
    if schema["type"] != "record":
        return "LowCardinality(String)" if schema["type"] == "string" else _kind(schema, "")[0]
    parts = [f"{entry['name']} {_kind(resolved(entry['type'], {}), entry['name'])[0]}" for entry in schema["fields"]]
    return f"Tuple({', '.join(parts)})"


def _nullable(kind: str) -> str:
    if kind.startswith("Array("):
        return kind  # an absent list is an empty one
    inner = kind.removeprefix("LowCardinality(")
    return f"Nullable({kind})" if inner == kind else f"LowCardinality(Nullable({inner[:-1]}))"


def _lowered(text: str) -> str:
    return text[:1].lower() + text[1:] if text[1:2].islower() else text


def _said(expression: str) -> str:
    return "an empty text" if expression == "''" else expression
