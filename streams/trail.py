"""What each fold and each scoring changed in a borrower's record, so that a copy of it can be led back through time.

An entry holds the exclusive or of the record's words before and after, so that laying it over the record after gives
the record before, and the other way round. A late fold keeps its event too, to be folded into earlier moments. What no
scoring reads (offsets, ids last seen, when to score next, contacts) is left out and stays as it is in the present.

A borrower's entries stand one after the other, oldest first, in a block of the lane's arena of 8-byte words. Blocks
come in fixed sizes; one that is too small is left for the next larger, and found again by those who need its size.
"""

import mmap
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from loanpulse.streams.borrower_record import BORROWER, LONG_AGO, Integers, Record, Records, empty_records
from loanpulse.streams.compiled import compiled
from loanpulse.streams.event_columns import EVENT, Events

Words = npt.NDArray[np.int64]
Allocate = Callable[[int], Words]
"""Gives so many words of memory."""

FOLDED, LATE, SCORED = 1, 2, 3
WORD = 8
WORDS = BORROWER.itemsize // WORD
"""The whole words of a record; what is left of it is of contacts, which no entry holds."""
EVENT_WORDS = -(-EVENT.itemsize // WORD)
_IDS = tuple(BORROWER.fields[name][1] for name in ("recent_low", "recent_high"))  # type: ignore[index]
_GROUP = 62
"""Words whose changes are marked in one word, which stays positive."""
_IDS_BEGIN = -(-_IDS[0] // WORD)
_IDS_END = (_IDS[1] + BORROWER["recent_high"].itemsize) // WORD
GROUP_BEGIN = np.array([0, *range(_IDS_END, WORDS, _GROUP)])
GROUP_END = np.array([_IDS_BEGIN, *(min(begin + _GROUP, WORDS) for begin in range(_IDS_END, WORDS, _GROUP))])
MOST_WORDS = 1 + len(GROUP_BEGIN) + WORDS + EVENT_WORDS
"""The longest entry."""
KIND_BITS, PRESENT_BITS, SIZE_BITS = 2, len(GROUP_BEGIN), 9
TIME_SHIFT = KIND_BITS + PRESENT_BITS + SIZE_BITS
SIZES = np.array([size << power for power in range(2, 34) for size in (4, 5, 6, 7)])
"""Words of a block, by its class."""
FIRST_ARENA = 1 << 18
TOP, WANTED, SAID, REACH = range(4)


class Trail(NamedTuple):
    """The trails of a lane as the compiled functions take them.

    Per row ``place`` is where its block begins, ``used`` how many of its words are, ``size`` its class, -1 without
    one. ``free`` is, per class, the first of the blocks given back (-1 for none), each of which names the next. ``state``
    holds by TOP from where the arena is unused, by WANTED how many words were missing, by SAID up to which moment a
    restatement that ran out of room has come, by REACH how far back (ms) the past is kept, 0 for not at all. ``past``,
    ``event`` and ``entry`` are records, an event and an entry to work on.
    """

    words: Words
    arena: Words
    place: Integers
    used: Integers
    size: Integers
    free: Integers
    state: Integers
    past: Records
    past_words: Words
    event: Events
    event_words: Words
    entry: Words


def in_memory(words: int) -> Words:
    """Return words of ordinary memory; what is never written costs none."""
    return np.empty(words, np.int64)


def on_disk(folder: Path) -> Allocate:
    """Return what gives memory that the system may write out to a nameless file in ``folder`` rather than hold."""

    def allocate(words: int) -> Words:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as file:
            os.posix_fallocate(file.fileno(), 0, words * WORD)
            return np.frombuffer(mmap.mmap(file.fileno(), words * WORD), np.int64)

    return allocate


BEFORE, LED_BACK, RESTATED, HANDED_ON = range(4)
"""What the records to work on are for."""


def words_of(records: Records) -> Words:
    """Return the records' whole words, a row each, in the same memory."""
    return np.ndarray((len(records), WORDS), np.int64, records, 0, (BORROWER.itemsize, WORD))  # type: ignore[call-overload]


@compiled
def kind_of(header: int) -> int:
    """Return the kind of the entry that begins with ``header``."""
    return header & ((1 << KIND_BITS) - 1)


@compiled
def size_of(header: int) -> int:
    """Return the words of the entry that begins with ``header``, itself among them."""
    return (header >> (KIND_BITS + PRESENT_BITS)) & ((1 << SIZE_BITS) - 1)


@compiled
def time_of(header: int) -> int:
    """Return the time (ms) of the entry that begins with ``header``: the event's, or the moment scored."""
    return header >> TIME_SHIFT


@compiled
def class_of(words: int) -> int:
    """Return the smallest class of blocks that holds ``words``."""
    size = 0
    while SIZES[size] < words:
        size += 1
    return size


@compiled
def with_slack(words: int) -> int:
    """Return how many words a block for ``words`` is to hold, so that not every entry has to make room anew."""
    return words + words // 8


@compiled
def has_room(trail: Trail, row: int) -> bool:
    """Tell whether the row's next entry finds room, however long it is; if not, notes how many words are wanted."""
    words = with_slack(trail.used[row] + MOST_WORDS)
    if trail.state[TOP] + SIZES[class_of(words)] <= len(trail.arena):
        return True
    trail.state[WANTED] = SIZES[class_of(words)]
    return False


@compiled
def give_back(trail: Trail, row: int) -> None:
    """Empty a row's trail and give its block to those who need one of its size."""
    size = trail.size[row]
    if size >= 0:
        trail.arena[trail.place[row]] = trail.free[size]
        trail.free[size] = trail.place[row]
    trail.size[row] = -1
    trail.used[row] = 0


@compiled
def new_block(trail: Trail, size: int) -> int:
    """Return where a block of a class begins; there must be one."""
    place = int(trail.free[size])
    if place >= 0:
        trail.free[size] = trail.arena[place]
        return place
    place = int(trail.state[TOP])
    trail.state[TOP] = place + SIZES[size]
    return place


@compiled
def first_kept(trail: Trail, row: int, time: int) -> int:
    """Return how far into the row's block the first scoring at or after ``time`` (ms) stands; its end without one."""
    at = 0
    while at < trail.used[row]:
        header = trail.arena[trail.place[row] + at]
        if kind_of(header) == SCORED and time_of(header) >= time:
            return at
        at += size_of(header)
    return at


@compiled
def make_room(trail: Trail, row: int, words: int, time: int) -> None:
    """Let ``words`` more find room in the row's block: by letting go what ``time`` (ms) has left behind, or in a larger."""
    begin = 0
    if trail.used[row] > 0:
        begin = first_kept(trail, row, time - trail.state[REACH])
    kept = trail.used[row] - begin
    old = trail.place[row] + begin
    wanted = with_slack(kept + words)
    if trail.size[row] < 0 or SIZES[trail.size[row]] < wanted:
        size = class_of(wanted)
        place = new_block(trail, size)
        trail.arena[place : place + kept] = trail.arena[old : old + kept]
        give_back(trail, row)
        trail.place[row], trail.size[row] = place, size
    elif begin > 0:
        for word in range(kept):
            trail.arena[trail.place[row] + word] = trail.arena[old + word]
    trail.used[row] = kept


@compiled
def keep_before(trail: Trail, record: Record) -> None:
    """Keep a copy of the record before it is changed."""
    trail.past[BEFORE] = record


@compiled
def leave(trail: Trail, row: int, kind: int, time: int) -> None:
    """Leave an entry of what has changed in the row's record since ``keep_before``.

    That of a late fold takes its event from ``trail.event``.
    """
    before, after, found = trail.past_words[BEFORE], trail.words[row], trail.entry
    size = 1
    present = 0
    for group in range(len(GROUP_BEGIN)):
        place = size
        marks = 0
        begin = GROUP_BEGIN[group]
        for word in range(begin, GROUP_END[group]):
            change = before[word] ^ after[word]
            if change != 0:
                size += 1
                found[size] = change
                marks |= 1 << (word - begin)
        if marks != 0:
            found[place] = marks
            size += 1
            present |= 1 << group
    if kind == LATE:
        found[size : size + EVENT_WORDS] = trail.event_words[:EVENT_WORDS]
        size += EVENT_WORDS
    found[0] = (time << TIME_SHIFT) | (size << (KIND_BITS + PRESENT_BITS)) | (present << KIND_BITS) | kind
    if trail.size[row] < 0 or trail.used[row] + size > SIZES[trail.size[row]]:
        make_room(trail, row, size, time)
    end = trail.place[row] + trail.used[row]
    for word in range(size):
        trail.arena[end + word] = found[word]
    trail.used[row] += size


@compiled
def lay_over(trail: Trail, at: int, place: int) -> int:
    """Undo or do again in the working record ``place`` what the entry at ``at`` of the arena tells; returns its end."""
    header = trail.arena[at]
    word_at = at + 1
    for group in range(len(GROUP_BEGIN)):
        if (header >> (KIND_BITS + group)) & 1 == 0:
            continue
        marks = trail.arena[word_at]
        word_at += 1
        word = GROUP_BEGIN[group]
        while marks != 0:
            if marks & 1:
                trail.past_words[place][word] ^= trail.arena[word_at]
                word_at += 1
            marks >>= 1
            word += 1
    return at + size_of(header)


@compiled
def read_event(trail: Trail, at: int) -> None:
    """Read the event that the entry of a late fold at ``at`` of the arena keeps into ``trail.event``."""
    end = at + size_of(trail.arena[at])
    trail.event_words[:EVENT_WORDS] = trail.arena[end - EVENT_WORDS : end]


@compiled
def is_whole(entries: Words) -> bool:
    """Tell whether words are entries from the first to the last."""
    at = 0
    while at < len(entries):
        size = size_of(entries[at])
        if size == 0:
            return False
        at += size
    return at == len(entries)


@compiled
def let_go(trail: Trail, time: int) -> None:
    """Give back the blocks of borrowers who were not scored at or after ``time`` (ms)."""
    for row in range(len(trail.size)):
        if trail.size[row] >= 0 and first_kept(trail, row, time) == trail.used[row]:
            give_back(trail, row)


@compiled
def write_out(
    trail: Trail, records: Records, raw: npt.NDArray[np.uint8], rows: Integers, out: npt.NDArray[np.uint8], ends: Integers
) -> int:
    """Write each row's record (of ``raw``, its bytes) and what of its trail is within reach, one after the other.

    ``ends`` gains where each ends. Returns the bytes needed; where ``out`` is shorter, nothing is written beyond it.
    """
    end = 0
    width = raw.shape[1]
    entries = trail.arena.view(np.uint8)
    for position in range(len(rows)):
        row = rows[position]
        begin = first_kept(trail, row, records[row]["scored_at"] - trail.state[REACH])
        length = WORD * (trail.used[row] - begin)
        if end + width + length <= len(out):
            out[end : end + width] = raw[row]
            start = WORD * (trail.place[row] + begin)
            out[end + width : end + width + length] = entries[start : start + length]
        end += width + length
        ends[position] = end
    return end


class Trails:
    """The memory of a lane's trails: how far back they reach (ms), and the arena, which ``allocate`` gives."""

    def __init__(self, reach_ms: int, allocate: Allocate) -> None:
        self._allocate = allocate
        self._arena = allocate(FIRST_ARENA) if reach_ms else np.empty(0, np.int64)
        self._place = np.zeros(0, np.int64)
        self._used = np.zeros(0, np.int32)
        self._size = np.zeros(0, np.int8)
        self._free = np.full(len(SIZES), -1, np.int64)
        self._state = np.array([0, 0, LONG_AGO, reach_ms])
        self._past = empty_records(4)
        self._event = np.zeros(2, EVENT)
        self._entry = np.zeros(MOST_WORDS, np.int64)

    @property
    def nbytes(self) -> int:
        """The bytes of the arena that are or were in use."""
        return int(self._state[TOP]) * WORD

    def of(self, records: Records) -> Trail:
        """Return the trails of ``records`` for the compiled functions."""
        rows = len(records) - len(self._place)
        if rows > 0:
            self._place = np.append(self._place, np.zeros(rows, np.int64))
            self._used = np.append(self._used, np.zeros(rows, np.int32))
            self._size = np.append(self._size, np.full(rows, -1, np.int8))
        return Trail(
            words_of(records), self._arena, self._place, self._used, self._size, self._free, self._state,
            self._past, words_of(self._past), self._event, np.frombuffer(self._event, np.int64), self._entry,
        )  # fmt: skip

    def make_room(self, trail: Trail, time: int) -> None:
        """Find the words that were wanted: what was left behind at ``time`` (ms), or else a larger arena."""
        wanted, self._state[WANTED] = int(self._state[WANTED]), 0
        if not wanted:
            return
        let_go(trail, max(time, 0) - int(self._state[REACH]))
        top = int(self._state[TOP])
        arena = self._allocate(max(2 * len(self._arena), top + wanted))
        arena[:top] = self._arena[:top]
        self._arena = arena

    def put(self, trail: Trail, row: int, raw: bytes) -> None:
        """Put a borrower's stored entries in place of those that are there.

        Raises:
            ValueError: the bytes are not entries.
        """
        if len(raw) % WORD or not is_whole(entries := np.frombuffer(raw, np.int64)):
            raise ValueError(f"{len(raw)} bytes are not a borrower's trail: rebuild the state from the topics' start")
        give_back(trail, row)
        size = class_of(with_slack(len(entries)))
        if self._state[TOP] + SIZES[size] > len(self._arena):
            self._state[WANTED] = SIZES[size]
            self.make_room(trail, LONG_AGO)
            trail = trail._replace(arena=self._arena)
        self._place[row], self._size[row], self._used[row] = new_block(trail, size), size, len(entries)
        self._arena[self._place[row] : self._place[row] + len(entries)] = entries
