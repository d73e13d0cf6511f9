"""Orders in the stream: policies, models and suppressions take effect at the scoring at which replay lets them."""

import hashlib
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest

from loanpulse.schemas import dead_letters, json_form
from loanpulse.schemas.publisher import Publisher
from loanpulse.schemas.registry import LocalRegistry
from loanpulse.schemas.topics import (
    DEAD_LETTERS,
    LIQUIDITY_ALERTS,
    LIQUIDITY_SNAPSHOTS,
    MODEL_SNAPSHOTS,
    ORDER_APPLICATIONS,
    POLICY_ACTIVATIONS,
    SUPPRESSIONS,
)
from loanpulse.settings import Settings
from loanpulse.settings.broker import producer_properties
from loanpulse.streams.indicators.catalogue import INDICATORS, NAMES
from loanpulse.streams.learning import contract_values
from loanpulse.streams.learning.outputs import Version
from loanpulse.streams.models.scorecard import Scorecard, scorecard_to_bytes
from loanpulse.streams.policy import policy_file
from tests.support import compare_outputs, processes, sample_logs
from tests.support.brokers import environment
from tests.support.grown_forest import promoted
from tests.support.processes import Reader, part

pytestmark = [pytest.mark.integration, pytest.mark.timeout(240)]

PACKAGED = policy_file.load()

Directive = tuple[str, dict[str, Any]]


def activation(version: str, day: int, *changes: tuple[str, str]) -> Directive:
    document = policy_file.read().replace(f'version = "{PACKAGED.version}"', f'version = "{version}"')
    for old, new in changes:
        assert old in document
        document = document.replace(old, new)
    return POLICY_ACTIVATIONS, {
        "policy_id": version, "policy_version": version, "event_time": datetime(2026, 4, day, 7, tzinfo=UTC),
        "source": "test", "activated_by": "p-1", "sha256": hashlib.sha256(document.encode()).hexdigest(),
        "document": document,
    }  # fmt: skip


def model(version: str, day: int) -> Directive:
    weights = np.array([1.3 * indicator.weight for indicator in INDICATORS])
    time_ms = json_form.milliseconds(datetime(2026, 4, 1, 7, tzinfo=UTC)) + (day - 1) * 86_400_000
    packed = scorecard_to_bytes(Scorecard(NAMES, weights, 2.5))
    said = Version("logistic", version, "expert-1", True, True, time_ms, 1024, "test", packed, "no worse")
    return MODEL_SNAPSHOTS, contract_values.version_value(said, [0])


def suppression(borrower: str, number: int) -> Directive:
    return SUPPRESSIONS, {
        "suppression_id": f"s-{number}", "borrower_id": borrower, "event_time": datetime(2026, 4, 1, tzinfo=UTC),
        "source": "test", "lender_id": None, "kind": None, "until": datetime(2026, 5, 20, tzinfo=UTC),
        "reason": "HARDSHIP_ARRANGEMENT", "ordered_by": "p-1", "lifted": False,
    }  # fmt: skip


def written(orders: list[Directive], file: Path) -> Path:
    lines = [orjson.dumps({"topic": topic, "value": json_form.to_json(topic, value)}) for topic, value in orders]
    file.write_bytes(b"\n".join(lines))
    return file


@pytest.fixture
def reader(deployment: Settings) -> Iterator[Reader]:
    reader = Reader(deployment, LIQUIDITY_ALERTS, LIQUIDITY_SNAPSHOTS, DEAD_LETTERS)
    yield reader
    reader.close()


def test_orders_and_budgets_give_what_replay_gives_through_a_kill(
    deployment: Settings, tmp_path: Path, reader: Reader
) -> None:
    records = sample_logs.city(40, 90, 6)
    borrowers = sorted({record.key for record in records})[:6]
    orders = [
        activation("budgeted", 10, ("alerts_per_day = 0", "alerts_per_day = 1"), ("share = 0.0", "share = 0.1")),
        activation("stricter", 25, (f"TENSE = {PACKAGED.file.levels.TENSE}", "TENSE = 40.0")),
        model("logistic-30-1024", 18),
        (MODEL_SNAPSHOTS, promoted(json_form.milliseconds(datetime(2026, 5, 5, tzinfo=UTC)))),
        model("logistic-30-2048", 50),
        *(suppression(borrower, number) for number, borrower in enumerate(borrowers)),
    ]
    expected = compare_outputs.by_replay(deployment, tmp_path, records, written(orders, tmp_path / "orders.jsonl"))
    damaged = {**orders[0][1], "policy_id": "damaged", "sha256": "0" * 64}
    unsound = MODEL_SNAPSHOTS, {**model("unsound", 18)[1], "sha256": "0" * 64}
    with Publisher(producer_properties(deployment), LocalRegistry(), deployment.topics.prefix) as publisher:
        for topic, value in [*orders, (POLICY_ACTIVATIONS, damaged), unsound]:
            publisher.publish(topic, value)
    half = len(records) // 2
    processes.publish(deployment, records[:half])
    with part(deployment, tmp_path, "worker") as worker:
        reader.read_until(lambda: len(reader.messages[LIQUIDITY_SNAPSHOTS]) > 200)
        time.sleep(0.3)
        processes.kill(worker)
    processes.publish(deployment, records[half:])
    with part(deployment, tmp_path, "worker"):
        reader.read_all(expected.ids)
    reader.read_to_end()
    compare_outputs.check_equal(reader, expected)
    told = {alert["alert_id"]: alert for alert in reader.values(LIQUIDITY_ALERTS)}.values()
    versions = Counter(alert["policy_version"] for alert in told)
    assert {"budgeted", "stricter"} < set(versions)
    assert {alert["model_version"] for alert in told} == {
        "expert-1", "logistic-30-1024", "forest-30-3072", "logistic-30-2048",
    }  # fmt: skip
    assert {alert["disposition"] for alert in told} == {"SENT", "DEFERRED", "SUPPRESSED", "HOLD_OUT"}
    letters = [dead_letters.parse(m.key(), m.value(), m.headers()) for m in reader.messages[DEAD_LETTERS]]
    assert {(letter.topic, letter.violation.name) for letter in letters} == {
        (deployment.topics.prefix + topic, "ORDER_INVALID") for topic in (POLICY_ACTIVATIONS, MODEL_SNAPSHOTS)
    }


