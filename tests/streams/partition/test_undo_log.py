"""A borrower's trail leads a copy of the record back and forward again, is stored whole, and gives back what is old."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loanpulse.schemas.contracts import ScoringCause
from loanpulse.schemas.units import DAY_MS
from loanpulse.streams.partition.fold_and_score import fold_now, score_now
from loanpulse.streams.partition.store import BorrowerStore
from loanpulse.streams.partition.undo_log import (
    CHUNK,
    FIRST_CHUNKS,
    FREE_COUNT,
    LATE,
    MAX_WORDS,
    SCORED,
    TIME_SHIFT,
    TOP,
    Trails,
    append,
    apply_delta,
    entries_of,
    in_memory,
    kind_of,
    let_go,
    on_disk,
    read_event,
    size_of,
    time_of,
    words_of,
)
from loanpulse.streams.policy import policy_file
from loanpulse.streams.record.layout import BORROWER, NEVER, empty_records
from loanpulse.streams.scoring.score import SCORE
from tests.support.event_batches import START, event_batches

PARAMETERS = policy_file.load().parameters
LEFT_OUT = {
    "offsets", "recent_low", "recent_high", "recent_next", "pending_at", "timer_at", "lhi", "contact_at",
    "contact_lender",
}  # fmt: skip
"""What no scoring reads."""


def lived(slab: BorrowerStore, key: bytes, events: np.ndarray) -> list[np.void]:
    """Fold events in the order given and score after each third; returns the record before and after each step."""
    row = slab.row(key)
    record, trail, score = slab.records[row], slab.trail, np.zeros(1, SCORE)[0]
    states = [record.copy()]
    for number, event in enumerate(events):
        fold_now(record, row, event, trail)
        states.append(record.copy())
        if number % 3 == 2:
            score_now(record, row, START + (number + 1) * DAY_MS, int(ScoringCause.EVENT), PARAMETERS, trail, score)
            states.append(record.copy())
    slab.dirty[row] = True
    return states


def same(one: np.void, other: np.void) -> bool:
    return all(
        one[name].tobytes() == other[name].tobytes() for name in BORROWER.names if name not in LEFT_OUT | {"restate"}
    )


@settings(deadline=None, max_examples=50)
@given(event_batches())
def test_a_copy_is_led_back_to_every_state_and_forward_again(events: np.ndarray) -> None:
    slab = BorrowerStore(30 * DAY_MS)
    states = lived(slab, b"b-1", events)
    entries = entries_of(slab.trail, 0)
    starts, at = [], 0
    while at < len(entries):
        starts.append(at)
        at += size_of(entries[at])
    assert len(starts) >= len(states) - 1 - 3, "at most the folds before the first scoring were let go"
    states = states[-len(starts) - 1 :]
    copy = empty_records(1)
    copy[0] = states[-1]
    for start, before in zip(reversed(starts), reversed(states[:-1]), strict=True):
        apply_delta(words_of(copy)[0], entries, start)
        assert same(copy[0], before)
    for start, after in zip(starts, states[1:], strict=True):
        apply_delta(words_of(copy)[0], entries, start)
        assert same(copy[0], after)
    assert copy[0].tobytes() == states[-1].tobytes()


@settings(deadline=None, max_examples=30)
@given(event_batches())
def test_a_late_fold_keeps_its_event_whole(events: np.ndarray) -> None:
    slab = BorrowerStore(30 * DAY_MS)
    events["row"] = 7
    lived(slab, b"b-1", events)
    trail, entries = slab.trail, entries_of(slab.trail, 0)
    scored_at, expected = None, []
    for number, event in enumerate(events):
        if scored_at is not None and event["event_time"] < scored_at:
            kept = event.copy()
            kept["row"] = 0
            expected.append(kept.tobytes())
        if number % 3 == 2:
            scored_at = START + (number + 1) * DAY_MS
    found, at = [], 0
    while at < len(entries):
        if kind_of(entries[at]) == LATE:
            read_event(trail, entries, at)
            found.append(trail.event[0].tobytes())
            assert time_of(entries[at]) == trail.event[0]["event_time"]
        at += size_of(entries[at])
    assert found == expected


@settings(deadline=None, max_examples=30)
@given(st.lists(event_batches(), min_size=1, max_size=4))
def test_what_is_stored_of_a_borrower_comes_back_with_the_trail(lives: list[np.ndarray]) -> None:
    slab, again = BorrowerStore(30 * DAY_MS), BorrowerStore(30 * DAY_MS)
    for number, events in enumerate(lives):
        lived(slab, b"b-%d" % number, events)
    stored = list(slab.take_dirty())
    for key, raw in [*stored, *stored]:
        again.load(key, raw)
    for row, (key, raw) in enumerate(stored):
        assert again.keys[row] == key
        assert again.records[row].tobytes() == slab.records[row].tobytes()
        assert entries_of(again.trail, row).tobytes() == raw[BORROWER.itemsize :]
    again.dirty[: len(again)] = True
    assert list(again.take_dirty()) == stored


def test_a_trail_that_is_not_carried_on_is_dropped() -> None:
    slab = BorrowerStore(0)
    slab.load(b"b-1", empty_records(1).tobytes() + entry(5, 0).tobytes())
    slab.dirty[0] = True
    assert list(slab.take_dirty()) == [(b"b-1", empty_records(1).tobytes())]


def test_a_trail_cut_short_is_refused() -> None:
    slab = BorrowerStore(DAY_MS)
    whole = empty_records(1).tobytes() + entry(5, 0).tobytes()
    slab.load(b"b-1", whole)
    for raw in (whole[:-1], whole[:-8], whole[:-40] + bytes(40)):
        with pytest.raises(ValueError, match="rebuild the state"):
            slab.load(b"b-1", raw)


def entry(size: int, time: int) -> np.ndarray:
    """A scoring's entry of ``size`` words."""
    words = np.arange(size, dtype=np.int64) + time
    words[0] = time << TIME_SHIFT | size << (TIME_SHIFT - 9) | SCORED
    return words


