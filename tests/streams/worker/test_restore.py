"""A worker restored from a checkpoint that was cut short decides about alerts as the one before it did."""

from collections import Counter, defaultdict
from typing import Any

import numpy as np
import pytest

from loanpulse.city.writers import encoded
from loanpulse.schemas.codec import Codec
from loanpulse.schemas.registry import LocalRegistry
from loanpulse.schemas.spans import Spans
from loanpulse.schemas.topics import EVENT_TOPICS, LIQUIDITY_ALERTS
from loanpulse.streams.engine.engine import Engine, EngineOptions
from loanpulse.streams.faust_kafka.record_batches import FetchedRecords
from loanpulse.streams.partition.changelog import BUDGETS_KEY
from loanpulse.streams.policy import policy_file
from loanpulse.streams.worker.checkpoint import Checkpoint
from loanpulse.streams.worker.worker import BorrowerWorker
from tests.support import sample_logs

REGISTRY = LocalRegistry()
CODEC = Codec(REGISTRY)
TEXT = policy_file.read().replace("alerts_per_day = 0", "alerts_per_day = 1")
POLICY = policy_file.built(policy_file.parse(TEXT, "test"), 1.0)
BATCH = 400

Alerts = dict[str, dict[str, Any]]


@pytest.fixture(scope="module")
def records() -> dict[str, list[Any]]:
    """A city's log by topic: time, key and value of each record."""
    found: dict[str, list[Any]] = defaultdict(list)
    for record in sample_logs.city(100, 140, 7):
        found[record.topic].append((record.at_ms, record.key.encode(), encoded(record, CODEC)))
    return found


def started(changelog: list[tuple[bytes, bytes]]) -> BorrowerWorker:
    """A worker of one partition whose state is what the changelog holds; the publisher is never called."""
    worker = BorrowerWorker(
        Engine(EngineOptions(1), POLICY, REGISTRY), CODEC, None, lambda *_: True, idle_after_seconds=0.0,  # type: ignore[arg-type]
        lenders=frozenset({"lender-a"}), wall=lambda: 1.0,
    )  # fmt: skip
    worker.owned.begin_recovery({0})
    for key, value in changelog:
        worker.owned.restore(0, key, value)
    worker.owned.recovered({0})
    return worker


def take(worker: BorrowerWorker, records: dict[str, list[Any]], start: int, end: int) -> None:
    for topic in EVENT_TOPICS:
        part = records[topic][start:end]
        if part:
            stamps, keys, values = zip(*part, strict=True)
            offsets = np.arange(start, start + len(part), dtype=np.int64)
            fetched = FetchedRecords(
                offsets, np.array(stamps, np.int64), Spans.of(keys), Spans.of(values), Spans.of([b""] * len(part))
            )
            worker.submit(topic, 0, fetched)


def told(checkpoint: Checkpoint, topic: str = LIQUIDITY_ALERTS) -> Alerts:
    found = {}
    for message in checkpoint.outputs.get((topic, 0), []):
        alert = CODEC.decode(topic, message["value"])
        found[alert["alert_id"]] = alert
    return found


def durable(checkpoint: Checkpoint) -> list[tuple[bytes, bytes]]:
    return [(message["key"], message["value"]) for message in checkpoint.changelog.get(0, [])]


def steps(records: dict[str, list[Any]]) -> range:
    return range(0, max(map(len, records.values())), BATCH)


@pytest.fixture(scope="module")
def expected(records: dict[str, list[Any]]) -> Alerts:
    """The alerts of a worker to which nothing happens."""
    straight = started([])
    found: Alerts = {}
    for start in steps(records):
        take(straight, records, start, start + BATCH)
        found |= told(straight.step())
    return found


@pytest.mark.parametrize("share", [0.0, 0.4, 1.0])
def test_a_checkpoint_cut_short_changes_no_alert(records: dict[str, list[Any]], expected: Alerts, share: float) -> None:
    """Of each third checkpoint only the budgets and a ``share`` of the borrowers became durable."""
    changelog: list[tuple[bytes, bytes]] = []
    worker = started(changelog)
    found: Alerts = {}
    cuts = 0
    for number, start in enumerate(steps(records)):
        take(worker, records, start, start + BATCH)
        checkpoint = worker.step()
        whole = durable(checkpoint)
        own = told(checkpoint)
        assert all(found.get(one, alert) == alert for one, alert in own.items())
        found |= own
        if number % 3 == 2 and whole:
            cuts += whole[0][0] == BUDGETS_KEY
            assert BUDGETS_KEY not in [key for key, _ in whole[1:]]
            changelog += whole[: 1 + round(share * (len(whole) - 1))]
            worker = started(changelog)
            take(worker, records, 0, start + BATCH)
            again = told(worker.step())
            assert all(found.get(one, alert) == alert for one, alert in again.items())
            found |= again
            changelog += durable(checkpoint)
        else:
            changelog += [*whole, *((entry["key"], entry["value"]) for entry in checkpoint.own_entries.values())]
    assert found == expected
    assert cuts >= 2
    assert {"SENT", "DEFERRED"} == set(Counter(alert["disposition"] for alert in found.values()))
