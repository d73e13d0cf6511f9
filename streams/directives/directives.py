"""Directives of people and of the trainer, which take effect at an event time.

A directive is a record of a control topic: a policy activated, alerts suppressed, a model put in force. The worker
reads the (compacted) topics whole at its start and follows them; a replay finds the same records in its files. Each
partition applies a directive when its event time reaches the directive's, so that stream and replay do so at the same
scoring. A directive that arrives after the partition has passed its time is applied at once. The time from which each
partition applies each directive is published on the topic ``order-applications``: a worker that restores the partition,
and a replay that is given these records, apply it from the same time (I7).
"""

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import orjson

from loanpulse.schemas import json_form
from loanpulse.schemas.topics import ORDER_APPLICATIONS
from loanpulse.streams.directives.in_force import InForce

Value = dict[str, Any]


class DirectiveError(ValueError):
    """A record of a control topic that can't be applied; its text is one sentence without personal data."""


@dataclass(frozen=True, slots=True, order=True)
class Directive:
    """One directive: effective at an event time (ms), identified by its topic and the hash of its value."""

    effective_at: int
    topic: str
    identity: str
    content: Any = field(compare=False)


@dataclass(frozen=True, slots=True)
class Application:
    """The fact that a partition applies the directive with this topic and identity from ``at_ms`` on."""

    partition: int
    topic: str
    identity: str
    at_ms: int


def at_event_time(value: Value) -> datetime:
    """Return the effective time of most directives: their own event time."""
    at: datetime = value["event_time"]
    return at


@dataclass(frozen=True, slots=True)
class DirectiveKind:
    """What the records of one control topic mean.

    ``read`` turns a native value into what ``apply`` needs, or raises DirectiveError; None is a record that is no
    directive. ``apply`` changes what is in force in one partition, from a time (ms) on. ``effective`` is when it is
    meant to take effect. ``splits`` says that scorings before and after the directive differ, so that the partition
    must first be scored up to just before it. ``borrower`` names the one borrower that a directive is about, None for
    all.
    """

    topic: str
    read: Callable[[Value], Any]
    apply: Callable[[InForce, Directive, int], None]
    effective: Callable[[Value], datetime] = at_event_time
    splits: bool = True
    borrower: Callable[[Any], str] | None = None


class Directives:
    """All directives known, and from when on each partition applies them where that has been decided.

    One thread uses it at a time, except that partitions may be processed side by side: each notes its own applications.
    ``version`` changes with every directive or application that is new to a partition.
    """

    def __init__(self, kinds: Iterable[DirectiveKind]) -> None:
        self._kinds = {kind.topic: kind for kind in kinds}
        self._directives: dict[tuple[str, str], Directive] = {}
        self._applied_ms: dict[tuple[str, str, int], int] = {}
        self.version = 0

    @property
    def topics(self) -> tuple[str, ...]:
        """The topics (bare names) whose records ``add`` accepts."""
        return (*self._kinds, ORDER_APPLICATIONS)

    def kind(self, topic: str) -> DirectiveKind:
        """Return what the records of a control topic mean."""
        return self._kinds[topic]

    def add(self, topic: str, value: Value) -> None:
        """Add a record of a control topic; the same record again changes nothing.

        Raises:
            DirectiveError: it can't be applied.
        """
        self.put(self.read(topic, value))

    def read(self, topic: str, value: Value) -> Directive | Application | None:
        """Return what a record of a control topic says, None for nothing; may be called from any thread.

        Raises:
            DirectiveError: it can't be applied.
        """
        if topic == ORDER_APPLICATIONS:
            at_ms = json_form.milliseconds(value["event_time"])
            return Application(value["partition"], value["topic"], value["order_id"], at_ms)
        kind = self._kinds[topic]
        content = kind.read(value)
        if content is None:
            return None
        encoded = orjson.dumps(json_form.to_json(topic, value), option=orjson.OPT_SORT_KEYS)
        effective_at = json_form.milliseconds(kind.effective(value))
        return Directive(effective_at, topic, hashlib.sha256(encoded).hexdigest(), content)

    def put(self, record: Directive | Application | None) -> None:
        """Add what ``read`` has returned."""
        if isinstance(record, Directive):
            if (record.topic, record.identity) not in self._directives:
                self._directives[record.topic, record.identity] = record
                self.version += 1
        elif record is not None:
            key = record.topic, record.identity, record.partition
            if self._applied_ms.get(key) != record.at_ms:
                self._applied_ms[key] = record.at_ms
                self.version += 1

    def note(self, application: Application) -> None:
        """Note from when on a partition applies a directive that it has just reached."""
        self._applied_ms[application.topic, application.identity, application.partition] = application.at_ms

    def applied_ms(self, partition: int, directive: Directive) -> int | None:
        """Return from which time (ms) on a partition applies a directive, None where that is not decided yet."""
        return self._applied_ms.get((directive.topic, directive.identity, partition))

    def known(self) -> list[Directive]:
        """Return all directives known, by their effective time."""
        return sorted(self._directives.values())
