"""The JSON form of a contract's value, as files carry it: decimals as strings, times ISO 8601, bytes base64.

Unions are plain.

Errors name the field and say what is allowed.
"""

import base64
import binascii
import math
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from loanpulse.schemas import contracts
from loanpulse.schemas.topics import contract_of

Value = dict[str, Any]

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class FieldError(ValueError):
    """A field of a JSON value does not fit the contract."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"{field}: {message}")
        self.field = field
        self.message = message


def from_json(topic: str, value: Any) -> Value:
    """Return the native form of a JSON value of ``topic`` (bare name).

    Raises:
        FieldError: a field is missing, unknown or not of its type.
        UnknownTopic: the topic is not in the catalogue or carries no Avro.
    """
    schema = contracts.load(contract_of(topic))
    return _record_from(schema, value, "", {})


def to_json(topic: str, value: Value) -> Value:
    """Return the JSON form (ready for a JSON encoder) of a native value of ``topic`` (bare name)."""
    return {name: _to(item) for name, item in value.items()}


def _to(item: Any) -> Any:
    if type(item) in _AS_THEY_ARE:
        return item
    if isinstance(item, float):
        return item if math.isfinite(item) else None
    if isinstance(item, dict):
        return {name: _to(part) for name, part in item.items()}
    if isinstance(item, list):
        return [_to(part) for part in item]
    if isinstance(item, datetime):
        return iso(item)
    if isinstance(item, date):
        return item.isoformat()
    if isinstance(item, Decimal):
        return f"{item:f}"
    if isinstance(item, bytes):
        return base64.b64encode(item).decode()
    return item


_AS_THEY_ARE = frozenset({str, int, bool, type(None)})


def iso(at: datetime) -> str:
    """Return a UTC time as "2026-01-31T08:00:00.000Z"."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def parse_time(text: str) -> datetime:
    """Return the time of an ISO 8601 text with a zone, in UTC, truncated to milliseconds.

    Raises:
        ValueError: it is not one, or has no zone.
    """
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError("the time has no zone")
    at = at.astimezone(UTC)
    return at.replace(microsecond=at.microsecond // 1000 * 1000)


def time_at(milliseconds: int) -> datetime:
    """Return the UTC time of milliseconds since 1970."""
    return EPOCH + timedelta(milliseconds=milliseconds)


def milliseconds(at: datetime) -> int:
    """Return a time as milliseconds since 1970, exactly."""
    return (at - EPOCH) // timedelta(milliseconds=1)


def _record_from(schema: Any, value: Any, prefix: str, names: dict[str, Any]) -> Value:
    if not isinstance(value, dict):
        raise FieldError(prefix.rstrip(".") or "value", "must be an object")
    known = {entry["name"] for entry in schema["fields"]}
    for name in value:
        if name not in known:
            raise FieldError(prefix + name, f"is not in the contract; take one of {', '.join(sorted(known))}")
    native: Value = {}
    for entry in schema["fields"]:
        path = prefix + entry["name"]
        item = value.get(entry["name"])
        if entry["name"] not in value and "default" not in entry:
            raise FieldError(path, "is missing")
        if entry["name"] not in value and entry["default"] is not None:
            native[entry["name"]] = entry["default"]
        elif item is None and entry["type"] in ("float", "double") and "NaN" in entry["doc"]:
            # JSON knows no NaN: where the contract does, ``to_json`` writes null.
            native[entry["name"]] = math.nan
        else:
            native[entry["name"]] = _from(entry["type"], item, path, names)
    return native


def _from(schema: Any, item: Any, path: str, names: dict[str, Any]) -> Any:
    if isinstance(schema, str):
        schema = names.get(schema.rsplit(".", 1)[-1], schema)
    if isinstance(schema, list):
        if item is None and "null" in schema:
            return None
        return _from(next(branch for branch in schema if branch != "null"), item, path, names)
    if isinstance(schema, str):
        schema = {"type": schema}
    if "name" in schema:
        names[schema["name"]] = schema
    if item is None:
        raise FieldError(path, "must not be null")
    kind = schema["type"]
    if isinstance(kind, (dict, list)):
        return _from(kind, item, path, names)
    if kind == "record":
        return _record_from(schema, item, path + ".", names)
    if kind == "array":
        if not isinstance(item, list):
            raise FieldError(path, "must be a list")
        return [_from(schema["items"], part, f"{path}[{place}]", names) for place, part in enumerate(item)]
    reader = _LOGICAL.get(schema.get("logicalType", ""))
    if reader is not None:
        return reader(schema, item, path)
    return _plain(schema, item, path)


def _plain(schema: Any, item: Any, path: str) -> Any:
    kind = schema["type"]
    if kind == "enum":
        if item not in schema["symbols"]:
            raise FieldError(path, f"{_shown(item)} is not one of {', '.join(schema['symbols'])}")
        return item
    if kind == "bytes":
        return _bytes(item, path)
    wanted, words = _TYPES[kind]
    if not isinstance(item, wanted) or (isinstance(item, bool) and kind != "boolean"):
        raise FieldError(path, f"must be {words}")
    if kind in ("float", "double"):
        return float(item)
    if kind in ("int", "long") and not -(2 ** _BITS[kind]) <= item < 2 ** _BITS[kind]:
        raise FieldError(path, f"does not fit {kind}")
    return item


_BITS = {"int": 31, "long": 63}
_TYPES: dict[str, tuple[Any, str]] = {
    "string": (str, "a text"),
    "int": (int, "a whole number"),
    "long": (int, "a whole number"),
    "float": ((int, float), "a number"),
    "double": ((int, float), "a number"),
    "boolean": (bool, "true or false"),
}


def _shown(item: Any) -> str:
    """Return what a message may show of a wrong value: short symbols only, never free text."""
    return repr(item) if isinstance(item, str) and item.isupper() and len(item) <= 40 else "the value"


def _decimal(schema: Any, item: Any, path: str) -> Decimal:
    scale, precision = schema.get("scale", 0), schema["precision"]
    try:
        if not isinstance(item, str):
            raise InvalidOperation
        amount = Decimal(item)
    except InvalidOperation:
        raise FieldError(path, 'must be a decimal as a text, such as "12.34"') from None
    # The size first: rounding a number of very many digits is an error of its own.
    if not amount.is_finite() or abs(amount) >= Decimal(10) ** (precision - scale) or amount != round(amount, scale):
        raise FieldError(path, f"must have at most {precision - scale} digits before and {scale} after the point")
    return amount.quantize(Decimal(1).scaleb(-scale))


def _bytes(item: Any, path: str) -> bytes:
    try:
        if not isinstance(item, str):
            raise binascii.Error
        return base64.b64decode(item, validate=True)
    except (binascii.Error, ValueError):
        raise FieldError(path, "must be bytes as base64 text") from None


def _timestamp(_: Any, item: Any, path: str) -> datetime:
    try:
        return parse_time(item)
    except (TypeError, ValueError):
        raise FieldError(path, 'must be a time with its zone, such as "2026-01-31T08:00:00.000Z"') from None


def _date(_: Any, item: Any, path: str) -> date:
    try:
        return date.fromisoformat(item)
    except (TypeError, ValueError):
        raise FieldError(path, 'must be a date, such as "2026-01-31"') from None


_LOGICAL = {"decimal": _decimal, "timestamp-millis": _timestamp, "date": _date}
