"""Converts decoded columns to Arrow, without a Python object per cell."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa

from loanpulse.schemas import contracts
from loanpulse.schemas.columns import Columns
from loanpulse.schemas.contracts import Contract
from loanpulse.sinks.table_columns import Leaf, leaves

MILLISECONDS = pa.timestamp("ms", "UTC")


def table_of(columns: Columns, contract: Contract) -> pa.Table:
    """Return decoded columns as an Arrow table; fields of nested records become ``outer_inner``."""
    return pa.table({leaf.name: _array(columns, leaf) for leaf in leaves(contracts.load(contract))})


def carried_by_columns(columns: Mapping[str, Any], contract: Contract) -> bool:
    """Return True if every field of a contract is among the decoded columns (lists of records are not)."""
    return all(leaf.path in columns for leaf in leaves(contracts.load(contract)))


def _array(columns: Columns, leaf: Leaf) -> pa.Array:
    kind, logical = leaf.schema["type"], leaf.schema.get("logicalType")
    if kind == "array":
        starts, data, offsets = columns.text_lists(leaf.path)
        return pa.ListArray.from_arrays(pa.array(starts.astype(np.int32)), _texts(data, offsets, None))
    absent = ~columns.is_present(leaf.path)
    missing = absent if absent.any() else None
    if kind == "string":
        return _texts(*columns.texts(leaf.path), missing)
    if kind in ("float", "double"):
        values = columns.real(leaf.path)
        return pa.array(values, pa.float32() if kind == "float" else pa.float64(), mask=np.isnan(values))
    integers = np.ascontiguousarray(columns.integer(leaf.path))
    if kind == "enum":
        symbols = pa.array(leaf.schema["symbols"], pa.string())
        return pa.DictionaryArray.from_arrays(pa.array(integers.astype(np.int32), mask=missing), symbols)
    if kind == "boolean":
        return pa.array(integers != 0, pa.bool_(), mask=missing)
    if logical == "timestamp-millis":
        return pa.array(integers, pa.int64(), mask=missing).cast(MILLISECONDS)
    if logical == "date":
        return pa.array(integers.astype(np.int32), pa.int32(), mask=missing).cast(pa.date32())
    if logical == "decimal":
        return _decimals(integers, missing, leaf.schema["precision"], leaf.schema["scale"])
    return pa.array(integers, pa.int32() if kind == "int" else pa.int64(), mask=missing)


def _texts(data: Any, offsets: Any, missing: Any) -> pa.Array:
    return pa.StringArray.from_buffers(
        len(offsets) - 1, pa.py_buffer(offsets.astype(np.int32)), pa.py_buffer(data), _validity(missing)
    )


def _decimals(unscaled: Any, missing: Any, precision: int, scale: int) -> pa.Array:
    words = np.empty((len(unscaled), 2), np.int64)
    words[:, 0] = unscaled
    words[:, 1] = unscaled >> 63
    return pa.Array.from_buffers(
        pa.decimal128(precision, scale), len(unscaled), [_validity(missing), pa.py_buffer(words)]
    )


def _validity(missing: Any) -> pa.Buffer | None:
    return None if missing is None else pa.py_buffer(np.packbits(~missing, bitorder="little"))
