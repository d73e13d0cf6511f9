"""The undo log rewinds a copy of the record and replays it, is stored completely, and frees what is old."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loanpulse.schemas.contracts import ScoringCause
from loanpulse.schemas.units import DAY_MS
from loanpulse.streams.partition.chunk_arena import CHUNK, FREE_COUNT, TOP, append_words
from loanpulse.streams.partition.fold_and_score import fold_now, score_now
from loanpulse.streams.partition.store import BorrowerStore
from loanpulse.streams.partition.undo_log import (
    LATE,
    MAX_WORDS,
    SCORED,
    TIME_SHIFT,
    apply_delta,
    entries_of,
    kind_of,
    read_event,
    size_of,
    time_of,
    truncate_before,
    words_of,
)
from loanpulse.streams.partition.undo_memory import FIRST_CHUNKS, UndoMemory, in_memory
from loanpulse.streams.policy import policy_file
from loanpulse.streams.record.layout import BORROWER, NEVER, empty_records
from loanpulse.streams.scoring.score import SCORE
from loanpulse.streams.worker.disk_memory import on_disk
from tests.support.event_batches import START, event_batches

PARAMETERS = policy_file.load().parameters
LEFT_OUT = {
    "offsets", "recent_low", "recent_high", "recent_next", "pending_at", "timer_at", "lhi", "contact_at",
    "contact_lender",
}  # fmt: skip
"""What no scoring reads."""


def lived(store: BorrowerStore, key: bytes, events: np.ndarray) -> list[np.void]:
    """Fold events in the order given and score after each third; returns the record before and after each step."""
    row = store.row(key)
    record, log, score = store.records[row], store.undo_log, np.zeros(1, SCORE)[0]
    states = [record.copy()]
    for number, event in enumerate(events):
        fold_now(record, row, event, log)
        states.append(record.copy())
        if number % 3 == 2:
            score_now(record, row, START + (number + 1) * DAY_MS, int(ScoringCause.EVENT), PARAMETERS, log, score)
            states.append(record.copy())
    store.dirty[row] = True
    return states


def same(one: np.void, other: np.void) -> bool:
    return all(
        one[name].tobytes() == other[name].tobytes() for name in BORROWER.names if name not in LEFT_OUT | {"restate"}
    )


@settings(deadline=None, max_examples=50)
@given(event_batches())
def test_a_copy_is_rewound_to_every_state_and_replayed(events: np.ndarray) -> None:
    store = BorrowerStore(30 * DAY_MS)
    states = lived(store, b"b-1", events)
    entries = entries_of(store.undo_log, 0)
    starts, at = [], 0
    while at < len(entries):
        starts.append(at)
        at += size_of(entries[at])
    assert len(starts) >= len(states) - 1 - 3, "at most the folds before the first scoring were dropped"
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
def test_the_entry_of_a_late_event_stores_the_event(events: np.ndarray) -> None:
    store = BorrowerStore(30 * DAY_MS)
    events["row"] = 7
    lived(store, b"b-1", events)
    log, entries = store.undo_log, entries_of(store.undo_log, 0)
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
            read_event(log, entries, at)
            found.append(log.event[0].tobytes())
            assert time_of(entries[at]) == log.event[0]["event_time"]
        at += size_of(entries[at])
    assert found == expected


@settings(deadline=None, max_examples=30)
@given(st.lists(event_batches(), min_size=1, max_size=4))
def test_a_stored_borrower_is_restored_with_its_undo_log(lives: list[np.ndarray]) -> None:
    store, again = BorrowerStore(30 * DAY_MS), BorrowerStore(30 * DAY_MS)
    for number, events in enumerate(lives):
        lived(store, b"b-%d" % number, events)
    stored = list(store.drain_dirty())
    for key, raw in [*stored, *stored]:
        again.load(key, raw)
    for row, (key, raw) in enumerate(stored):
        assert again.keys[row] == key
        assert again.records[row].tobytes() == store.records[row].tobytes()
        assert entries_of(again.undo_log, row).tobytes() == raw[BORROWER.itemsize :]
    again.dirty[: len(again)] = True
    assert list(again.drain_dirty()) == stored


def test_stored_entries_are_dropped_where_no_undo_log_is_kept() -> None:
    store = BorrowerStore(0)
    store.load(b"b-1", empty_records(1).tobytes() + entry(5, 0).tobytes())
    store.dirty[0] = True
    assert list(store.drain_dirty()) == [(b"b-1", empty_records(1).tobytes())]


def test_a_truncated_undo_log_is_refused() -> None:
    store = BorrowerStore(DAY_MS)
    whole = empty_records(1).tobytes() + entry(5, 0).tobytes()
    store.load(b"b-1", whole)
    for raw in (whole[:-1], whole[:-8], whole[:-40] + bytes(40)):
        with pytest.raises(ValueError, match="rebuild the state"):
            store.load(b"b-1", raw)


def entry(size: int, time: int) -> np.ndarray:
    """A scoring's entry of ``size`` words."""
    words = np.arange(size, dtype=np.int64) + time
    words[0] = time << TIME_SHIFT | size << (TIME_SHIFT - 9) | SCORED
    return words


