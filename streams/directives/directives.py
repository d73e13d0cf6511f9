"""Orders of people and of the trainer that take effect at an event time, and how they reach the lanes.

An order is a record of a control topic: a policy activated, alerts held back, a model put to work. The worker reads
the (compacted) topics whole at its start and follows them; a replay takes the same records from its files. Each lane
applies an order when its event time reaches the order's own, so that stream and replay do it at the same scoring. An
order that comes after the lane has passed its time is applied at once. From when on each lane has obeyed each order is
said on a topic of its own (``order-applications``): a worker that takes the lane up again, and a replay that is given
these records, obey it from the same moment.
"""

import hashlib
import heapq
import threading
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
    """A record of a control topic that can't be obeyed; its text is one sentence without personal data."""


@dataclass(frozen=True, slots=True, order=True)
class Directive:
    """One order: effective at an event time (ms), told apart by the hash of its value."""

    effective_at: int
    topic: str
    identity: str
    content: Any = field(compare=False)


def at_event_time(value: Value) -> datetime:
    """Return the moment from which most orders hold: their own event time."""
    moment: datetime = value["event_time"]
    return moment


@dataclass(frozen=True, slots=True)
class DirectiveKind:
    """What the records of one control topic mean.

    ``read`` turns a native value into what ``apply`` needs, or raises DirectiveError; None is a record that orders
    nothing. ``apply`` puts a due order in force in one lane, from a moment (ms) on; ``effective`` is from when on it is
    meant to be. ``splits`` says that scorings before and after the order differ, so that the lane must be carried up to
    just before it first. ``borrower`` names the one borrower that an order is about, None for all.
    """

    topic: str
    read: Callable[[Value], Any]
    apply: Callable[[InForce, Directive, int], None]
    effective: Callable[[Value], datetime] = at_event_time
    splits: bool = True
    borrower: Callable[[Any], str] | None = None


class Directives:
    """All orders known, and for each partition those that its lane has not applied yet.

    ``add`` may be called from another thread than the engine's.
    """

    def __init__(self, kinds: Iterable[DirectiveKind]) -> None:
        self._kinds = {kind.topic: kind for kind in kinds}
        self._orders: dict[tuple[str, str], Directive] = {}
        self._waiting: dict[int, list[tuple[int, Directive]]] = {}
        self._applied: dict[tuple[str, str, int], int] = {}
        self._lock = threading.Lock()

    @property
    def topics(self) -> tuple[str, ...]:
        """The topics (bare names) whose records ``add`` takes."""
        return (*self._kinds, ORDER_APPLICATIONS)

    def kind(self, topic: str) -> DirectiveKind:
        """Return what the records of a control topic mean."""
        return self._kinds[topic]

    def add(self, topic: str, value: Value) -> None:
        """Take note of a record of a control topic; the same record again changes nothing.

        Raises:
            DirectiveError: it can't be obeyed.
        """
        if topic == ORDER_APPLICATIONS:
            moment = json_form.milliseconds(value["event_time"])
            self.note(value["partition"], value["topic"], value["order_id"], moment)
            return
        kind = self._kinds[topic]
        content = kind.read(value)
        if content is None:
            return
        said = orjson.dumps(json_form.to_json(topic, value), option=orjson.OPT_SORT_KEYS)
        effective_at = json_form.milliseconds(kind.effective(value))
        order = Directive(effective_at, topic, hashlib.sha256(said).hexdigest(), content)
        with self._lock:
            if (topic, order.identity) in self._orders:
                return
            self._orders[topic, order.identity] = order
            for partition, waiting in self._waiting.items():
                heapq.heappush(waiting, (self._moment(partition, order), order))

    def due(self, partition: int, limit: int) -> list[Directive]:
        """Take out the orders that a partition is to obey from ``limit`` (ms) on or before, in their order."""
        with self._lock:
            if partition not in self._waiting:
                self._waiting[partition] = sorted(
                    (self._moment(partition, order), order) for order in self._orders.values()
                )
            waiting = self._waiting[partition]
            found = []
            while waiting and waiting[0][0] <= limit:
                found.append(heapq.heappop(waiting)[1])
            return found

    def note(self, partition: int, topic: str, identity: str, moment: int) -> None:
        """Take note from which moment (ms) on a partition obeys an order, which may not have come yet."""
        with self._lock:
            self._applied[topic, identity, partition] = moment
            waiting = self._waiting.get(partition, [])
            if any((order.topic, order.identity) == (topic, identity) for _, order in waiting):
                self._waiting[partition] = sorted((self._moment(partition, order), order) for _, order in waiting)

    def noted(self, partition: int, order: Directive) -> int | None:
        """Return from which moment (ms) on a partition obeys an order, None where it has not been said yet."""
        with self._lock:
            return self._applied.get((order.topic, order.identity, partition))

    def _moment(self, partition: int, order: Directive) -> int:
        return self._applied.get((order.topic, order.identity, partition), order.effective_at)

    def orders(self) -> list[Directive]:
        """Return all orders known, in the order of their effect."""
        with self._lock:
            return sorted(self._orders.values())

    def forget(self, partition: int) -> None:
        """Let all orders wait anew for a partition whose lane starts over."""
        with self._lock:
            self._waiting.pop(partition, None)
