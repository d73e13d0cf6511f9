"""Publishing at a multiple of real time."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator

from loanpulse.city.published import Published

Clock = Callable[[], float]
Sleep = Callable[[float], None]

MAX_SLEEP_SECONDS = 0.2


def throttled(
    events: Iterable[Published],
    multiple: float | None,
    *,
    from_ms: int | None = None,
    clock: Clock = time.monotonic,
    sleep: Sleep = time.sleep,
    should_stop: Callable[[], bool] = lambda: False,
) -> Iterator[Published]:
    """Yield ``events`` at ``multiple`` times real time; None means without waiting.

    Events published before ``from_ms`` are history and are yielded without waiting. ``clock`` is in seconds.
    """
    began: float | None = None
    first_ms = 0
    for published in events:
        if multiple is not None and (from_ms is None or published.at_ms >= from_ms):
            if began is None:
                began, first_ms = clock(), published.at_ms
            due = began + (published.at_ms - first_ms) / 1000 / multiple
            while (rest := due - clock()) > 0 and not should_stop():
                sleep(min(rest, MAX_SLEEP_SECONDS))
        if should_stop():
            return
        yield published
