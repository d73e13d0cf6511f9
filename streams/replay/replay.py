"""The same core over files: a lender's log in, the alerts and snapshots that the stream would have published.

Records are put into partitions by their key exactly as Kafka's clients do, and go through the same partitions, so that
ids and contents are the stream's own. No broker, no wall clock: no source is ever idle.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import orjson

from loanpulse.schemas import json_form
from loanpulse.schemas.codec import Codec
from loanpulse.schemas.lines import EventLine, LineError, read_lines
from loanpulse.schemas.registry import SchemaRegistry
from loanpulse.schemas.topics import LIQUIDITY_ALERTS, LIQUIDITY_SNAPSHOTS
from loanpulse.streams.alerts.scored import Scored
from loanpulse.streams.alerts.snapshots import SnapshotEncoder
from loanpulse.streams.directives.directives import DirectiveKind, Directives
from loanpulse.streams.directives.from_files import add_line, directive_lines
from loanpulse.streams.directives.kinds import DIRECTIVE_KINDS
from loanpulse.streams.engine.decode import RecordBatch
from loanpulse.streams.engine.engine import Engine, EngineOptions
from loanpulse.streams.policy.policy_file import Policy
from loanpulse.streams.replay.log_files import EventLog, Piece

Progress = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class RefusedLine:
    """A line that the stream would have dead-lettered: its file and number, the code, and why."""

    file: str
    line: int
    code: str
    reason: str


@dataclass(slots=True)
class ReplayReport:
    """What a replay did."""

    events: int = 0
    snapshots: int = 0
    alerts: int = 0
    refused: list[RefusedLine] = field(default_factory=list)


@dataclass(slots=True)
class Replay:
    """Drives an engine from a log. Whoever reads the scorings releases them afterwards."""

    engine: Engine
    codec: Codec
    report: ReplayReport = field(default_factory=ReplayReport)
    _offsets: dict[tuple[int, int], int] = field(default_factory=lambda: defaultdict(int))

    def read_directives(self, paths: Sequence[Path], file: Path | None) -> None:
        """Add the directives among the lines of ``paths``, and all lines of ``file``."""
        topics = self.engine.directives.topics
        found = [
            (path, line) for path in paths for line in directive_lines(path, topics) if isinstance(line, EventLine)
        ]
        for line in read_lines(file) if file else ():
            if isinstance(line, LineError):
                self.refuse(str(file), line.number, line.code, line.message)
            elif line.topic not in topics:
                self.refuse(str(file), line.number, "ORDER_INVALID", f"topic is none of {', '.join(topics)}")
            else:
                found.append((file or Path(), line))
        for path, line in found:
            wrong = add_line(self.engine.directives, line, self.codec)
            if wrong is not None:
                self.refuse(str(path), line.number, *wrong)

    def offer(self, file: str, piece: Piece) -> None:
        """Offer the records of a piece of a file to their partitions."""
        for wrong in piece.wrong:
            self.refuse(file, wrong.number, wrong.code, wrong.message)
        for records in piece.records:
            first = self._offsets[records.source, records.partition]
            count = len(records.numbers)
            self._offsets[records.source, records.partition] = first + count
            offsets = np.arange(first, first + count, dtype=np.int64)
            batch = RecordBatch(
                records.source, records.partition, offsets, records.timestamps, records.keys, records.values
            )
            refused = self.engine.offer(batch)
            self.report.events += count - len(refused)
            for one in refused:
                self.refuse(file, int(records.numbers[one.index]), one.violation.name, one.violation.sentence)

    def advance(self) -> Iterator[Scored]:
        """Advance each partition to the lowest watermark of its sources."""
        for partition in self.engine.partitions.values():
            yield from partition.advance(partition.watermark.safe_until())

    def finish(self, at_ms: int | None) -> Iterator[Scored]:
        """Advance each partition to the end: to ``at_ms``, or until all its events have been scored."""
        interval_ms = int(self.engine.policy.parameters["interval_ms"])
        for partition in self.engine.partitions.values():
            end_ms = (partition.watermark.max_ms() // interval_ms + 1) * interval_ms if at_ms is None else at_ms
            yield from partition.advance(end_ms, inclusive=True)

    def refuse(self, file: str, line: int, code: str, reason: str) -> None:
        """Note a line that is refused."""
        self.report.refused.append(RefusedLine(file, line, code, reason))


@dataclass(slots=True)
class Writer:
    """Writes scorings as JSON Lines: alerts and snapshots in the form of ``loanpulse publish``."""

    engine: Engine
    codec: Codec
    report: ReplayReport
    alerts: BinaryIO | None
    snapshots: BinaryIO | None
    _encoder: SnapshotEncoder = field(init=False)

    def __post_init__(self) -> None:
        self._encoder = SnapshotEncoder(self.codec.schema_id(LIQUIDITY_SNAPSHOTS))

    def write(self, scored: Scored) -> None:
        """Write the alerts and snapshots of scorings, and release them."""
        for alert in self.engine.partition(scored.partition).alerts(scored):
            self.report.alerts += 1
            if self.alerts is not None:
                _write(self.alerts, LIQUIDITY_ALERTS, self._as_decoded(alert))
        self.report.snapshots += len(scored)
        if self.snapshots is not None:
            # Through the encoder and back, so that a replayed snapshot is, to the byte, what a subscriber decodes.
            for value in self._encoder.encode(
                scored.scores, scored.keys, scored.ids, scored.model_version, scored.policy.version
            ):
                _write(self.snapshots, LIQUIDITY_SNAPSHOTS, self.codec.decode(LIQUIDITY_SNAPSHOTS, value))
        scored.release()

    def _as_decoded(self, alert: dict[str, Any]) -> dict[str, Any]:
        """Return an alert as a subscriber decodes it, defaults filled in."""
        return self.codec.decode(LIQUIDITY_ALERTS, self.codec.encode(LIQUIDITY_ALERTS, alert))


def _write(file: BinaryIO, topic: str, value: dict[str, Any]) -> None:
    file.write(orjson.dumps({"topic": topic, "value": json_form.to_json(topic, value)}) + b"\n")


def replay_files(
    paths: Sequence[Path],
    *,
    options: EngineOptions,
    policy: Policy,
    registry: SchemaRegistry,
    directives: Path | None = None,
    kinds: Sequence[DirectiveKind] = DIRECTIVE_KINDS,
    alerts: Path | None = None,
    snapshots: Path | None = None,
    at_ms: int | None = None,
    progress: Progress = lambda events: None,
) -> ReplayReport:
    """Replay JSON Lines files and write what the stream would have published.

    The files are read in the order given, each from top to bottom; per topic that is the order of publication.
    Directives (lines of the control topics) may be anywhere in these files or in ``directives``; they take effect at
    their own event time. ``kinds`` are the kinds that are applied. ``at_ms`` is the event time to which borrowers are
    advanced; without it, replay ends when all events are scored.

    Raises:
        OSError: a file can't be read or written.
    """
    codec = Codec(registry)
    engine = Engine(options, policy, registry, Directives(kinds))
    replay = Replay(engine, codec)
    with ExitStack() as files:
        writer = Writer(
            engine,
            codec,
            replay.report,
            files.enter_context(alerts.open("wb")) if alerts else None,
            files.enter_context(snapshots.open("wb")) if snapshots else None,
        )
        replay.read_directives(paths, directives)
        log = EventLog(codec, registry, options.partitions)
        for path in paths:
            for piece in log.pieces(path):
                replay.offer(str(path), piece)
                for scored in replay.advance():
                    writer.write(scored)
                progress(replay.report.events)
        for scored in replay.finish(at_ms):
            writer.write(scored)
        progress(replay.report.events)
    return replay.report
