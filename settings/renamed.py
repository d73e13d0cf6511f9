"""Keys with a new name: this version accepts the old one with a warning, the next version rejects it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

RENAMED: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "streams": {
            "group": "consumer_group",
            "ordering_grace_seconds": "idle_source_timeout_seconds",
            "restate_days": "restatement_days",
            "future_tolerance_seconds": "max_clock_skew_seconds",
            "fetch_bytes": "max_partition_fetch_bytes",
            "waiting_events": "max_buffered_events_per_source",
        },
        "learning": {
            "sample_days": "prediction_interval_days",
            "version_examples": "examples_per_version",
            "budget_per_day": "team_capacity_per_day",
            "groups_path": "audit_groups_path",
        },
        "warehouse": {
            "connect_seconds": "connect_timeout_seconds",
            "answer_seconds": "query_timeout_seconds",
            "batch_seconds": "max_batch_age_seconds",
        },
    }
)
"""The new name of a key, by section and old name."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One configured value: section, key, value, where it was set, and whether that is an environment variable."""

    section: str
    key: str
    value: Any
    origin: str
    is_variable: bool

    def name(self, prefix: str, delimiter: str) -> str:
        """Return the entry's name as its source writes it: an environment variable or a dotted key."""
        if self.is_variable:
            return f"{prefix}{self.section}{delimiter}{self.key}".upper()
        return f"{self.section}.{self.key}"


def with_new_names(entries: Iterable[Entry], prefix: str, delimiter: str) -> tuple[list[Entry], list[str]]:
    """Return the entries under their new names, and one warning for each that used an old name.

    An entry with the old name is dropped if any source sets the new name.
    """
    given = list(entries)
    current = {(entry.section, entry.key) for entry in given if entry.key not in RENAMED.get(entry.section, {})}
    kept, warnings = [], []
    for entry in given:
        new_key = RENAMED.get(entry.section, {}).get(entry.key)
        if new_key is None:
            kept.append(entry)
            continue
        renamed = replace(entry, key=new_key)
        old, new = entry.name(prefix, delimiter), renamed.name(prefix, delimiter)
        where = "" if entry.is_variable else f" (from {entry.origin})"
        if (entry.section, new_key) in current:
            warnings.append(f"{old}{where} is ignored: it is the old name of {new}, which is set too.")
        else:
            kept.append(renamed)
            warnings.append(f"{old}{where} was renamed to {new}; the next version rejects the old name.")
    return kept, warnings