@pytest.mark.parametrize("disk", [False, True])
def test_chunks_hold_what_was_written_however_often_they_are_reused(tmp_path: Path, disk: bool) -> None:
    """Against plain lists: rows that grow, are truncated and replaced, until the arena has grown more than once."""
    dice = np.random.default_rng(8)
    memory = UndoMemory(DAY_MS, on_disk(tmp_path) if disk else in_memory)
    records = empty_records(40)
    log = memory.of(records)
    kept: list[list[np.ndarray]] = [[] for _ in records]
    for time in range(12_000):
        row = int(dice.integers(len(records)))
        log = memory.make_room(log, 0)
        one = entry(int(dice.integers(2, 340)), time)
        append_words(log.arena, row, one, len(one))
        kept[row].append(one)
        if dice.random() < 0.05:
            oldest = time - int(dice.integers(9_000))
            truncate_before(log, row, oldest)
            kept[row] = [one for one in kept[row] if time_of(one[0]) >= oldest]
        if dice.random() < 0.01:
            memory.put(log, row, np.concatenate([*kept[row], one]).tobytes())
            log = memory.of(records)
            kept[row].append(one)
        assert entries_of(log, row).tobytes() == b"".join(one.tobytes() for one in kept[row])
    assert len(log.arena.words) >= 4 * FIRST_CHUNKS * CHUNK
    for row in range(len(records)):
        assert entries_of(log, row).tobytes() == b"".join(one.tobytes() for one in kept[row])
        truncate_before(log, row, NEVER)
    assert log.arena.state[FREE_COUNT] == log.arena.state[TOP], "every chunk is free again"
    assert not list(tmp_path.iterdir()), "the file has no name"


def test_memory_follows_the_events_within_reach() -> None:
    memory = UndoMemory(100, in_memory)
    records = empty_records(50)
    log = memory.of(records)
    for time in range(60_000):
        log = memory.make_room(log, time)
        # Each borrower in turn is silent from some time on.
        row = time % max(1, 50 - time // 1_500)
        if log.arena.spans[row]["end"] + 40 > CHUNK:
            truncate_before(log, row, time - 100)
        append_words(log.arena, row, entry(40, time), 40)
    assert memory.nbytes <= FIRST_CHUNKS * CHUNK * 8


def test_the_newest_of_a_very_active_borrower_are_kept() -> None:
    memory = UndoMemory(DAY_MS, in_memory)
    log = memory.of(empty_records(1))
    for time in range(1_000):
        log = memory.make_room(log, 0)
        append_words(log.arena, 0, entry(300, time), 300)
        truncate_before(log, 0, 0)
    entries = entries_of(log, 0)
    assert MAX_WORDS - 300 < len(entries) <= MAX_WORDS
    assert time_of(entries[-300]) == 999
    assert len(entries) * 8 + BORROWER.itemsize < 1_000_000


def test_a_forgotten_borrower_leaves_nothing_behind() -> None:
    store = BorrowerStore(DAY_MS)
    row = store.row(b"b-1")
    log = store.undo_log
    append_words(log.arena, row, entry(300, 0x0123456789), 300)
    store.forget(row)
    assert not len(entries_of(log, row))
    used = log.arena.words[: int(log.arena.state[TOP]) * CHUNK].reshape(-1, CHUNK)
    assert len(used) == 5
    assert not used[:, 1:].any()
