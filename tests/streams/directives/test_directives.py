"""Directives take effect at their own event time, in whatever order they arrive and whatever was scored before."""

import hashlib
import json
from collections import defaultdict
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from loanpulse.city.writers import encoded
from loanpulse.schemas import json_form
from loanpulse.schemas.codec import Codec
from loanpulse.schemas.registry import LocalRegistry
from loanpulse.schemas.topics import EVENT_TOPICS, MODEL_SNAPSHOTS, ORDER_APPLICATIONS, POLICY_ACTIVATIONS, SUPPRESSIONS
from loanpulse.streams.directives.directives import DirectiveError, Directives
from loanpulse.streams.directives.due import DueDirectives
from loanpulse.streams.directives.kinds import DIRECTIVE_KINDS
from loanpulse.streams.engine.decode import RecordBatch
from loanpulse.streams.engine.engine import Engine, EngineOptions
from loanpulse.streams.indicators.catalogue import COUNT, INDICATORS, NAMES
from loanpulse.streams.learning import contract_values
from loanpulse.streams.learning.outputs import Version
from loanpulse.streams.models.scorecard import Scorecard, scorecard_to_bytes, sha256
from loanpulse.streams.policy import policy_file
from loanpulse.streams.replay.replay import ReplayReport, replay_files
from tests.support import sample_logs
from tests.support.engine_logs import copy_state

REGISTRY = LocalRegistry()
CODEC = Codec(REGISTRY)
POLICY = policy_file.load(interval_seconds=1.0)
END = 1_900_000_000_000
MIDDLE = datetime(2026, 4, 10, 12, tzinfo=UTC)
MIDDLE_MS = json_form.milliseconds(MIDDLE)


def activation(version: str = "next", at: datetime = MIDDLE, **changes: Any) -> dict[str, Any]:
    document = policy_file.read().replace(f'version = "{POLICY.version}"', f'version = "{version}"')
    document = document.replace(f"TENSE = {POLICY.file.levels.TENSE}", "TENSE = 40.0")
    return {
        "policy_id": f"{version}@{at:%FT%T}", "policy_version": version, "event_time": at, "source": "test",
        "activated_by": "p-1", "sha256": hashlib.sha256(document.encode()).hexdigest(), "document": document, **changes,
    }  # fmt: skip


def suppression(**changes: Any) -> dict[str, Any]:
    return {
        "suppression_id": "s-1", "borrower_id": "b", "event_time": MIDDLE, "source": "test", "lender_id": None,
        "kind": None, "until": None, "reason": "COMPLAINT", "ordered_by": "p-1", "lifted": False, **changes,
    }  # fmt: skip


EXPERTS = Scorecard(
    NAMES, np.array([indicator.weight for indicator in INDICATORS]), float(POLICY.parameters["neutral_log_odds"])
)
BETTER = replace(EXPERTS, weights=EXPERTS.weights * 1.5, neutral_log_odds=2.0)


def model(
    version: str = "logistic-30-1024", at: datetime = MIDDLE, scorecard: Scorecard = BETTER, **changes: Any
) -> Any:
    """A version as the trainer publishes it."""
    weights = scorecard_to_bytes(scorecard)
    time = json_form.milliseconds(at)
    said = Version("logistic", version, "expert-1", True, True, time, 1024, "test", weights, "no worse")
    return contract_values.version_value(said, [0]) | changes


def line(topic: str, value: dict[str, Any]) -> str:
    return json.dumps({"topic": topic, "value": json_form.to_json(topic, value)}) + "\n"


def known() -> Directives:
    return Directives(DIRECTIVE_KINDS)


