"""Alerts: each says enough, none says anything of another lender, and what becomes of it depends on the log alone."""

import json
from collections import Counter, defaultdict
from collections.abc import Iterator
from copy import deepcopy
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loanpulse.city.writers import encoded
from loanpulse.schemas.codec import Codec
from loanpulse.schemas.contracts import AlertKind, Level
from loanpulse.schemas.partitioning import partition_of
from loanpulse.schemas.registry import LocalRegistry
from loanpulse.schemas.topics import EVENT_TOPICS, LIQUIDITY_ALERTS, REPAYMENT_EVENTS, SPENDING_EVENTS, SUPPRESSIONS
from loanpulse.schemas.units import DAY_MS
from loanpulse.streams.alerts.contacts import lender_hash
from loanpulse.streams.alerts.draft import kinds_of
from loanpulse.streams.alerts.maker import AlertDecisions, decide_alerts, held_out
from loanpulse.streams.alerts.reasons import BEHAVIOUR_SENTENCES, HARD_SENTENCES, INDICATOR_SENTENCES, losses, reasons
from loanpulse.streams.alerts.scored import Scored
from loanpulse.streams.alerts.value import Alert
from loanpulse.streams.behaviours.catalogue import BEHAVIOURS
from loanpulse.streams.engine.decode import RecordBatch
from loanpulse.streams.engine.engine import Engine, EngineOptions, record_batch_of
from loanpulse.streams.indicators.catalogue import NAMES
from loanpulse.streams.policy import policy_file
from loanpulse.streams.policy.interventions import HoldOutSection
from loanpulse.streams.policy.policy_file import Policy
from loanpulse.streams.scoring.levels import HARD_EVENT_NAMES
from loanpulse.streams.scoring.score import SCORE
from tests.support import sample_logs
from tests.support.engine_logs import copy_state

PARTITIONS = 2
REGISTRY = LocalRegistry()
CODEC = Codec(REGISTRY)
END = 1_900_000_000_000


def policy_with(*changes: tuple[str, str]) -> Policy:
    text = policy_file.read()
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    return policy_file.built(policy_file.parse(text, "test"), 1.0)


PACKAGED = policy_with()


@cache
def log() -> dict[tuple[int, int], list[tuple[int, bytes, bytes]]]:
    found: dict[tuple[int, int], list[tuple[int, bytes, bytes]]] = defaultdict(list)
    for record in sample_logs.city(60, 110, 7):
        key = record.key.encode()
        place = EVENT_TOPICS.index(record.topic), partition_of(key, PARTITIONS)
        found[place].append((record.at_ms, key, encoded(record, CODEC)))
    return found


def take(engine: Engine, start: int, end: int) -> None:
    for (source, partition), records in log().items():
        part = records[start:end]
        columns = [[row[place] for row in part] for place in range(3)]
        engine.offer(RecordBatch.of(source, partition, range(start, start + len(part)), *columns))


def run(policy: Policy, batch: int = 10**9, cut: int | None = None, orders: tuple[Any, ...] = ()) -> list[Alert]:
    """Return the city's alerts; after ``cut`` batches a new engine goes on from what the changelog holds."""

    def started() -> Engine:
        engine = Engine(EngineOptions(PARTITIONS), policy, REGISTRY)
        for order in orders:
            engine.directives.add(SUPPRESSIONS, order)
        return engine

    engine = started()
    found: list[Alert] = []
    longest = max(map(len, log().values()))
    for number, start in enumerate(range(0, longest, batch)):
        take(engine, start, start + batch)
        for partition in range(PARTITIONS):
            idle = tuple(start + batch >= len(log()[source, partition]) for source in range(len(EVENT_TOPICS)))
            one = engine.partition(partition)
            for scored in one.advance(one.watermark.safe_until(idle)):
                found += one.alerts(scored)
        if number == cut:
            fresh = started()
            for partition in range(PARTITIONS):
                copy_state(engine.partition(partition), fresh.partition(partition))
            engine = fresh
            take(engine, 0, start + batch)
    for partition in range(PARTITIONS):
        one = engine.partition(partition)
        for scored in one.advance(END, inclusive=True):
            found += one.alerts(scored)
    return sorted(found, key=lambda alert: alert["alert_id"])


