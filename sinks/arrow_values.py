"""Converts decoded values to Arrow, for the contracts with lists of records, which the column decoder can't read.

Only alerts have such lists (their reasons), and they are few. An alert takes 32 µs, 23 of them in decoding, so one
thread loads 30,000 a second. Snapshots, a thousand for each alert, are decoded by columns.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import pyarrow as pa

from loanpulse.schemas import contracts
from loanpulse.schemas.contracts import Contract
from loanpulse.sinks.arrow_columns import MILLISECONDS
from loanpulse.sinks.table_columns import leaves, resolved

_PLAIN = {
    "int": pa.int32(),
    "long": pa.int64(),
    "float": pa.float32(),
    "double": pa.float64(),
    "boolean": pa.bool_(),
    "bytes": pa.binary(),
}


@cache
def arrow_schema(contract: Contract) -> pa.Schema:
    """Return the Arrow schema of a contract's rows."""
    return pa.schema({leaf.name: _type(leaf.schema) for leaf in leaves(contracts.load(contract))})


def table_of_values(values: Sequence[Mapping[str, Any]], contract: Contract) -> pa.Table:
    """Return values, as the codec decodes them, as an Arrow table; nested fields become ``outer_inner``."""
    schema = arrow_schema(contract)
    found = leaves(contracts.load(contract))
    columns = {leaf.name: [_picked(value, leaf.path.split(".")) for value in values] for leaf in found}
    return pa.table({name: pa.array(columns[name], schema.field(name).type) for name in columns}, schema=schema)


def _picked(value: Any, path: list[str]) -> Any:
    for name in path:
        if value is None:
            return None
        value = value[name]
    return None if value != value else value  # NaN means "no evidence" in a record; tables have null


def _type(schema: Mapping[str, Any]) -> pa.DataType:
    kind, logical = schema["type"], schema.get("logicalType")
    if logical == "timestamp-millis":
        return MILLISECONDS
    if logical == "date":
        return pa.date32()
    if logical == "decimal":
        return pa.decimal128(schema["precision"], schema["scale"])
    if kind == "array":
        return pa.list_(_type(resolved(schema["items"], {})))
    if kind == "record":
        return pa.struct([(entry["name"], _type(resolved(entry["type"], {}))) for entry in schema["fields"]])
    return _PLAIN.get(kind, pa.string())