def test_orders_come_out_in_the_order_of_their_effect_once_per_partition() -> None:
    book = known()
    for days in (2, 0, 1):
        book.add(POLICY_ACTIVATIONS, activation(f"v{days}", MIDDLE + timedelta(days=days)))
    book.add(POLICY_ACTIVATIONS, activation("v0"))
    day = 86_400_000
    first, second = DueDirectives(book, 0), DueDirectives(book, 1)
    assert [order.content.version for order in first.remove_due(MIDDLE_MS + day)] == ["v0", "v1"]
    assert [order.content.version for order in first.remove_due(MIDDLE_MS + 5 * day)] == ["v2"]
    assert [order.content.version for order in second.remove_due(MIDDLE_MS + 5 * day)] == ["v0", "v1", "v2"]
    assert not first.remove_due(END)
    book.add(POLICY_ACTIVATIONS, activation("late", MIDDLE - timedelta(days=9)))
    assert [order.content.version for order in first.remove_due(MIDDLE_MS)] == ["late"]
    assert len(DueDirectives(book, 0).remove_due(END)) == 4


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"sha256": "0" * 64}, "sha256"),
        ({"policy_version": "other"}, "policy_version"),
        ({"document": "[index", "sha256": hashlib.sha256(b"[index").hexdigest()}, "can't be read"),
    ],
)
def test_an_activation_that_cannot_be_obeyed_is_refused(changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(DirectiveError, match=reason):
        known().add(POLICY_ACTIVATIONS, activation(**changes))


def test_a_suppression_that_ends_before_it_begins_is_refused() -> None:
    with pytest.raises(DirectiveError, match="until"):
        known().add(SUPPRESSIONS, suppression(until=MIDDLE - timedelta(days=1)))


@pytest.mark.parametrize(
    ("order", "reason"),
    [
        (model(sha256="0" * 64), "SHA-256"),
        (model(weights=b"weights", sha256=sha256(b"weights")), "json"),
        (model(weights_format="pickle"), "weights_format"),
        (model(scorecard=replace(EXPERTS, weights=EXPERTS.weights - 1.0)), "wrong sign"),
        (model(scorecard=replace(EXPERTS, weights=np.zeros(COUNT))), "are 0"),
        (model(scorecard=replace(EXPERTS, names=NAMES[::-1])), "twelve indicators"),
        (model(scorecard=replace(EXPERTS, weights=EXPERTS.weights[:3])), "one number for each"),
    ],
    ids=["digest", "bytes", "format", "sign", "zeros", "names", "count"],
)
def test_a_version_that_cannot_be_scored_with_is_refused(order: dict[str, Any], reason: str) -> None:
    book = known()
    with pytest.raises(DirectiveError, match=reason):
        book.add(MODEL_SNAPSHOTS, order)
    assert not book.known()


def test_only_the_champion_in_force_is_an_order_and_that_once() -> None:
    book = known()
    for changes in ({"status": "REFUSED"}, {"status": "RETIRED"}, {"status": "CANDIDATE"}, {"role": "CHALLENGER"}):
        book.add(MODEL_SNAPSHOTS, model(**changes))
    assert not book.known()
    for _key in ("champion", "logistic/logistic-30-1024"):
        book.add(MODEL_SNAPSHOTS, model())
    assert len(book.known()) == 1


def versions(batch: int, orders: list[dict[str, Any]], cut: int | None = None) -> dict[tuple[bytes, int], Any]:
    """Feed a small city in batches; returns the policy version, index and level of every scoring."""
    log: dict[int, list[tuple[int, bytes, bytes]]] = defaultdict(list)
    for record in sample_logs.city(12, 80):
        log[EVENT_TOPICS.index(record.topic)].append((record.at_ms, record.key.encode(), encoded(record, CODEC)))

    def started() -> Engine:
        engine = Engine(EngineOptions(1), POLICY, REGISTRY)
        for order in orders:
            engine.directives.add(MODEL_SNAPSHOTS if "model_id" in order else POLICY_ACTIVATIONS, order)
        return engine

    def take(engine: Engine, start: int, end: int) -> None:
        for source, records in log.items():
            part = records[start:end]
            stamps, keys, values = ([row[place] for row in part] for place in range(3))
            engine.offer(RecordBatch.of(source, 0, range(start, start + len(part)), stamps, keys, values))

    found: dict[tuple[bytes, int], Any] = {}
    engine = started()
    longest = max(map(len, log.values()))
    for number, start in enumerate(range(0, longest, batch)):
        take(engine, start, start + batch)
        idle = tuple(start + batch >= len(log[source]) for source in range(len(EVENT_TOPICS)))
        scored = engine.partition(0).advance(engine.partition(0).watermark.safe_until(idle))
        if number == cut:
            fresh = started()
            copy_state(engine.partition(0), fresh.partition(0))
            engine = fresh
            take(engine, 0, start + batch)
        for one in scored:
            found |= told(one)
    for one in engine.partition(0).advance(END, inclusive=True):
        found |= told(one)
    return found


def told(scored: Any) -> dict[tuple[bytes, int], Any]:
    return {
        (key, int(score["time"])): (
            scored.policy.version,
            scored.model_version,
            float(score["lhi"]),
            int(score["level"]),
        )
        for score, key in zip(scored.scores, scored.keys.tolist(), strict=True)
    }


def test_a_policy_is_in_force_from_its_time_on_under_any_batching_and_restart() -> None:
    orders = [activation(), activation("third", MIDDLE + timedelta(days=20))]
    straight = versions(100_000, orders)
    assert {version for version, *_ in straight.values()} == {POLICY.version, "next", "third"}
    for (_, time), (version, *_) in straight.items():
        assert (version == POLICY.version) == (time < MIDDLE_MS)
    assert versions(150, orders) == straight
    assert versions(150, orders, cut=4) == straight
    assert versions(150, orders, cut=9) == straight


def test_a_model_is_in_force_from_its_time_on_under_any_batching_and_restart() -> None:
    later = MIDDLE + timedelta(days=20)
    # What was learned up to one time may be put in force later, by a person.
    promoted = model("promoted", MIDDLE, replace(BETTER, neutral_log_odds=1.0), effective_time=later)
    orders = [model(), activation(at=MIDDLE + timedelta(days=9)), promoted]
    straight = versions(100_000, orders)
    for (_, time), (_, version, *_) in straight.items():
        expected = "expert-1" if time < MIDDLE_MS else "logistic-30-1024"
        assert version == (expected if time < json_form.milliseconds(later) else "promoted")
    assert {version for _, version, *_ in straight.values()} == {"expert-1", "logistic-30-1024", "promoted"}
    assert versions(150, orders) == straight
    assert versions(150, orders, cut=4) == straight
    assert versions(150, orders[::-1], cut=9) == straight
    without = versions(100_000, [])
    changed = [one for one in straight.keys() & without.keys() if straight[one][2] != without[one][2]]
    assert changed, "the learned weights move the index"
    assert min(time for _, time in changed) >= MIDDLE_MS


def test_a_late_directive_holds_from_where_the_partition_was_for_all_who_know_that_time() -> None:
    records = [one for one in sample_logs.city(12, 80) if one.topic == EVENT_TOPICS[1]]
    half = next(place for place, one in enumerate(records) if one.at_ms > MIDDLE_MS) + len(records) // 8
    stands_at = records[half].at_ms

    def told_by(engine: Engine, start: int, limit: int) -> dict[tuple[bytes, int], Any]:
        part = [(one.at_ms, one.key.encode(), encoded(one, CODEC)) for one in records[start:]]
        stamps, keys, values = (list(column) for column in zip(*part, strict=True))
        engine.offer(RecordBatch.of(1, 0, range(start, len(records)), stamps, keys, values))
        return {place: one for scored in engine.partition(0).advance(limit) for place, one in told(scored).items()}

    engine = Engine(EngineOptions(1), POLICY, REGISTRY)
    straight = told_by(engine, 0, stands_at)
    engine.directives.add(POLICY_ACTIVATIONS, activation())
    straight |= {place: one for scored in engine.partition(0).advance(END) for place, one in told(scored).items()}
    (application,) = engine.partition(0).drain_applications()
    assert application.at_ms == stands_at + 1
    assert not engine.partition(0).drain_applications()
    for (_, time), (version, *_) in straight.items():
        assert (version == "next") == (time > stands_at)
    assert {version for version, *_ in straight.values()} == {POLICY.version, "next"}
    for note_first in (True, False):
        again = Engine(EngineOptions(1), POLICY, REGISTRY)
        said = {
            "order_id": application.identity, "topic": POLICY_ACTIVATIONS, "partition": 0, "source": "worker",
            "event_time": datetime.fromtimestamp(application.at_ms / 1000, UTC),
        }  # fmt: skip
        both = [(ORDER_APPLICATIONS, said), (POLICY_ACTIVATIONS, activation())]
        again.partition(0).advance(0)  # a partition that has read its directives
        for topic, value in both if note_first else both[::-1]:
            again.directives.add(topic, value)
        assert told_by(again, 0, END) == straight
        assert not again.partition(0).drain_applications()


@pytest.mark.parametrize("model_first", [True, False])
def test_a_policy_and_a_model_stand_together_in_either_order(model_first: bool) -> None:
    engine = Engine(EngineOptions(1), POLICY, REGISTRY)
    early, late = MIDDLE, MIDDLE + timedelta(days=1)
    engine.directives.add(MODEL_SNAPSHOTS, model(at=early if model_first else late))
    engine.directives.add(POLICY_ACTIVATIONS, activation(at=late if model_first else early))
    engine.partition(0).advance(END)
    parameters = engine.partition(0).in_force.parameters
    assert parameters["weight"].tolist() == BETTER.weights.tolist()
    assert parameters["neutral_log_odds"] == 2.0
    assert parameters["level_min_points"][3] == 40.0
    assert engine.partition(0).in_force.policy.version == "next"
    assert engine.partition(0).in_force.model_version == "logistic-30-1024"


def test_an_older_version_that_comes_late_does_not_replace_a_newer_one() -> None:
    engine = Engine(EngineOptions(1), POLICY, REGISTRY)
    engine.directives.add(MODEL_SNAPSHOTS, model("newer"))
    engine.partition(0).advance(MIDDLE_MS + 10)
    engine.directives.add(MODEL_SNAPSHOTS, model("older", MIDDLE - timedelta(days=3), EXPERTS))
    engine.partition(0).advance(MIDDLE_MS + 20)
    assert engine.partition(0).in_force.model_version == "newer"
    assert engine.partition(0).in_force.parameters["weight"].tolist() == BETTER.weights.tolist()


def test_an_older_activation_that_comes_late_does_not_replace_a_newer_one() -> None:
    engine = Engine(EngineOptions(1), POLICY, REGISTRY)
    engine.directives.add(POLICY_ACTIVATIONS, activation("newer", MIDDLE))
    engine.partition(0).advance(MIDDLE_MS + 10)
    engine.directives.add(POLICY_ACTIVATIONS, activation("older", MIDDLE - timedelta(days=3)))
    engine.partition(0).advance(MIDDLE_MS + 20)
    assert engine.partition(0).in_force.policy.version == "newer"
    assert engine.partition(0).in_force.parameters["level_min_points"][3] == 40.0


def replayed(folder: Path, files: list[Path], directives: Path | None = None) -> tuple[ReplayReport, list[str]]:
    snapshots = folder / "snapshots.jsonl"
    report = replay_files(
        files, options=EngineOptions(2), policy=POLICY, registry=REGISTRY, directives=directives, snapshots=snapshots
    )
    return report, snapshots.read_text().splitlines()


def test_replay_takes_orders_from_its_files_and_from_a_file_of_their_own(tmp_path: Path) -> None:
    events = sample_logs.write(tmp_path / "events.jsonl", sample_logs.city(12, 80))
    order = line(POLICY_ACTIVATIONS, activation())
    orders = tmp_path / "orders.jsonl"
    orders.write_text(order + line("spending-events", {"event_time": MIDDLE}) + "{broken\n")
    mixed = tmp_path / "mixed.jsonl"
    mixed.write_text(events.read_text() + order)
    report, with_file = replayed(tmp_path, [events], orders)
    assert [refused.line for refused in report.refused] == [2, 3]
    clean, with_lines = replayed(tmp_path, [mixed])
    assert with_lines == with_file
    assert not clean.refused
    found = {json.loads(text)["value"]["policy_version"] for text in with_lines}
    assert found == {POLICY.version, "next"}


def test_a_replay_scores_with_the_versions_of_its_lines(tmp_path: Path) -> None:
    events = sample_logs.write(tmp_path / "events.jsonl", sample_logs.city(12, 80))
    orders = tmp_path / "orders.jsonl"
    orders.write_text(line(MODEL_SNAPSHOTS, model()) + line(MODEL_SNAPSHOTS, model("bad", sha256="0" * 64)))
    mixed = tmp_path / "mixed.jsonl"
    mixed.write_text(orders.read_text() + events.read_text())
    report, with_file = replayed(tmp_path, [events], orders)
    assert [(refused.line, refused.code) for refused in report.refused] == [(2, "ORDER_INVALID")]
    assert replayed(tmp_path, [mixed])[1] == with_file
    for text in with_file:
        value = json.loads(text)["value"]
        after = json_form.parse_time(value["event_time"]) >= MIDDLE
        assert value["model_version"] == ("logistic-30-1024" if after else "expert-1")


def test_an_order_of_a_file_that_cannot_be_obeyed_is_told_with_its_line(tmp_path: Path) -> None:
    events = sample_logs.write(tmp_path / "events.jsonl", sample_logs.city(3, 20))
    number = len(events.read_text().splitlines()) + 1
    events.write_text(events.read_text() + line(POLICY_ACTIVATIONS, activation(sha256="0" * 64)))
    report, _ = replayed(tmp_path, [events])
    assert [(refused.line, refused.code) for refused in report.refused] == [(number, "ORDER_INVALID")]
