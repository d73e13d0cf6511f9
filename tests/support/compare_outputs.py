"""What replay says of a log, what the stream said of it on its topics, and how the two differ."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from loanpulse.city.published import Published
from loanpulse.schemas import json_form
from loanpulse.schemas.topics import LIQUIDITY_ALERTS, LIQUIDITY_SNAPSHOTS
from loanpulse.settings import Settings
from tests.support import sample_logs
from tests.support.processes import IDENTITIES, Reader

Identified = dict[str, dict[str, Any]]

SHOWN = 3


@dataclass(frozen=True, slots=True)
class Said:
    """Snapshots and alerts by their ids."""

    snapshots: Identified
    alerts: Identified

    @property
    def ids(self) -> dict[str, set[str]]:
        return {LIQUIDITY_SNAPSHOTS: set(self.snapshots), LIQUIDITY_ALERTS: set(self.alerts)}


def by_replay(settings: Settings, folder: Path, records: tuple[Published, ...], directives: Path | None = None) -> Said:
    """What a replay of the log writes, under the configuration of a deployment."""
    _, alerts, snapshots = sample_logs.replayed(settings, folder, records, directives)
    return of_files(snapshots, alerts)


def of_files(snapshots: Path, alerts: Path) -> Said:
    """What a replay has written."""
    return Said(_lines(snapshots, LIQUIDITY_SNAPSHOTS), _lines(alerts, LIQUIDITY_ALERTS))


def by_the_stream(reader: Reader) -> Said:
    """What was read from the topics; the same id must always have the same content."""
    return Said(_streamed(reader, LIQUIDITY_SNAPSHOTS), _streamed(reader, LIQUIDITY_ALERTS))


def check_equal(reader: Reader, expected: Said) -> int:
    """Compare all that the stream said with what replay says of the log; returns how many messages were doubled."""
    said = by_the_stream(reader)
    assert len(expected.alerts) > 20
    # After the log's end the stream's time goes on, and may bring scorings that replay has not come to.
    end = max(value["event_time"] for value in expected.snapshots.values())
    for found, wanted in ((said.snapshots, expected.snapshots), (said.alerts, expected.alerts)):
        within = {identity: value for identity, value in found.items() if value["event_time"] <= end}
        wrong = difference(within, wanted)
        assert not wrong, wrong
    return len(reader.messages[LIQUIDITY_SNAPSHOTS]) - len(said.snapshots)


def difference(found: Identified, wanted: Identified) -> str:
    """Tell shortly how what was found differs from what was wanted; empty where it does not."""
    told = []
    for name, ids in (("missing", wanted.keys() - found.keys()), ("too much", found.keys() - wanted.keys())):
        if ids:
            told.append(f"{len(ids)} of {len(wanted)} {name}, such as {sorted(ids)[:SHOWN]}")
    other = [identity for identity in found.keys() & wanted.keys() if found[identity] != wanted[identity]]
    for identity in sorted(other)[:SHOWN]:
        one, two = found[identity], wanted[identity]
        fields = {key: (one.get(key), two.get(key)) for key in one.keys() | two.keys() if one.get(key) != two.get(key)}
        told.append(f"{len(other)} differ, such as {identity} (found, wanted): {fields}")
    return "; ".join(told)


def _lines(file: Path, topic: str) -> Identified:
    values = [json.loads(line)["value"] for line in file.read_text().splitlines()]
    found = {value[IDENTITIES[topic]]: value for value in values}
    assert len(found) == len(values), "replay never says anything twice"
    return found


def _streamed(reader: Reader, topic: str) -> Identified:
    found: Identified = {}
    for value in reader.values(topic):
        as_json = json.loads(json.dumps(json_form.to_json(topic, value)))
        known = found.setdefault(value[IDENTITIES[topic]], as_json)
        assert known is as_json or known == as_json, "the same id must never mean two things"
    return found