BUDGETED_ONLY = policy_with(("alerts_per_day = 0", "alerts_per_day = 2"))
BUDGETED = policy_with(("alerts_per_day = 0", "alerts_per_day = 2"), ("share = 0.0", "share = 0.2"))


@pytest.fixture(scope="module")
def alerts() -> list[Alert]:
    return run(PACKAGED)


def test_every_alert_fits_its_contract_and_says_enough(alerts: list[Alert]) -> None:
    assert len({alert["alert_id"] for alert in alerts}) == len(alerts) > 100
    for alert in alerts:
        assert CODEC.decode(LIQUIDITY_ALERTS, CODEC.encode(LIQUIDITY_ALERTS, alert)) == alert
        assert alert["reasons"]
        assert all(reason["text_en"] and reason["text_zh"] for reason in alert["reasons"])
        points = [reason["points"] for reason in alert["reasons"] if reason["points"]]
        assert points == sorted(points, reverse=True)
        assert alert["disposition"] == "SENT"
        assert alert["priority"] >= 0.0
        assert alert["low_confidence"] == (alert["confidence"] < PACKAGED.file.confidence.floor)
        assert (alert["actions"][0] == "GET_DATA") == alert["low_confidence"]
    assert {alert["low_confidence"] for alert in alerts} == {True, False}


def test_reasons_carry_the_measured_figure(alerts: list[Alert]) -> None:
    texts = {reason["code"]: reason["text_en"] for alert in alerts for reason in alert["reasons"]}
    assert texts["DEBT_SERVICE"].startswith("Instalments take ")
    assert all(any(letter.isdigit() for letter in texts[name.upper()]) for name in NAMES if name.upper() in texts)


def test_every_reason_has_its_sentences() -> None:
    assert set(INDICATOR_SENTENCES) == set(NAMES)
    assert list(BEHAVIOUR_SENTENCES) == [behaviour.name for behaviour in BEHAVIOURS]
    assert list(BEHAVIOUR_SENTENCES) == [kind.name for kind in AlertKind if 1 < kind < AlertKind.UNKNOWN]
    for sentences in BEHAVIOUR_SENTENCES.values():
        assert all(any(letter.isdigit() for letter in text) for text in sentences(3.0))
    assert set(HARD_SENTENCES) == {name for name in HARD_EVENT_NAMES if name}
    english, chinese = INDICATOR_SENTENCES["debt_service"](0.62)
    assert (english, chinese) == ("Instalments take 62% of income", "还款占收入的62%")


def test_recoveries_are_told_with_what_to_lift(alerts: list[Alert]) -> None:
    improved = [alert for alert in alerts if alert["kind"] == "LEVEL_IMPROVED"]
    assert improved
    for alert in improved:
        assert Level[alert["level_to"]] < Level[alert["level_from"]]
        assert alert["reasons"][0]["code"] == "RECOVERED"
        if alert["level_to"] in ("AMPLE", "STABLE"):
            assert "LIFT_RESTRICTIONS" in alert["actions"]


def test_contacts_keep_quiet_hours_and_caps(alerts: list[Alert]) -> None:
    planned: dict[tuple[str, str], list[datetime]] = defaultdict(list)
    for alert in sorted(alerts, key=lambda one: one["event_time"]):
        if "GENTLE_REMINDER" in alert["actions"] or "DEBT_CONSOLIDATION_ADVICE" in alert["actions"]:
            instant = alert["contact_not_before"] or alert["event_time"]
            assert 0 <= (instant + timedelta(hours=8)).hour - 8 < 13
            planned[alert["borrower_id"], alert["lender_id"]].append(instant)
    assert planned
    for instants in planned.values():
        assert all(later - first >= timedelta(days=7) for first, later in zip(instants, instants[3:], strict=False))


def test_budgets_hold_whatever_the_batches_and_restarts() -> None:
    straight = run(BUDGETED)
    assert run(BUDGETED, batch=190) == straight
    assert run(BUDGETED, batch=190, cut=3) == straight
    dispositions = Counter(alert["disposition"] for alert in straight)
    assert {"SENT", "DEFERRED", "HOLD_OUT"} <= set(dispositions)
    sent = Counter(
        (alert["lender_id"], alert["event_time"].date())
        for alert in straight
        if alert["disposition"] == "SENT" and alert["kind"] != "LEVEL_IMPROVED"
    )
    assert max(sent.values()) <= 2
    for alert in straight:
        ranked = alert["kind"] != "LEVEL_IMPROVED" and alert["disposition"] in ("SENT", "DEFERRED")
        assert (alert["rank"] is not None) == ranked == (alert["operating_threshold"] is not None)
    assert max(alert["operating_threshold"] or 0.0 for alert in straight) > 0.0


