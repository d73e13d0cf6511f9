"""One partition's way through event time: three sources merged, folded and scored, always in the same order.

The three event topics are partitioned alike, so partition p of each concerns the same borrowers. A record's place
in the merge is the latest event time that its own source partition had reached when it came (``merge_time``):
a function of the log alone. A source that has more to give is waited for, so that batches, restarts and the number
of workers don't change the order. A source with nothing to give is not waited for; then time goes on by the clock
that the caller hands in.
"""

import sys
from dataclasses import InitVar, dataclass, field

import numpy as np

from loanpulse.schemas.compiled import compiled
from loanpulse.schemas.sources import SOURCES
from loanpulse.schemas.violations import Violation
from loanpulse.streams.partition import fold_and_score
from loanpulse.streams.partition.store import BorrowerStore
from loanpulse.streams.partition.undo_log import Allocate, in_memory
from loanpulse.streams.record.event import EVENT, FORGET, Events
from loanpulse.streams.record.layout import BORROWER, LONG_AGO, NEVER, Integers, Records
from loanpulse.streams.scoring.parameters import ScoringParameters
from loanpulse.streams.scoring.score import SCORE, Scores

TOO_LATE = int(Violation.TOO_LATE)
PARTITION_KEY = b"\x00lane"
"""The key of a lane's own record in the changelog; no borrower's id may begin so."""
LANE = np.dtype(
    [
        ("version", "u1"),
        ("reserved", "u1", (7,)),
        ("next_offset", "i8", (SOURCES,)),
        ("watermark", "i8", (SOURCES,)),
        ("advanced_to", "i8"),
        ("wall_at", "i8"),
    ]
)
LANE_VERSION = 1
ROOM = 1 << 16
MOST_ROOMS = 3
"""One is being filled while another is published."""
KEPT_AT_ONCE = 256


@compiled
def place_in_order(events: Events, watermark: int, lateness_ms: int) -> int:
    """Give each event its ``merge_time`` and mark those later than allowed; returns the source's new watermark (ms).

    Events that carry an error already keep their place but don't move the watermark.
    """
    for position in range(len(events)):
        event = events[position]
        if event["error"] == 0:
            if watermark != LONG_AGO and event["event_time"] < watermark - lateness_ms:
                event["error"] = TOO_LATE
            else:
                watermark = max(watermark, event["event_time"])
        event["merge_time"] = watermark
    return watermark


@compiled
def merge(sources: Events, starts: Integers, floor: int, merged: Events) -> int:
    """Merge sources, each in its own order, by ``merge_time``, at one time the earlier source first.

    Source s is ``sources[starts[s] : starts[s + 1]]``. No order time stays before ``floor``. Refused events and orders
    to forget someone unknown are left out. Returns the number of events in ``merged``.
    """
    heads = starts.copy()
    count = 0
    while True:
        first = -1
        for source in range(len(starts) - 1):
            if heads[source] < starts[source + 1] and (
                first < 0 or sources[heads[source]]["merge_time"] < sources[heads[first]]["merge_time"]
            ):
                first = source
        if first < 0:
            return count
        event = sources[heads[first]]
        heads[first] += 1
        if event["error"] == 0 or (event["error"] == FORGET and event["row"] >= 0):
            merged[count] = event
            merged[count]["merge_time"] = max(event["merge_time"], floor)
            count += 1


class _Found:
    """Gathers a run's scorings, written where they are to stay, and copies of the records kept with them.

    A copy of every scoring would cost as much as making it, and so would memory not yet touched.
    """

    def __init__(self, room: Scores) -> None:
        self._full: list[Scores] = []
        self._room = room
        self._used = 0
        self._kept: list[Records] = []
        self._keeping = 0

    def room(self) -> Scores:
        """Return where the next scorings are to be written; never empty."""
        if self._used == len(self._room):
            self._full.append(self._room)
            self._room, self._used = np.empty(2 * len(self._room), SCORE), 0
        return self._room[self._used :]

    def add(self, count: int, kept: Records) -> None:
        """Take note of ``count`` scorings in the room; they point into ``kept``, of which a copy is made."""
        if len(kept):
            places = self._room["kept"][self._used : self._used + count]
            places[places >= 0] += self._keeping
            self._keeping += len(kept)
            self._kept.append(kept.copy())
        self._used += count

    def whole(self) -> tuple[Scores, Records]:
        """Return all scorings, and all records kept, as one."""
        scores = self._room[: self._used]
        if self._full:
            scores = np.concatenate([*self._full, scores])
        return scores, np.concatenate(self._kept) if self._kept else np.zeros(0, BORROWER)


