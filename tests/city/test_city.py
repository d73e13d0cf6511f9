"""The simulated city: reproducible, well formed, and telling in its streams what its truth says."""

from collections import Counter, defaultdict
from datetime import timedelta
from pathlib import Path

import pytest

from loanpulse.city import writers
from loanpulse.city.plan import CityPlan, PlanError
from loanpulse.city.published import Published
from loanpulse.city.simulation import City
from loanpulse.city.throttle import throttled
from loanpulse.city.truth import DefaultTruth, LifeEvent, LifeEventTruth, Truth, TruthWriter, days_to_default, read
from loanpulse.schemas.codec import Codec
from loanpulse.schemas.lines import EventLine, read_lines
from loanpulse.schemas.registry import LocalRegistry
from tests.support import sample_logs

CODEC = Codec(LocalRegistry())


def lived(borrowers: int, days: int, seed: int = 5) -> tuple[list[Published], list[Truth]]:
    truth: list[Truth] = []
    return list(City(sample_logs.plan(borrowers, days, seed), truth.append).events()), truth


@pytest.fixture(scope="module")
def year() -> tuple[list[Published], list[Truth]]:
    return lived(80, 300)


def test_the_same_plan_gives_the_same_city() -> None:
    assert lived(10, 30) == lived(10, 30)
    assert lived(10, 30)[0] != lived(10, 30, seed=6)[0]


def test_a_household_is_the_same_in_a_larger_city() -> None:
    small, large = lived(3, 40)[0], lived(9, 40)[0]
    keys = {record.key for record in small}
    assert len(keys) == 3
    assert [record for record in large if record.key in keys] == small


def test_events_are_published_in_order_of_time(year: tuple[list[Published], list[Truth]]) -> None:
    stamps = [record.at_ms for record in year[0]]
    assert stamps == sorted(stamps)


def test_a_city_told_to_stop_does_not_wait_for_ever_for_a_broker_that_is_away() -> None:
    properties = {"bootstrap.servers": "127.0.0.1:1", "queue.buffering.max.messages": 3, "log_level": 0}
    with pytest.raises(writers.BrokerTimeoutError, match="has not accepted 3 events"):
        writers.publish(lived(3, 5)[0], properties, CODEC, should_stop=lambda: True, patience_seconds=1.0)


def test_every_event_keeps_its_contract(tmp_path: Path) -> None:
    records = tuple(lived(10, 60)[0])
    file = sample_logs.write(tmp_path / "c.jsonl", records)
    read_back = list(read_lines(file))
    assert len(read_back) == len(records)
    for line, record in zip(read_back, records, strict=True):
        assert isinstance(line, EventLine), line
        assert line.record(CODEC) == (record.key.encode(), writers.encoded(record, CODEC))
        assert line.timestamp_ms == record.at_ms


def test_event_ids_are_unique(year: tuple[list[Published], list[Truth]]) -> None:
    ids = [record.value["event_id"] for record in year[0] if record.value]
    assert len(ids) == len(set(ids))


def test_trouble_shows_before_it_is_missed(year: tuple[list[Published], list[Truth]]) -> None:
    """In the month before their first missed instalment defaulters buy cheaper and draw more cash than before."""
    records, truth = year
    missed = {
        line.borrower_id: line.first_missed_due_date for line in reversed(truth) if isinstance(line, DefaultTruth)
    }
    assert len(missed) >= 8
    spent: dict[str, Counter[str]] = defaultdict(Counter)
    for record in records:
        value = record.value or {}
        if record.key not in missed or record.topic != "spending-events":
            continue
        ahead = missed[record.key] - value["event_time"].date()
        when = (
            "month before" if timedelta(0) < ahead <= timedelta(30) else "long before" if ahead > timedelta(60) else ""
        )
        if when and (value["kind"] in ("PURCHASE", "CASH_ADVANCE")):
            spent[when]["all"] += 1
            spent[when]["stress"] += value["category"] in ("DISCOUNT_STORES", "PAWN", "GAMBLING", "CASH")
    share = {when: counts["stress"] / counts["all"] for when, counts in spent.items()}
    assert share["month before"] > 1.5 * share["long before"]


def test_the_truth_is_told_aside_and_never_in_the_events(year: tuple[list[Published], list[Truth]]) -> None:
    records, truth = year
    kinds = {line.life_event for line in truth if isinstance(line, LifeEventTruth)}
    assert kinds == set(LifeEvent)
    words = {event.value for event in LifeEvent}
    for record in records[::7]:
        assert not words & {str(item) for item in (record.value or {}).values()}


def test_the_truth_comes_back_from_its_file(tmp_path: Path, year: tuple[list[Published], list[Truth]]) -> None:
    with TruthWriter(tmp_path / "truth.jsonl") as writer:
        for line in year[1]:
            writer(line)
    assert read(tmp_path / "truth.jsonl") == year[1]
    first = next(line for line in year[1] if isinstance(line, DefaultTruth))
    as_of = first.default_date - timedelta(10)
    assert days_to_default(year[1], as_of)[first.borrower_id] == 10


def test_flags_give_their_shares() -> None:
    plan = sample_logs.plan(40, 60, 5, duplicate_share=0.1, malformed_share=0.05, late_share=0.1)
    records = list(City(plan).events())
    whole = [record for record in records if record.flaw is None]
    ids = Counter(record.value["event_id"] for record in whole if record.value)
    assert 0.08 < sum(count == 2 for count in ids.values()) / len(ids) < 0.12
    assert 0.04 < (len(records) - len(whole)) / len(ids) < 0.06
    late = sum(
        record.at_ms - record.value["event_time"].timestamp() * 1000 > 3_600_000 for record in whole if record.value
    )
    assert 0.06 < late / len(whole) < 0.12


def test_pacing_follows_the_clock() -> None:
    now = [100.0]
    records = [Published(at_ms, "spending-events", "b", {}) for at_ms in (0, 10_000, 70_000)]
    seen = []
    for _ in throttled(records, 10.0, clock=lambda: now[0], sleep=lambda s: now.__setitem__(0, now[0] + s)):
        seen.append(round(now[0] - 100.0, 3))
    assert seen == [0.0, 1.0, 7.0]


@pytest.mark.parametrize(
    "change", [{"borrowers": 0}, {"days": 0}, {"lenders": ()}, {"late_share": 2.0}, {"currency": "yuan"}]
)
def test_an_impossible_plan_is_told(change: dict[str, object]) -> None:
    fields: dict[str, object] = {"borrowers": 1, "seed": 1, "start": sample_logs.START, **change}
    with pytest.raises(PlanError, match=next(iter(change))):
        CityPlan(**fields)  # type: ignore[arg-type]