def test_an_order_given_while_the_worker_runs_reaches_it(deployment: Settings, tmp_path: Path, reader: Reader) -> None:
    records = sample_logs.city(20, 80, 3)
    half = len(records) // 2
    instant = datetime.fromtimestamp(records[half].at_ms // 1000 + 3600, UTC)
    topic, value = activation("followed", 10)
    order = {**value, "event_time": instant}
    expected = compare_outputs.by_replay(
        deployment, tmp_path, records, written([(topic, order)], tmp_path / "orders.jsonl")
    )
    with part(deployment, tmp_path, "worker"):
        processes.publish(deployment, records[:half])
        reader.read_until(lambda: bool(reader.messages[LIQUIDITY_SNAPSHOTS]))
        with Publisher(producer_properties(deployment), LocalRegistry(), deployment.topics.prefix) as publisher:
            publisher.publish(topic, order)
            publisher.publish(topic, {**order, "sha256": "0" * 64})
        reader.read_until(lambda: bool(reader.messages[DEAD_LETTERS]))  # so it has read the good one before it
        processes.publish(deployment, records[half:])
        reader.read_all(expected.ids)
    reader.read_to_end()
    compare_outputs.check_equal(reader, expected)
    for snapshot in reader.values(LIQUIDITY_SNAPSHOTS):
        assert (snapshot["policy_version"] == "followed") == (snapshot["event_time"] >= instant)
    assert any(one["policy_version"] == "followed" for one in reader.values(LIQUIDITY_SNAPSHOTS))


def loanpulse(settings: Settings, *arguments: str | Path) -> None:
    """Run a command to its end."""
    argv = [sys.executable, "-m", "loanpulse.commands", *map(str, arguments)]
    subprocess.run(argv, check=True, env={**os.environ, **environment(settings)}, timeout=120)


def test_a_directive_that_comes_late_holds_from_one_time_through_a_kill_and_in_a_replay_of_the_topics(
    deployment: Settings, tmp_path: Path
) -> None:
    records = sample_logs.city(40, 90, 6)
    alerts = compare_outputs.by_replay(deployment, tmp_path, records).alerts.values()
    borrower = Counter(alert["borrower_id"] for alert in alerts).most_common(1)[0][0]
    reader = Reader(deployment, LIQUIDITY_ALERTS, LIQUIDITY_SNAPSHOTS, ORDER_APPLICATIONS)
    pieces = [records[start : start + len(records) // 3 + 1] for start in range(0, len(records), len(records) // 3 + 1)]
    with part(deployment, tmp_path, "worker") as worker:
        processes.publish(deployment, pieces[0])
        reader.read_until(lambda: len(reader.messages[LIQUIDITY_SNAPSHOTS]) > 1_000)
        topic, late = activation("late", 1, (f"TENSE = {PACKAGED.file.levels.TENSE}", "TENSE = 40.0"))
        orders = [(topic, {**late, "event_time": sample_logs.START}), model("logistic-30-1024", -25)]
        with Publisher(producer_properties(deployment), LocalRegistry(), deployment.topics.prefix) as publisher:
            held = SUPPRESSIONS, {**suppression(borrower, 1)[1], "until": None}
            for topic, value in [*orders, held]:
                publisher.publish(topic, {**value, "event_time": sample_logs.START})
        processes.publish(deployment, pieces[1])
        # Two orders in each of two partitions, and one in its borrower's.
        reader.read_until(lambda: len(reader.messages[ORDER_APPLICATIONS]) == 5)
        time.sleep(0.3)
        processes.kill(worker)
    processes.publish(deployment, pieces[2])
    log = tmp_path / "log.jsonl"
    with part(deployment, tmp_path, "worker"):
        loanpulse(deployment, "topics", "dump", "--out", log)
        found = tmp_path / "replayed-snapshots.jsonl", tmp_path / "replayed-alerts.jsonl"
        loanpulse(deployment, "replay", log, "--snapshots", found[0], "--alerts", found[1])
        expected = compare_outputs.of_files(*found)
        reader.read_all(expected.ids)
    reader.read_to_end()
    reader.close()
    compare_outputs.check_equal(reader, expected)
    said_under = Counter(value["policy_version"] for value in expected.snapshots.values())
    assert said_under["late"] > 1_000 < said_under[PACKAGED.version]
    assert {value["model_version"] for value in expected.snapshots.values()} == {"expert-1", "logistic-30-1024"}
    applied = [value for value in reader.values(ORDER_APPLICATIONS) if value["topic"] == SUPPRESSIONS]
    (begins,) = {value["event_time"] for value in applied}
    own = [value for value in reader.values(LIQUIDITY_ALERTS) if value["borrower_id"] == borrower]
    held_back = {
        alert["alert_id"]: (alert["disposition"] == "SUPPRESSED", alert["event_time"] >= begins) for alert in own
    }
    assert set(held_back.values()) == {(False, False), (True, True)}