class _Rooms:
    """Memory for scorings, used again once nothing reads what was last written there."""

    def __init__(self) -> None:
        self._rooms: list[Scores] = []

    def free(self, expected: int) -> Scores:
        """Return room for more than ``expected`` scorings; what of it is not written is not touched."""
        if expected >= ROOM:
            return np.empty(2 * expected, SCORE)
        for place in range(len(self._rooms)):
            # Two references, the list's and this question's own, say that no view of it is left.
            if sys.getrefcount(self._rooms[place]) == 2:
                return self._rooms[place]
        room: Scores = np.empty(ROOM, SCORE)
        self._rooms = [*self._rooms[1 - MOST_ROOMS :], room]
        return room


@dataclass(slots=True)
class Lane:
    """The state and the waiting events of one partition.

    ``lateness_ms`` is how far behind its source an event may be, ``restate_ms`` how far back scorings are restated
    when one is; ``allocate`` gives the memory for that. ``next_offset`` is, per source, the offset after
    the last event folded: all before it is in the state.
    """

    parameters: ScoringParameters
    lateness_ms: int
    restate_ms: int
    allocate: InitVar[Allocate] = in_memory
    slab: BorrowerStore = field(init=False)
    next_offset: Integers = field(default_factory=lambda: np.zeros(SOURCES, np.int64))
    watermark: Integers = field(default_factory=lambda: np.full(SOURCES, LONG_AGO, np.int64))
    advanced_to: int = LONG_AGO
    wall_at: int = 0
    counts: Integers = field(default_factory=lambda: np.zeros(3, np.int64))
    _rooms: _Rooms = field(default_factory=_Rooms)
    _kept_scratch: Records = field(default_factory=lambda: np.zeros(KEPT_AT_ONCE, BORROWER))
    _arrived: Integers = field(default_factory=lambda: np.full(SOURCES, LONG_AGO, np.int64))
    _arrived_offset: Integers = field(default_factory=lambda: np.zeros(SOURCES, np.int64))
    _waiting: list[list[Events]] = field(default_factory=lambda: [[] for _ in range(SOURCES)])

    def __post_init__(self, allocate: Allocate) -> None:
        self.slab = BorrowerStore(self.restate_ms, allocate)

    def add(self, source: int, events: Events) -> Events:
        """Take the next events of a source, in the order of their offsets, to wait for their turn.

        Events before ``next_offset`` were folded before a restart and are left out. Returns the events that were
        taken, in which ``error`` is set where one is later than allowed.
        """
        events = events[events["offset"] >= max(self.next_offset[source], self._arrived_offset[source])]
        if len(events):
            behind = self._arrived[source] if self._waiting[source] else self.watermark[source]
            start = max(int(behind), int(self.watermark[source]))
            self._arrived[source] = place_in_order(events, start, self.lateness_ms)
            self._arrived_offset[source] = events["offset"][-1] + 1
            self._waiting[source].append(events)
        return events

    def waiting(self, source: int) -> int:
        """Return the number of events of a source that wait for the others."""
        return sum(len(events) for events in self._waiting[source])

    @property
    def waits(self) -> bool:
        """Tell whether any event waits for its turn."""
        return any(self._waiting)

    def arrived(self) -> int:
        """Return the latest event time (ms) that any source has reached, ``LONG_AGO`` before the first event."""
        return int(max(self._arrived.max(), self.watermark.max()))

    def limit(self, idle: tuple[bool, ...], clock: int) -> int:
        """Return up to which event time (ms) all events are here.

        A source that is not idle holds it at what it has reached. With all idle it is ``clock``, the event time
        that the caller takes it to be, at least what has been reached.
        """
        reached = [self.reached(source) for source in range(SOURCES) if not idle[source]]
        if reached:
            return max(min(reached), self.advanced_to)
        return max(self.arrived(), clock, self.advanced_to)

    def reached(self, source: int) -> int:
        """Return the latest event time (ms) that a source has reached, ``LONG_AGO`` before its first event."""
        return int(max(self._arrived[source], self.watermark[source]))

    def reach(self, most: int) -> int:
        """Return the event time (ms) before which ``most`` of the waiting events stand, ``NEVER`` where no more wait.

        It is after the first of them, so that there is always some way to go; those of one time stay together.
        """
        times: list[Integers] = []
        for source in range(SOURCES):
            room = most + 1
            for events in self._waiting[source]:
                times.append(events["merge_time"][:room])
                room -= len(times[-1])
        merged = np.concatenate(times) if times else np.zeros(0, np.int64)
        if len(merged) <= most:
            return NEVER
        return int(max(np.partition(merged, most)[most], merged.min() + 1))

    def release(self, limit: int, *, inclusive: bool) -> Events:
        """Take out the waiting events before ``limit`` (also at it, if ``inclusive``), merged into their order."""
        taken: list[Events] = []
        starts = np.zeros(SOURCES + 1, np.int64)
        for source in range(SOURCES):
            rest: list[Events] = []
            for events in self._waiting[source]:
                side = "right" if inclusive else "left"
                split = int(np.searchsorted(events["merge_time"], limit, side=side))  # type: ignore[call-overload]
                if split:
                    taken.append(events[:split])
                    self.watermark[source] = max(self.watermark[source], events["merge_time"][split - 1])
                    self.next_offset[source] = events["offset"][split - 1] + 1
                if split < len(events):
                    rest.append(events[split:])
            self._waiting[source] = rest
            starts[source + 1] = sum(map(len, taken))
        if not taken:
            return np.zeros(0, EVENT)
        merged: Events = np.empty(starts[-1], EVENT)
        return merged[: merge(np.concatenate(taken), starts, self.advanced_to, merged)]

    def run(self, limit: int, *, inclusive: bool = False) -> tuple[Scores, Records]:
        """Fold what is before ``limit`` and do every scoring up to it.

        Returns the scorings in each borrower's order, and the records as they were at those that call for an alert.
        """
        events = self.release(limit, inclusive=inclusive)
        slab = self.slab
        found = _Found(self._rooms.free(len(events)))
        start = 0
        for order in np.flatnonzero(events["error"] == FORGET).tolist():
            self._fold(events[start:order], found)
            row = events["row"][order : order + 1].astype(np.int64)
            self._score(row, int(events["merge_time"][order]), found)
            slab.forget(int(row[0]))
            start = order + 1
        self._fold(events[start:], found)
        self._score(slab.due(limit), limit, found)
        self.advanced_to = max(self.advanced_to, limit)
        return found.whole()

    def _fold(self, events: Events, found: _Found) -> None:
        slab, kept = self.slab, self._kept_scratch
        position = 0
        slab.dirty[events["row"]] = True
        while position < len(events):
            trail = slab.trails.make_room(slab.trail, self.advanced_to)
            position, count, keeping = fold_and_score.fold_events(
                events, position, slab.records, slab.wake_at, self.parameters, trail, found.room(), kept, self.counts
            )
            found.add(count, kept[:keeping])

    def _score(self, rows: Integers, time: int, found: _Found) -> None:
        slab, kept = self.slab, self._kept_scratch
        position = 0
        slab.dirty[rows] = True
        while position < len(rows):
            trail = slab.trails.make_room(slab.trail, self.advanced_to)
            position, count, keeping = fold_and_score.score_rows(
                rows, position, slab.records, slab.wake_at, time, self.parameters, trail, found.room(), kept
            )
            found.add(count, kept[:keeping])

    def take_changed(self) -> list[tuple[bytes, bytes | None]]:
        """Return key and bytes of each borrower changed since the last call, None for one that was forgotten."""
        gone: list[tuple[bytes, bytes | None]] = []
        if self.slab.gone:
            gone += self.slab.take_gone({row for source in self._waiting for e in source for row in e["row"].tolist()})
        return [*gone, *self.slab.take_dirty()]

    def to_bytes(self, wall_ms: int) -> bytes:
        """Return the lane's own record, for the changelog: offsets, watermarks, and the wall clock (ms) it was at."""
        lane = np.zeros(1, LANE)
        lane["version"] = LANE_VERSION
        lane["next_offset"], lane["watermark"] = self.next_offset, self.watermark
        lane["advanced_to"], lane["wall_at"] = self.advanced_to, wall_ms
        return lane.tobytes()

    def load(self, raw: bytes) -> None:
        """Take up from a lane's stored record.

        Raises:
            ValueError: the bytes are not a lane's record of a known layout.
        """
        if len(raw) != LANE.itemsize or raw[0] != LANE_VERSION:
            raise ValueError(f"a lane record of {len(raw)} bytes is not known to this version")
        lane = np.frombuffer(raw, LANE)[0]
        self.next_offset = lane["next_offset"].copy()
        self.watermark = lane["watermark"].copy()
        self.advanced_to, self.wall_at = int(lane["advanced_to"]), int(lane["wall_at"])