@pytest.mark.parametrize("disk", [False, True])
def test_chunks_hold_what_was_put_there_however_they_are_used_again(tmp_path: Path, disk: bool) -> None:
    """Against plain lists: rows that grow, let go and are put anew, until the arena has grown more than once."""
    dice = np.random.default_rng(8)
    trails = Trails(DAY_MS, on_disk(tmp_path) if disk else in_memory)
    records = empty_records(40)
    trail = trails.of(records)
    kept: list[list[np.ndarray]] = [[] for _ in records]
    for time in range(12_000):
        row = int(dice.integers(len(records)))
        trail = trails.make_room(trail, 0)
        one = entry(int(dice.integers(2, 340)), time)
        append(trail, row, one, len(one))
        kept[row].append(one)
        if dice.random() < 0.05:
            oldest = time - int(dice.integers(9_000))
            let_go(trail, row, oldest)
            kept[row] = [one for one in kept[row] if time_of(one[0]) >= oldest]
        if dice.random() < 0.01:
            trails.put(trail, row, np.concatenate([*kept[row], one]).tobytes())
            trail = trails.of(records)
            kept[row].append(one)
        assert entries_of(trail, row).tobytes() == b"".join(one.tobytes() for one in kept[row])
    assert len(trail.arena) >= 4 * FIRST_CHUNKS * CHUNK
    for row in range(len(records)):
        assert entries_of(trail, row).tobytes() == b"".join(one.tobytes() for one in kept[row])
        let_go(trail, row, NEVER)
    assert trail.state[FREE_COUNT] == trail.state[TOP], "every chunk is free again"
    assert not list(tmp_path.iterdir()), "the file has no name"


def test_memory_follows_the_events_within_reach() -> None:
    trails = Trails(100, in_memory)
    records = empty_records(50)
    trail = trails.of(records)
    for time in range(60_000):
        trail = trails.make_room(trail, time)
        # Each borrower in turn is silent from some time on.
        row = time % max(1, 50 - time // 1_500)
        if trail.places[row]["end"] + 40 > CHUNK:
            let_go(trail, row, time - 100)
        append(trail, row, entry(40, time), 40)
    assert trails.nbytes <= FIRST_CHUNKS * CHUNK * 8


def test_the_newest_of_a_very_active_borrower_are_kept() -> None:
    trails = Trails(DAY_MS, in_memory)
    trail = trails.of(empty_records(1))
    for time in range(1_000):
        trail = trails.make_room(trail, 0)
        append(trail, 0, entry(300, time), 300)
        let_go(trail, 0, 0)
    entries = entries_of(trail, 0)
    assert MAX_WORDS - 300 < len(entries) <= MAX_WORDS
    assert time_of(entries[-300]) == 999
    assert len(entries) * 8 + BORROWER.itemsize < 1_000_000


def test_a_forgotten_borrower_leaves_nothing_behind() -> None:
    slab = BorrowerStore(DAY_MS)
    row = slab.row(b"b-1")
    trail = slab.trail
    append(trail, row, entry(300, 0x0123456789), 300)
    slab.forget(row)
    assert not len(entries_of(trail, row))
    used = trail.arena[: int(trail.state[TOP]) * CHUNK].reshape(-1, CHUNK)
    assert len(used) == 5
    assert not used[:, 1:].any()
