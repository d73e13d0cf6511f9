"""Hypothesis strategies for native values of any contract."""

import math
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MOMENTS = st.integers(0, 4_102_444_800_000).map(lambda ms: EPOCH + timedelta(milliseconds=ms))
FLOATS = st.floats(width=32, allow_nan=False, allow_infinity=False)


def values_of(schema: Any, names: dict[str, Any] | None = None) -> st.SearchStrategy[Any]:
    names = {} if names is None else names
    if isinstance(schema, str):
        schema = names.get(schema.rsplit(".", 1)[-1], schema)
    if isinstance(schema, list):
        return st.one_of([values_of(branch, names) for branch in schema])
    if isinstance(schema, str):
        schema = {"type": schema}
    if "name" in schema:
        names[schema["name"]] = schema
    kind = schema["type"]
    if isinstance(kind, (dict, list)):
        return values_of(kind, names)
    if kind == "record":
        return st.fixed_dictionaries({entry["name"]: values_of(entry["type"], names) for entry in schema["fields"]})
    if kind == "array":
        return st.lists(values_of(schema["items"], names), max_size=4)
    if kind == "map":
        return st.dictionaries(st.text(max_size=5), values_of(schema["values"], names), max_size=3)
    if kind == "enum":
        return st.sampled_from(schema["symbols"])
    logical = schema.get("logicalType")
    if logical == "decimal":
        most = 10 ** schema["precision"] - 1
        return st.integers(-most, most).map(lambda unscaled: Decimal(unscaled).scaleb(-schema["scale"]))
    if logical == "timestamp-millis":
        return MOMENTS
    if logical == "date":
        return st.dates(date(1970, 1, 1), date(2200, 1, 1))
    if logical == "uuid":
        return st.uuids().map(str)
    return {
        "null": st.none(),
        "string": st.text(max_size=20),
        "bytes": st.binary(max_size=20),
        "int": st.integers(-(2**31), 2**31 - 1),
        "long": st.integers(-(2**63), 2**63 - 1),
        "float": FLOATS,
        "double": st.floats(allow_nan=False, allow_infinity=False),
        "boolean": st.booleans(),
    }[kind]


def same(left: Any, right: Any) -> bool:
    """Equality in which NaN equals NaN."""
    if isinstance(left, float) and isinstance(right, float) and math.isnan(left):
        return math.isnan(right)
    if isinstance(left, dict):
        return left.keys() == right.keys() and all(same(left[key], right[key]) for key in left)
    if isinstance(left, list):
        return len(left) == len(right) and all(same(a, b) for a, b in zip(left, right, strict=True))
    return bool(left == right)
