"""How far one partition's event time may go: the watermark, idle sources, and event time that follows the wall clock.

A source's watermark is the latest event time among the records it has delivered. The partition may process events up to
the lowest watermark of its active sources. A source is idle when it has delivered nothing for a while and the broker
has no more; an idle source is not waited for. When all are idle, event time follows the wall clock.

All rules are pure: the caller passes the clocks in. ``now_s`` is a clock that never jumps, in seconds; ``wall_ms`` is
the wall clock, in milliseconds since 1970.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from loanpulse.schemas.sources import SOURCES
from loanpulse.streams.record.layout import LONG_AGO

Idle = tuple[bool, ...]
"""For each source, whether it is idle."""
NONE_IDLE: Idle = (False,) * SOURCES
"""Every source is waited for, as in a replay."""
CaughtUp = Callable[[int, int], bool]
"""Given a source and the offset after the last record delivered, returns whether the broker has no more."""


@dataclass(slots=True)
class SourceProgress:
    """How far one source has come: in event time (ms) of what was offered and of what was folded, and in offsets.

    ``next_offset`` follows the last record delivered, ``last_data_s`` is when that was.
    """

    offered_ms: int = LONG_AGO
    folded_ms: int = LONG_AGO
    next_offset: int = -1
    last_data_s: float = 0.0

    @property
    def watermark_ms(self) -> int:
        """The latest event time delivered, ``LONG_AGO`` before the first event."""
        return max(self.offered_ms, self.folded_ms)


@dataclass(frozen=True, slots=True)
class PartitionClock:
    """Event time while no data arrives: it was ``event_ms`` when the wall clock was ``wall_ms``."""

    event_ms: int
    wall_ms: int

    def event_time_ms(self, wall_ms: int) -> int:
        """Return the event time that corresponds to a later wall clock."""
        return self.event_ms + max(0, wall_ms - self.wall_ms)


@dataclass(slots=True)
class Watermark:
    """The event time ``reached_ms`` up to which a partition is folded and scored, and how far it may go.

    ``clock`` is None until the partition has had an event. ``active_since_s`` is when data last arrived after a time in
    which all sources were silent.
    """

    reached_ms: int = LONG_AGO
    sources: tuple[SourceProgress, ...] = field(default_factory=lambda: tuple(SourceProgress() for _ in range(SOURCES)))
    clock: PartitionClock | None = None
    active_since_s: float | None = None

    def max_ms(self) -> int:
        """Return the highest watermark of any source, ``LONG_AGO`` before the first event."""
        return max(source.watermark_ms for source in self.sources)

    def start(self, now_s: float) -> None:
        """Give every source the time after which it is idle, beginning now."""
        for source in self.sources:
            source.next_offset, source.last_data_s = -1, now_s

    def note_data(self, source: int, next_offset: int, *, now_s: float, wall_ms: int, idle_after_s: float) -> None:
        """Note that a source has just delivered records up to before ``next_offset``, which are offered already."""
        if now_s - max(one.last_data_s for one in self.sources) >= idle_after_s:
            self.active_since_s = now_s
        progress = self.sources[source]
        progress.next_offset, progress.last_data_s = next_offset, now_s
        if self.max_ms() > 0:
            self.clock = PartitionClock(max(self.max_ms(), self.reached_ms), wall_ms)

    def idle_sources(self, now_s: float, idle_after_s: float, caught_up: CaughtUp) -> Idle:
        """Return which sources are idle: silent for ``idle_after_s``, and the broker has no more.

        When a silent partition becomes active again, all its sources get this time anew, because records that were
        published together may arrive apart.
        """
        return tuple(
            self._is_silent(progress, now_s, idle_after_s) and caught_up(source, progress.next_offset)
            for source, progress in enumerate(self.sources)
        )

    def _is_silent(self, progress: SourceProgress, now_s: float, idle_after_s: float) -> bool:
        since_s = progress.last_data_s
        if self.active_since_s is not None:
            since_s = max(since_s, self.active_since_s)
        return now_s - since_s >= idle_after_s

    def is_ahead(self, source: int, idle: Idle) -> bool:
        """Return whether a source is ahead of another that is active; only then may it be paused (I6).

        A source that others wait for must never be paused, however many of its events are buffered: after one event
        with a fast clock all its later events wait, and the partition would deadlock.
        """
        own_ms = self.sources[source].watermark_ms
        return any(
            other != source and progress.watermark_ms < own_ms and not idle[other]
            for other, progress in enumerate(self.sources)
        )

    def safe_until(self, idle: Idle = NONE_IDLE, wall_ms: int | None = None) -> int:
        """Return the event time (ms) before which all events have been delivered.

        This is the lowest watermark of the sources that are not idle. With all idle it is the highest, or the event
        time that corresponds to ``wall_ms`` where that is given and later. It never goes back.
        """
        active = [one.watermark_ms for one, is_idle in zip(self.sources, idle, strict=True) if not is_idle]
        if active:
            return max(min(active), self.reached_ms)
        by_clock = LONG_AGO if self.clock is None or wall_ms is None else self.clock.event_time_ms(wall_ms)
        return max(self.max_ms(), by_clock, self.reached_ms)
