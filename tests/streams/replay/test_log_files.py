"""A log file to records: every line once, in order, plain or not, with what is wrong told by its number."""

import json
from pathlib import Path

import pytest

from loanpulse.schemas.codec import Codec
from loanpulse.schemas.decoder import ColumnDecoder
from loanpulse.schemas.lines import EventLine, LineError, read_lines
from loanpulse.schemas.partitioning import partition_of
from loanpulse.schemas.registry import LocalRegistry
from loanpulse.schemas.sources import EVENT_CONTRACTS
from loanpulse.schemas.topics import EVENT_TOPICS
from loanpulse.streams.replay import log_files
from loanpulse.streams.replay.log_files import EventLog
from tests.support import sample_logs

REGISTRY = LocalRegistry()
CODEC = Codec(REGISTRY)
PARTITIONS = 3


def mixed_log(folder: Path) -> Path:
    """A flawed city's log with lines among it that are unusual, wrong, empty, or of other topics."""
    file = sample_logs.write(folder / "log.jsonl", sample_logs.city(6, 30, 4, flawed=True))
    lines = file.read_text().splitlines()
    assert any('"raw"' in line for line in lines)
    first = json.loads(next(line for line in lines if '"value"' in line))
    lines[3:3] = ["", "no JSON", json.dumps({"value": first["value"], "topic": first["topic"], "key": "elsewhere"})]
    lines[40:40] = [json.dumps({"topic": first["topic"], "value": {**first["value"], "more": 1}}), '{"topic":"other"}']
    lines[90] += "\r"
    file.write_bytes("\n".join(lines).encode())
    return file


@pytest.mark.parametrize("piece_bytes", [700, 20_000, 1 << 20])
def test_every_line_is_there_once_as_the_slow_way_gives_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, piece_bytes: int
) -> None:
    monkeypatch.setattr(log_files, "PIECE_BYTES", piece_bytes)
    file = mixed_log(tmp_path)
    expected: dict[tuple[int, int], list[tuple[int, bytes, int, str]]] = {}
    wrong = set()
    decoders = [ColumnDecoder(contract, REGISTRY) for contract in EVENT_CONTRACTS]
    for line in read_lines(file):
        if isinstance(line, LineError):
            wrong.add((line.number, line.field, line.code))
            continue
        assert isinstance(line, EventLine)
        key, body = line.record(CODEC)
        source = EVENT_TOPICS.index(line.topic)
        columns = decoders[source].decode([body])
        row = (line.number, key, line.timestamp_ms, repr((columns.errors[0], columns.integers[0], columns.present[0])))
        expected.setdefault((source, partition_of(key, PARTITIONS)), []).append(row)
    found: dict[tuple[int, int], list[tuple[int, bytes, int, str]]] = {}
    told = set()
    for piece in EventLog(CODEC, REGISTRY, PARTITIONS).pieces(file):
        told |= {(error.number, error.field, error.code) for error in piece.wrong}
        for records in piece.records:
            columns = records.values
            for row, number in enumerate(records.numbers.tolist()):
                what = repr((columns.errors[row], columns.integers[row], columns.present[row]))
                place = (number, records.keys[row] or b"", int(records.timestamps[row]), what)
                found.setdefault((records.source, records.partition), []).append(place)
    assert told == wrong
    assert len(wrong) >= 3
    assert found == expected
