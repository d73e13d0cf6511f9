"""A log file to records by source and partition, as the broker would have handed them out, mostly without objects.

Plain lines are read to columns at once; any other is read by ``lines.py`` and encoded, and takes its place among them.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from loanpulse.schemas.arrays import Int64s
from loanpulse.schemas.codec import Codec, CodecError
from loanpulse.schemas.columns import Columns
from loanpulse.schemas.decoder import ColumnDecoder
from loanpulse.schemas.json_columns import JsonReader, Lines, Read
from loanpulse.schemas.json_values import BROKEN
from loanpulse.schemas.lines import EventLine, LineError, parse_line
from loanpulse.schemas.partitioning import partitions_of
from loanpulse.schemas.registry import SchemaRegistry
from loanpulse.schemas.sources import EVENT_CONTRACTS
from loanpulse.schemas.spans import NO_TEXT, Spans
from loanpulse.schemas.topics import EVENT_TOPICS

PIECE_BYTES = 4 << 20


@dataclass(frozen=True, slots=True)
class Records:
    """Records of one source's partition in the order of the file, with the numbers of their lines."""

    source: int
    partition: int
    timestamps: Int64s
    keys: Spans
    values: Columns
    numbers: Int64s


@dataclass(slots=True)
class Piece:
    """What a piece of a file holds."""

    records: list[Records] = field(default_factory=list)
    wrong: list[LineError] = field(default_factory=list)


class EventLog:
    """Reads log files for a deployment of so many ``partitions``."""

    def __init__(self, codec: Codec, registry: SchemaRegistry, partitions: int) -> None:
        self._codec = codec
        self._partitions = partitions
        self._reader = JsonReader(EVENT_TOPICS, EVENT_CONTRACTS)
        self._decoders = [ColumnDecoder(contract, registry) for contract in EVENT_CONTRACTS]

    def pieces(self, path: Path) -> Iterator[Piece]:
        """Yield a file piece by piece; raises OSError where it can't be read."""
        first = 1
        for text in whole_lines(path):
            lines = self._reader.lines(text)
            yield self._piece(lines, first)
            first += len(lines)

    def piece_of(self, lines: Sequence[EventLine]) -> Piece:
        """Return lines that were made elsewhere; raises CodecError where a value does not fit."""
        piece = Piece()
        for source, topic in enumerate(EVENT_TOPICS):
            own = [line for line in lines if line.topic == topic]
            if own:
                pairs = [line.record(self._codec) for line in own]
                columns = self._decoders[source].decode([body for _, body in pairs])
                stamps = np.array([line.timestamp_ms for line in own], np.int64)
                numbers = np.array([line.number for line in own], np.int64)
                keys = Spans.of([key for key, _ in pairs])
                self._split(piece, source, np.arange(len(own)), columns, keys, stamps, numbers)
        return piece

    def _piece(self, lines: Lines, first: int) -> Piece:
        piece = Piece()
        parsed: dict[int, EventLine] = {}
        sources = lines.topics.copy()
        for line in np.flatnonzero(sources == BROKEN).tolist():
            found = self._parse(lines, line, first, piece)
            if found is not None and found.topic in EVENT_TOPICS:
                parsed[line] = found
                sources[line] = EVENT_TOPICS.index(found.topic)
        for source in range(len(EVENT_TOPICS)):
            chosen = np.flatnonzero(sources == source)
            if len(chosen):
                read = self._reader.read(lines, source, chosen)
                for row in np.flatnonzero(~read.plain).tolist():
                    line = int(chosen[row])
                    found = parsed.get(line) or self._parse(lines, line, first, piece)
                    if found is not None:
                        parsed[line] = found
                self._add(piece, source, chosen, read, parsed, first)
        return piece

    def _parse(self, lines: Lines, line: int, first: int, piece: Piece) -> EventLine | None:
        text = lines.text(line)
        if not text.strip():
            return None
        found = parse_line(first + line, text)
        if isinstance(found, LineError):
            piece.wrong.append(found)
            return None
        return found

    def _add(
        self, piece: Piece, source: int, chosen: Int64s, read: Read, parsed: dict[int, EventLine], first: int
    ) -> None:
        columns, stamps = read.columns, read.stamps
        borrower = columns.layout.columns["borrower_id"].place
        keys = Spans(columns.data, columns.starts[:, borrower].copy(), columns.lengths[:, borrower].copy())
        kept = read.plain.copy()
        tail = bytearray()
        bodies = Spans(columns.data, np.zeros(len(chosen), np.int64), np.full(len(chosen), NO_TEXT, np.int64))
        for row in np.flatnonzero(~read.plain).tolist():
            line = parsed.get(int(chosen[row]))
            if line is None:
                continue
            try:
                key, body = line.record(self._codec)
            except CodecError as error:
                piece.wrong.append(LineError(line.number, "value", error.message, error.code.name))
                continue
            kept[row] = True
            stamps[row] = line.timestamp_ms
            for spans, text in ((keys, key), (bodies, body)):
                spans.starts[row], spans.lengths[row] = len(columns.data) + len(tail), len(text)
                tail += text
        if tail:
            data = np.concatenate([columns.data, np.frombuffer(bytes(tail), np.uint8)])
            columns, keys, bodies = replace(columns, data=data), replace(keys, data=data), replace(bodies, data=data)
            self._decoders[source].decode_into(columns, bodies, kept & ~read.plain)
        self._split(piece, source, np.flatnonzero(kept), columns, keys, stamps, chosen + first)

    def _split(
        self, piece: Piece, source: int, rows: Int64s, columns: Columns, keys: Spans, stamps: Int64s, numbers: Int64s
    ) -> None:
        partitions = np.zeros(len(rows), np.int64)
        partitions_of(keys.data, keys.starts[rows], keys.lengths[rows], self._partitions, partitions)
        for partition in np.unique(partitions).tolist():
            own = rows[partitions == partition]
            piece.records.append(
                Records(
                    source,
                    partition,
                    stamps[own],
                    Spans(keys.data, keys.starts[own], keys.lengths[own]),
                    columns.rows(own),
                    numbers[own],
                )
            )


def whole_lines(path: Path) -> Iterator[bytes]:
    """Yield a file in pieces that end with a line; a last line without an end gets one."""
    rest = b""
    with path.open("rb") as file:
        while block := file.read(PIECE_BYTES):
            cut = block.rfind(b"\n") + 1
            if cut:
                yield rest + block[:cut]
                rest = block[cut:]
            else:
                rest += block
    if rest:
        yield rest + b"\n"
