"""Publishing at a multiple of real time."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator

from loanpulse.city.published import Published

Clock = Callable[[], float]
Sleep = Callable[[float], None]

LONGEST_NAP_SECONDS = 0.2


def paced(
    events: Iterable[Published],
    multiple: float | None,
    *,
    from_ms: int | None = None,
    clock: Clock = time.monotonic,
    sleep: Sleep = time.sleep,
    should_stop: Callable[[], bool] = lambda: False,
) -> Iterator[Published]:
    """Yield ``events`` at ``multiple`` times real time; None is as fast as they are taken.

    Those before ``from_ms`` (publication time) are history and come without waiting. ``clock`` is in seconds.
    """
    begun: float | None = None
    origin = 0
    for published in events:
        if multiple is not None and (from_ms is None or published.at_ms >= from_ms):
            if begun is None:
                begun, origin = clock(), published.at_ms
            due = begun + (published.at_ms - origin) / 1000 / multiple
            while (rest := due - clock()) > 0 and not should_stop():
                sleep(min(rest, LONGEST_NAP_SECONDS))
        if should_stop():
            return
        yield published