def test_a_budget_drops_nothing(alerts: list[Alert]) -> None:
    assert [alert["alert_id"] for alert in run(BUDGETED)] == [alert["alert_id"] for alert in alerts]


def test_the_hold_out_is_a_draw_that_can_be_repeated() -> None:
    rules = HoldOutSection(share=0.2, salt="s")
    drawn = [held_out(f"b-{number}", rules) for number in range(5_000)]
    assert 0.17 < np.mean(drawn) < 0.23
    assert drawn == [held_out(f"b-{number}", rules) for number in range(5_000)]
    assert drawn != [held_out(f"b-{number}", HoldOutSection(share=0.2, salt="t")) for number in range(5_000)]
    assert not held_out("b", HoldOutSection(share=0.0, salt="s"))
    for alert in run(BUDGETED):
        if alert["disposition"] == "HOLD_OUT":
            assert held_out(alert["borrower_id"], BUDGETED.file.hold_out)
            assert alert["help"] is None
            assert alert["actions"] == []


def order(alert: Alert, **changes: Any) -> dict[str, Any]:
    return {
        "suppression_id": "s-1", "borrower_id": alert["borrower_id"], "event_time": alert["event_time"],
        "source": "test", "lender_id": None, "kind": None, "until": None, "reason": "COMPLAINT", "ordered_by": "p",
        "lifted": False, **changes,
    }  # fmt: skip


def test_suppressions_begin_end_and_are_lifted_and_leave_the_rest_as_it_was(alerts: list[Alert]) -> None:
    borrower, _ = Counter(alert["borrower_id"] for alert in alerts).most_common(1)[0]
    own = sorted((alert for alert in alerts if alert["borrower_id"] == borrower), key=lambda one: one["event_time"])
    instants = sorted({alert["event_time"] for alert in own})
    assert len(instants) >= 4
    first = next(alert for alert in own if alert["event_time"] == instants[1])

    def suppressed(*orders: dict[str, Any]) -> set[tuple[datetime, str, str]]:
        found = run(PACKAGED, orders=orders)
        assert [alert["alert_id"] for alert in found] == [alert["alert_id"] for alert in alerts]
        assert [alert["lhi"] for alert in found] == [alert["lhi"] for alert in alerts]
        held = [alert for alert in found if alert["disposition"] == "SUPPRESSED"]
        assert all(alert["suppression_id"] == "s-1" and alert["borrower_id"] == borrower for alert in held)
        return {(alert["event_time"], alert["kind"], alert["lender_id"]) for alert in held}

    everything = {(alert["event_time"], alert["kind"], alert["lender_id"]) for alert in own}
    assert suppressed(order(first, until=instants[3])) == {
        one for one in everything if instants[1] <= one[0] < instants[3]
    }
    lifted = order(first, lifted=True, event_time=instants[2])
    assert suppressed(order(first), lifted) == {one for one in everything if one[0] == instants[1]}
    narrow = order(first, kind=first["kind"], lender_id=first["lender_id"])
    assert suppressed(narrow) == {
        one for one in everything if one[0] >= instants[1] and one[1:] == (first["kind"], first["lender_id"])
    }


def test_behaviours_are_told_once_with_the_level_and_in_the_order_of_the_list() -> None:
    score = np.zeros(1, SCORE)[0]
    score["previous_level"] = score["level"] = Level.WATCH
    score["opened"] = 1 << 5 | 1 << 8
    assert list(kinds_of(score)) == [AlertKind.INSTALMENT_MISSED, AlertKind.USAGE_COLLAPSE]
    score["level"] = Level.TENSE
    assert next(kinds_of(score)) is AlertKind.LEVEL_WORSENED
    found = reasons(score, AlertKind.INSTALMENT_MISSED, losses(score))
    assert found[0]["code"] == "INSTALMENT_MISSED"


