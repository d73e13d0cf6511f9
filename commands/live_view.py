"""The demo's live view: it reads topics like any subscriber, never the workers' memory."""

import threading
import time
import uuid
from collections import Counter, deque
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from confluent_kafka import Consumer, TopicPartition
from rich import box
from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from loanpulse.commands.alerts import LEVEL_STYLE, line_of
from loanpulse.commands.supervisor import Child
from loanpulse.schemas.codec import Codec, CodecError
from loanpulse.schemas.confluent_registry import open_registry
from loanpulse.schemas.contracts import Contract, Level
from loanpulse.schemas.decoder import ColumnDecoder
from loanpulse.schemas.topics import DEAD_LETTERS, EVENT_TOPICS, LIQUIDITY_ALERTS, LIQUIDITY_SNAPSHOTS
from loanpulse.settings import Settings
from loanpulse.settings.broker import consumer_properties

EARLIEST = -2
FETCHED_AT_ONCE = 5_000
POLL_SECONDS = 0.1
ALERTS_SHOWN = 8
BAR_WIDTH = 30
RATE_SECONDS = 3.0
LEVELS = [level.name for level in Level if level is not Level.UNKNOWN]


class LiveView:
    """Counts events and keeps each borrower's level and the newest alerts; reads in its own thread."""

    def __init__(self, settings: Settings, config_file: Path) -> None:
        self._settings = settings
        self._config_file = config_file
        self._registry = open_registry(settings.registry)
        self._codec = Codec(self._registry)
        self._snapshots = ColumnDecoder(Contract.LIQUIDITY_SNAPSHOT, self._registry)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._read, name="live-view", daemon=True)
        self.began = time.monotonic()
        self.levels: dict[bytes, int] = {}
        self.alerts: deque[dict[str, Any]] = deque(maxlen=ALERTS_SHOWN)
        self.counts: Counter[str] = Counter()
        self.first_alert_after: float | None = None
        self._rates: deque[tuple[float, int]] = deque()

    def start(self) -> None:
        """Start the reading thread."""
        self._thread.start()

    def stop(self) -> None:
        """Stop the reading thread."""
        self._stop.set()
        self._thread.join(5.0)

    def _read(self) -> None:
        consumer = Consumer(consumer_properties(self._settings, f"loanpulse-view-{uuid.uuid4().hex[:8]}"))
        topics = (*EVENT_TOPICS, LIQUIDITY_SNAPSHOTS, LIQUIDITY_ALERTS, DEAD_LETTERS)
        partitions = range(self._settings.topics.partitions)
        consumer.assign([TopicPartition(topic, partition, EARLIEST) for topic in topics for partition in partitions])
        while not self._stop.is_set():
            self._add([m for m in consumer.consume(FETCHED_AT_ONCE, POLL_SECONDS) if m.error() is None])
        consumer.close()

    def _add(self, messages: Sequence[Any]) -> None:
        for message in messages:
            self.counts[message.topic()] += 1
        snapshots = [message for message in messages if message.topic() == LIQUIDITY_SNAPSHOTS]
        if snapshots:
            columns = self._snapshots.decode([message.value() for message in snapshots])
            for message, level in zip(snapshots, columns.integer("level").tolist(), strict=True):
                self.levels[message.key()] = level
        for message in messages:
            if message.topic() == LIQUIDITY_ALERTS:
                self._add_alert(message)

    def _add_alert(self, message: Any) -> None:
        try:
            self.alerts.appendleft(self._codec.decode(LIQUIDITY_ALERTS, message.value()))
        except CodecError:
            return
        if self.first_alert_after is None:
            self.first_alert_after = time.monotonic() - self.began

    @property
    def events(self) -> int:
        """The number of events published so far."""
        return sum(self.counts[topic] for topic in EVENT_TOPICS)

    def events_per_second(self) -> float:
        """The rate over the last ``RATE_SECONDS``."""
        now = time.monotonic()
        self._rates.append((now, self.events))
        while len(self._rates) > 2 and now - self._rates[0][0] > RATE_SECONDS:
            self._rates.popleft()
        began, before = self._rates[0]
        return (self.events - before) / (now - began) if now > began else 0.0

    def render(self, children: Sequence[Child]) -> RenderableType:
        """Return the current view."""
        return Group(
            self._head(children),
            Panel(self._portfolio(), title="borrowers by level", title_align="left", box=box.ROUNDED),
            Panel(self._newest(), title="newest alerts", title_align="left", box=box.ROUNDED),
            self._hints(),
        )

    def _head(self, children: Sequence[Child]) -> Text:
        text = Text()
        text.append("Loanpulse demo ", style="bold")
        text.append(f"{time.monotonic() - self.began:5.0f} s   ")
        text.append(f"{self.events:,} events  {self.events_per_second():,.0f} events/s   ")
        text.append(f"{self.counts[LIQUIDITY_SNAPSHOTS]:,} scorings  {self.counts[LIQUIDITY_ALERTS]:,} alerts  ")
        text.append(f"{self.counts[DEAD_LETTERS]:,} refused   ")
        for one in children:
            text.append(f"{one.name} ", style="dim")
            text.append(f"{one.state} ", style="green" if one.state != "starting" else "yellow")
        return text

    def _portfolio(self) -> RenderableType:
        if not self.levels:
            return Text("waiting for the first scoring (the first run on a machine compiles for some seconds) …")
        found = Counter(tuple(self.levels.values()))
        table = Table(box=None, show_header=False, pad_edge=False)
        for number, name in enumerate(LEVELS):
            count = found[number]
            bar = "█" * round(BAR_WIDTH * count / len(self.levels))
            table.add_row(Text(name, style=LEVEL_STYLE[name]), Text(bar, style=LEVEL_STYLE[name]), f"{count:,}")
        return table

    def _newest(self) -> RenderableType:
        if not self.alerts:
            return Text("none yet")
        lines = [line_of(alert) for alert in tuple(self.alerts)]
        for line in lines:
            line.no_wrap, line.overflow = True, "ellipsis"
        return Group(*lines)

    def _hints(self) -> Text:
        text = Text("In another terminal: ", style="dim")
        text.append(f"export LOANPULSE_CONFIG={self._config_file}\n", style="bold")
        text.append("  loanpulse query portfolio-now  ·  loanpulse query alerts-newest  ·  loanpulse query\n")
        text.append("  loanpulse alerts tail  ·  loanpulse doctor", style="")
        text.append("        Ctrl-C stops", style="dim")
        return text


def plain_summary(view: LiveView) -> str:
    """Return one line, for output without a terminal."""
    found = Counter(tuple(view.levels.values()))
    levels = " ".join(f"{name} {found[number]}" for number, name in enumerate(LEVELS))
    newest = line_of(view.alerts[0]).plain if view.alerts else "none yet"
    return (
        f"{time.monotonic() - view.began:5.0f} s  {view.events:,} events ({view.events_per_second():,.0f}/s)  "
        f"{view.counts[LIQUIDITY_ALERTS]:,} alerts  {levels}  newest: {newest}"
    )
