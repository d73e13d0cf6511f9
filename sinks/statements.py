"""Fills ClickHouse's parameter placeholders in statements that are sent as text."""

import re
from collections.abc import Mapping
from typing import Any

PLACEHOLDER = re.compile(r"\{(\w+):([^{}]+)\}")


def filled(statement: str, parameters: Mapping[str, Any]) -> str:
    """Replace ``{name:Type}`` placeholders by quoted, cast values. The engine refuses those that have no value.

    Examples:
        >>> filled("SELECT {lender:String}", {"lender": "it's"})
        "SELECT CAST('it\\\\'s' AS String)"
    """

    def value(found: re.Match[str]) -> str:
        name, kind = found.groups()
        if name not in parameters:
            return found.group()
        quoted = str(parameters[name]).replace("\\", "\\\\").replace("'", "\\'")
        return f"CAST('{quoted}' AS {kind})"

    return PLACEHOLDER.sub(value, statement)
