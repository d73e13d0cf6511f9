"""Merging the sources of one partition into one order that depends on the log alone (I4).

The three event topics are co-partitioned: partition p of each holds the same borrowers. An event's *merge time* is its
own source partition's watermark at that record. Events are merged by merge time; at one merge time the lower source
number goes first.
"""

from collections.abc import Iterator

import numpy as np

from loanpulse.schemas.compiled import compiled
from loanpulse.schemas.sources import SOURCES
from loanpulse.schemas.violations import Violation
from loanpulse.streams.partition.watermark import Watermark
from loanpulse.streams.record.event import EVENT, FORGET, Events
from loanpulse.streams.record.layout import LONG_AGO, NEVER, Integers

TOO_LATE = int(Violation.TOO_LATE)


@compiled
def place_in_order(events: Events, watermark_ms: int, lateness_ms: int) -> int:
    """Set each event's ``merge_time`` and mark those that are too late; returns the source's new watermark (ms).

    Refused events and orders to forget get a merge time too, but don't move the watermark.
    """
    for index in range(len(events)):
        event = events[index]
        if event["error"] == 0 and event["kind"] != FORGET:
            if watermark_ms != LONG_AGO and event["event_time"] < watermark_ms - lateness_ms:
                event["error"] = TOO_LATE
            else:
                watermark_ms = max(watermark_ms, event["event_time"])
        event["merge_time"] = watermark_ms
    return watermark_ms


@compiled
def merge(sources: Events, starts: Integers, floor_ms: int, merged: Events) -> int:
    """Merge the sources by ``merge_time``, at one time the lower source first; returns the number of events merged.

    Source s is ``sources[starts[s] : starts[s + 1]]``. Merge times before ``floor_ms`` become ``floor_ms``. Refused
    events, and orders to forget an unknown borrower, are left out.
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
        if event["error"] == 0 and (event["kind"] != FORGET or event["row"] >= 0):
            merged[count] = event
            merged[count]["merge_time"] = max(event["merge_time"], floor_ms)
            count += 1


class MergeBuffer:
    """The events of one partition that are offered and not yet merged, by source and in the order of offsets.

    ``next_offset`` is, per source, the offset after the last event released: all before it is in the state.
    ``watermark`` is the partition's; the buffer keeps its sources' event times.
    """

    def __init__(self, watermark: Watermark, lateness_ms: int) -> None:
        self.next_offset: Integers = np.zeros(SOURCES, np.int64)
        self._watermark = watermark
        self._lateness_ms = lateness_ms
        self._offered_offset: Integers = np.zeros(SOURCES, np.int64)
        self._buffered: list[list[Events]] = [[] for _ in range(SOURCES)]

    def offer(self, source: int, events: Events) -> Events:
        """Buffer a source's next events. Returns those that are new, with ``error`` set where one is too late.

        Events before ``next_offset`` were folded before a restart and are left out.
        """
        events = events[events["offset"] >= max(self.next_offset[source], self._offered_offset[source])]
        if len(events):
            progress = self._watermark.sources[source]
            progress.offered_ms = int(place_in_order(events, progress.watermark_ms, self._lateness_ms))
            self._offered_offset[source] = events["offset"][-1] + 1
            self._buffered[source].append(events)
        return events

    def count(self, source: int) -> int:
        """Return the number of a source's events that are buffered."""
        return sum(len(events) for events in self._buffered[source])

    @property
    def has_any(self) -> bool:
        """Whether any event is buffered."""
        return any(self._buffered)

    def rows(self) -> Iterator[int]:
        """Yield the row of the borrower of each event that is buffered."""
        for source in self._buffered:
            for events in source:
                yield from events["row"].tolist()

    def time_after(self, count: int) -> int:
        """Return the merge time (ms) before which at most ``count`` events are buffered, ``NEVER`` where there are no
        more.

        It is later than the first event, so that a step up to it releases something; events of one merge time are
        released together.
        """
        times: list[Integers] = []
        for source in range(SOURCES):
            room = count + 1
            for events in self._buffered[source]:
                times.append(events["merge_time"][:room])
                room -= len(times[-1])
        merged = np.concatenate(times) if times else np.zeros(0, np.int64)
        if len(merged) <= count:
            return NEVER
        return int(max(np.partition(merged, count)[count], merged.min() + 1))

    def release(self, until_ms: int, *, inclusive: bool) -> Events:
        """Remove the events before ``until_ms`` (also at it, if ``inclusive``) and return them merged."""
        released: list[Events] = []
        starts = np.zeros(SOURCES + 1, np.int64)
        side = "right" if inclusive else "left"
        for source, progress in enumerate(self._watermark.sources):
            rest: list[Events] = []
            for events in self._buffered[source]:
                split = int(np.searchsorted(events["merge_time"], until_ms, side=side))  # type: ignore[call-overload]
                if split:
                    released.append(events[:split])
                    progress.folded_ms = max(progress.folded_ms, int(events["merge_time"][split - 1]))
                    self.next_offset[source] = events["offset"][split - 1] + 1
                if split < len(events):
                    rest.append(events[split:])
            self._buffered[source] = rest
            starts[source + 1] = sum(map(len, released))
        if not released:
            return np.zeros(0, EVENT)
        merged: Events = np.empty(starts[-1], EVENT)
        return merged[: merge(np.concatenate(released), starts, self._watermark.reached_ms, merged)]
