"""Whether a contract can still read everything that was ever written under its subject (BACKWARD_TRANSITIVE)."""

import json
from collections.abc import Iterable

import avro.compatibility
import avro.schema

from loanpulse.schemas.contracts import Schema


def breaking_changes(subject: str, current: Schema, history: Iterable[Schema]) -> list[str]:
    """Return a sentence for each version in ``history`` that ``current`` can no longer read; empty if all is well.

    Apache Avro's own checker decides.
    """
    reader = avro.schema.parse(json.dumps(current))
    sentences = []
    for number, written in enumerate(history, start=1):
        writer = avro.schema.parse(json.dumps(written))
        result = avro.compatibility.ReaderWriterCompatibilityChecker().get_compatibility(reader, writer)
        if result.compatibility is avro.compatibility.SchemaCompatibilityType.compatible:
            continue
        reasons = "; ".join(sorted(result.messages)) or "the schemas do not fit"
        fields = ", ".join(sorted(_field_of(current, location) for location in result.locations)) or "the record"
        sentences.append(
            f"{subject}: the contract can no longer read version {number}: {fields}: {reasons}. Give a new field a "
            "default, keep the types and symbols of old ones, and write a new version file into schemas/history."
        )
    return sentences


def _field_of(schema: Schema, location: str) -> str:
    """Return the name of the field at a location such as /fields/3/type."""
    parts = location.strip("/").split("/")
    if len(parts) >= 2 and parts[0] == "fields" and parts[1].isdigit():
        return str(schema["fields"][int(parts[1])]["name"])
    return location
