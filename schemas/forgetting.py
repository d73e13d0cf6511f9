"""The order to forget a borrower, as a record: no value, the borrower's key, and a header that says it is meant.

A record without a value and without the header is a mistake of its sender, and is dead-lettered as such.
"""

from collections.abc import Iterable
from typing import Any

from loanpulse.schemas.topics import BORROWERS_CHANGELOG, TOPICS, Topic

FORGET_HEADER = "loanpulse-forget"
"""Its value is the id of the request, which the audit rows carry."""


def forget_headers(request_id: str) -> list[tuple[str, bytes]]:
    """Return the headers of an order to forget."""
    return [(FORGET_HEADER, request_id.encode())]


def forget_request(value: bytes | None, headers: Iterable[tuple[str, Any]] | None) -> str | None:
    """Return the id of the request if a record is an order to forget its key's borrower, None otherwise."""
    if value is not None:
        return None
    found = next((content for name, content in headers or () if name == FORGET_HEADER), None)
    return None if found is None else bytes(found).decode("utf-8", "replace")


def is_order_to_forget(value: bytes | None, headers: Iterable[tuple[str, Any]] | None) -> bool:
    """Tell whether a record is an order to forget its key's borrower."""
    return value is None and forget_request(value, headers) is not None


def borrowers_topics() -> list[Topic]:
    """Return the topics keyed by borrower that others than the worker write or read; the changelog is its own."""
    return [topic for topic in TOPICS if topic.key == "borrower_id" and topic.name != BORROWERS_CHANGELOG]
