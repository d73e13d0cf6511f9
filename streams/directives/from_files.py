"""Directives in a replay's files: read before the first event, as a worker reads its control topics first."""

import mmap
from collections.abc import Iterable, Iterator
from pathlib import Path

from loanpulse.schemas.codec import Codec, CodecError
from loanpulse.schemas.lines import EventLine, LineError, parse_line
from loanpulse.streams.directives.directives import DirectiveError, Directives

CHUNK = 1 << 24


def directive_lines(path: Path, topics: Iterable[str]) -> Iterator[EventLine | LineError]:
    """Yield the lines of a file that are of one of ``topics``; lines that only quote a topic's name are skipped.

    The file is searched, not parsed: for a log of millions of events the time is negligible.

    Raises:
        OSError: the file can't be read.
    """
    with path.open("rb") as file:
        if not path.is_file() or not path.stat().st_size:
            return
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
            starts = sorted({start for topic in topics for start in _starts(content, f'"{topic}"'.encode())})
            number, counted = 1, 0
            for start in starts:
                end = content.find(b"\n", start)
                number += _lines_between(content, counted, start)
                counted = start
                line = parse_line(number, content[start : end if end >= 0 else len(content)])
                if isinstance(line, LineError) or line.topic in topics:
                    yield line


def _lines_between(content: mmap.mmap, start: int, end: int) -> int:
    return sum(content[at : min(at + CHUNK, end)].count(b"\n") for at in range(start, end, CHUNK))


def _starts(content: mmap.mmap, needle: bytes) -> Iterator[int]:
    """Yield where each line begins that holds ``needle``."""
    found = content.find(needle)
    while found >= 0:
        yield content.rfind(b"\n", 0, found) + 1
        end = content.find(b"\n", found)
        if end < 0:
            return
        found = content.find(needle, end)


def add_line(directives: Directives, line: EventLine, codec: Codec) -> tuple[str, str] | None:
    """Add a line of a control topic to ``directives``; returns the code and reason where it can't be applied."""
    try:
        # Through the codec and back: a directive's identity is the hash of its whole value, defaults included.
        raw = line.raw if line.value is None else codec.encode(line.topic, line.value)
        directives.add(line.topic, codec.decode(line.topic, raw))
    except CodecError as error:
        return error.code.name, error.message
    except DirectiveError as error:
        return "ORDER_INVALID", str(error)
    return None