AMOUNTS = st.integers(1_000, 99_999)


def events_of(amounts: dict[str, tuple[int, int]], income: int) -> Iterator[tuple[str, dict[str, Any]]]:
    """A borrower with a loan at each lender: paid at first, then not; every amount is one of a kind."""
    start = datetime(2026, 1, 1, tzinfo=UTC)
    number = 0

    def base(at: datetime) -> dict[str, Any]:
        nonlocal number
        number += 1
        return {
            "event_id": f"00000000-0000-4000-8000-{number:012d}", "borrower_id": "b-1", "event_time": at,
            "source": "test", "currency": "CNY",
        }  # fmt: skip

    for month in range(5):
        at = start + timedelta(days=30 * month)
        if month < 2:
            yield SPENDING_EVENTS, {
                **base(at), "kind": "INCOME", "amount": Decimal(income), "category": "SALARY",
                "balance_after": Decimal(income),
            }  # fmt: skip
        for day in range(1, 28, 2):
            yield SPENDING_EVENTS, {
                **base(at + timedelta(days=day)), "kind": "PURCHASE", "amount": Decimal("77.70"),
                "category": "GROCERIES", "balance_after": Decimal("50.50"),
            }  # fmt: skip
        for lender, (instalment, principal) in amounts.items():
            loan = {"lender_id": lender, "loan_id": f"loan-of-{lender}"}
            if month == 0:
                yield REPAYMENT_EVENTS, {
                    **base(at), **loan, "kind": "DISBURSED", "amount": Decimal(principal),
                    "outstanding_principal": Decimal(principal),
                }  # fmt: skip
            due = date(2026, 1, 20) + timedelta(days=30 * month)
            yield REPAYMENT_EVENTS, {
                **base(at + timedelta(days=5)), **loan, "kind": "INSTALMENT_DUE", "amount": Decimal(instalment),
                "due_date": due,
            }  # fmt: skip
            if month < 2:
                yield REPAYMENT_EVENTS, {
                    **base(at + timedelta(days=18)), **loan, "kind": "PAID", "amount": Decimal(instalment),
                    "due_date": due,
                }  # fmt: skip


def engine_with(events: Iterator[tuple[str, dict[str, Any]]], policy: Policy = PACKAGED) -> Engine:
    engine = Engine(EngineOptions(1), policy, REGISTRY)
    rows: dict[str, list[tuple[int, bytes, bytes]]] = defaultdict(list)
    for topic, value in events:
        stamp = int(value["event_time"].timestamp() * 1000)
        rows[topic].append((stamp, value["borrower_id"].encode(), CODEC.encode(topic, value)))
    for topic, records in rows.items():
        records.sort(key=lambda row: row[0])
        stamps, keys, values = ([row[place] for row in records] for place in range(3))
        assert not engine.offer(record_batch_of(EVENT_TOPICS.index(topic), 0, 0, stamps, keys, values))
    return engine


def alerts_of(events: Iterator[tuple[str, dict[str, Any]]], policy: Policy = PACKAGED) -> list[Alert]:
    engine = engine_with(events, policy)
    partition = engine.partition(0)
    return [alert for scored in partition.advance(END, inclusive=True) for alert in partition.alerts(scored)]


def texts_in(value: Any) -> Iterator[str]:
    """Every leaf of an alert as text, numbers also without their separators and decimals."""
    if isinstance(value, dict):
        for part in value.values():
            yield from texts_in(part)
    elif isinstance(value, list):
        for part in value:
            yield from texts_in(part)
    else:
        yield str(value).replace(",", "")


@settings(max_examples=25)
@given(st.lists(AMOUNTS, min_size=6, max_size=6, unique=True), st.integers(5_000, 30_000))
def test_an_alert_never_names_another_lender_its_loan_or_its_amounts(amounts: list[int], income: int) -> None:
    lenders = ("alpha", "bravo", "charlie")
    own = {name: (amounts[place], amounts[place + 3] * 10) for place, name in enumerate(lenders)}
    found = alerts_of(events_of(own, income))
    assert {alert["lender_id"] for alert in found} == set(lenders)
    for alert in found:
        # Ids are hashes and versions are names: an amount that occurs in one by chance tells nobody anything.
        told = {name: part for name, part in alert.items() if not name.endswith(("_id", "_version", "_time"))}
        told["lender_id"] = alert["lender_id"]
        numbers = {text for leaf in texts_in(told) for text in leaf.split()}
        for lender, (instalment, principal) in own.items():
            if lender != alert["lender_id"]:
                assert not any(lender in leaf for leaf in texts_in(alert))
                for amount in (instalment, principal):
                    # A priority may begin with the same digits by chance, but an amount is told in whole.
                    assert not numbers & {str(amount), f"{amount}.0", f"{amount}.00", f"{amount:,}", f"{amount:,}.00"}


def test_in_a_whole_city_no_alert_names_another_lender(alerts: list[Alert]) -> None:
    lenders = {alert["lender_id"] for alert in alerts}
    assert len(lenders) > 2
    for alert in alerts:
        said = json.dumps(alert, default=str, ensure_ascii=False)
        assert not any(lender in said for lender in lenders - {alert["lender_id"]})
        assert "loan-" not in said


def test_an_application_is_held_only_at_the_lender_that_has_one() -> None:
    applied = {
        "event_id": "00000000-0000-4000-9000-000000000001", "borrower_id": "b-1",
        "event_time": datetime(2026, 1, 2, tzinfo=UTC), "source": "test", "currency": "CNY", "amount": Decimal(5_000),
        "lender_id": "delta", "loan_id": "application", "kind": "APPLIED",
    }  # fmt: skip
    events = [*events_of({"alpha": (3_000, 30_000)}, 5_000), (REPAYMENT_EVENTS, applied)]
    grave = [alert for alert in alerts_of(iter(events)) if alert["level_to"] in ("TENSE", "CRISIS")]
    found = [alert for alert in grave if alert["kind"] == "LEVEL_WORSENED"]
    held = {alert["lender_id"]: "HOLD_UNDISBURSED_APPLICATION" in alert["actions"] for alert in found}
    assert held == {"alpha": False, "delta": True}


def test_lenders_are_told_apart_in_the_contacts_of_a_borrower() -> None:
    assert lender_hash("lender-a") != lender_hash("lender-b")
    assert 0 < lender_hash("lender-a") < 2**16


def decided(engine: Engine, scored: Scored) -> AlertDecisions:
    partition = engine.partition(scored.partition)
    records = partition.store.records.view()
    records.flags.writeable = False
    in_force = partition.in_force
    return decide_alerts(scored, in_force.suppressions, in_force.budgets, records, engine.options.partitions)


def test_deciding_changes_nothing_and_what_it_returns_is_applied() -> None:
    engine = engine_with(events_of({"alpha": (3_000, 30_000), "bravo": (2_000, 20_000)}, 5_000), BUDGETED_ONLY)
    partition = engine.partition(0)
    store, budgets = partition.store, partition.in_force.budgets
    for scored in partition.advance(END, inclusive=True):
        before, day = store.records.tobytes(), deepcopy(budgets)
        first = decided(engine, scored)
        assert decided(engine, scored) == first
        assert (store.records.tobytes(), budgets) == (before, day)
        assert first.contacts
        assert first.charges.decisions
        store.dirty[:] = False
        assert partition.alerts(scored) == first.alerts
        assert set(np.flatnonzero(store.dirty).tolist()) == {contact.row for contact in first.contacts}
        assert (budgets.changed, budgets != day) == (True, True)
        noted = {*store.records["contact_lender"][0].tolist()} - {0}
        assert noted <= {lender_hash("alpha"), lender_hash("bravo")}
        assert noted


def test_a_borrower_forgotten_after_an_alert_still_gets_a_tombstone() -> None:
    engine = engine_with(events_of({"alpha": (3_000, 30_000)}, 5_000))
    # After the last event of all: the spending source's is the newest.
    source = EVENT_TOPICS.index(SPENDING_EVENTS)
    engine.offer(RecordBatch.of(source, 0, [10_000], [END - DAY_MS], [b"b-1"], [None], [0]))
    partition = engine.partition(0)
    batches = partition.advance(END, inclusive=True)
    assert any(decided(engine, scored).contacts for scored in batches)
    for scored in batches:
        partition.alerts(scored)
    changes = partition.changed(0)
    assert changes is not None
    assert changes.entries == [(b"b-1", None)]
