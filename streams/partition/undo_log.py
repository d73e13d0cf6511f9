"""What each fold and each scoring changed in a borrower's record, so that a copy of it can be led back through time.

An entry holds the exclusive or of the record's words before and after, so that laying it over the record after gives
the record before, and the other way round. A late fold keeps its event too, to be folded into earlier moments. What no
scoring reads (offsets, ids last seen, when to score next, contacts) is left out and stays as it is in the present.

A borrower's entries stand one after the other, oldest first, in chunks of the lane's arena. A chunk names the one after
it; chunks that are free again are taken first.
"""

import mmap
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from loanpulse.schemas.compiled import compiled
from loanpulse.streams.record.event import EVENT, Events
from loanpulse.streams.record.layout import BORROWER, LONG_AGO, NEVER, Integers, Record, Records, empty_records

Words = npt.NDArray[np.int64]
Allocate = Callable[[int], Words]
"""Gives so many words of memory."""

FOLDED, LATE, SCORED = 1, 2, 3
WORD = 8
WORDS = BORROWER.itemsize // WORD
"""The whole words of a record; what is left of it is of contacts, which no entry holds."""
EVENT_WORDS = -(-EVENT.itemsize // WORD)
GROUP = 62
"""Words whose changes are marked in one word, which stays positive."""
_IDS_BEGIN = -(-BORROWER.fields["recent_low"][1] // WORD)  # type: ignore[index]
_IDS_END = (BORROWER.fields["recent_high"][1] + BORROWER["recent_high"].itemsize) // WORD  # type: ignore[index]
GROUP_BEGIN = np.array([0, *range(_IDS_END, WORDS, GROUP)])
GROUP_END = np.array([_IDS_BEGIN, *(min(begin + GROUP, WORDS) for begin in GROUP_BEGIN[1:].tolist())])
MOST_WORDS = 1 + len(GROUP_BEGIN) + WORDS + EVENT_WORDS
"""The longest entry."""
KIND_BITS, SIZE_BITS = 2, 9
PRESENT_BITS = len(GROUP_BEGIN)
TIME_SHIFT = KIND_BITS + PRESENT_BITS + SIZE_BITS

CHUNK = 64
"""Words of a chunk; the first names the next chunk."""
MAX_WORDS = 64_000
"""Words of a borrower's trail: it must fit into one message of the changelog with the record (Kafka takes 1 MB)."""
FIRST_CHUNKS = 1 << 12
SPARE_CHUNKS = MOST_WORDS // (CHUNK - 1) + 2
"""Chunks that the longest entry may take."""
PLACE = np.dtype([("head", "i4"), ("tail", "i4"), ("used", "i4"), ("begin", "u1"), ("end", "u1")])
"""Where a borrower's entries stand: first and last chunk (-1 for none), words used, and where these begin and end."""
TOP, FREE, FREE_COUNT, SAID, REACH = range(5)
BEFORE, LED_BACK, RESTATED, HANDED_ON = range(4)
"""What the records to work on are for."""


class UndoLog(NamedTuple):
    """The trails of a lane as the compiled functions take them: ``words`` of its records, and each row's ``places``.

    ``state`` holds, by TOP, the first chunk never used; by FREE the first of those given back, and how many they are;
    by SAID, up to which moment a restatement that ran out of room has come; by REACH, how far back (ms) the past is
    kept, 0 for not at all. ``past``, ``event`` and ``entry`` are records, an event and an entry to work on.
    """

    words: Words
    arena: Words
    places: Records
    state: Integers
    past: Records
    past_words: Words
    event: Events
    event_words: Words
    entry: Words


def words_of(records: Records) -> Words:
    """Return the records' whole words, a row each, in the same memory."""
    return np.ndarray((len(records), WORDS), np.int64, records, 0, (BORROWER.itemsize, WORD))


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
def has_room(trail: UndoLog, chunks: int) -> bool:
    """Tell whether ``chunks`` more can be taken."""
    return bool(trail.state[FREE_COUNT] + len(trail.arena) // CHUNK - trail.state[TOP] >= chunks)


@compiled
def take_chunk(trail: UndoLog) -> int:
    """Return a chunk that is free; there must be one."""
    chunk = trail.state[FREE]
    if chunk >= 0:
        trail.state[FREE] = trail.arena[chunk * CHUNK]
        trail.state[FREE_COUNT] -= 1
        return int(chunk)
    chunk = trail.state[TOP]
    trail.state[TOP] += 1
    return int(chunk)


@compiled
def free_chunk(trail: UndoLog, chunk: int) -> int:
    """Give a chunk back; returns the one after it."""
    after = int(trail.arena[chunk * CHUNK])
    trail.arena[chunk * CHUNK] = trail.state[FREE]
    trail.state[FREE] = chunk
    trail.state[FREE_COUNT] += 1
    return after


@compiled
def append(trail: UndoLog, row: int, entries: Words, size: int) -> None:
    """Add ``size`` words of ``entries`` at the end of the row's; there must be room."""
    arena = trail.arena
    place = trail.places[row]
    if place["head"] < 0:
        place["head"] = place["tail"] = take_chunk(trail)
        place["begin"] = place["end"] = 1
    end = int(place["end"])
    done = 0
    while done < size:
        if end == CHUNK:
            chunk = take_chunk(trail)
            arena[place["tail"] * CHUNK] = chunk
            place["tail"] = chunk
            end = 1
        at = place["tail"] * CHUNK + end - done
        step = min(size, done + CHUNK - end)
        end += step - done
        for word in range(done, step):
            arena[at + word] = entries[word]
        done = step
    place["end"] = end
    place["used"] += size


@compiled
def let_go(trail: UndoLog, row: int, time: int) -> None:
    """Let the row's entries go before its first scoring at or after ``time`` (ms), and those too many to be kept."""
    place = trail.places[row]
    while place["used"] > 0:
        if place["begin"] == CHUNK:
            place["head"], place["begin"] = free_chunk(trail, place["head"]), 1
        header = trail.arena[place["head"] * CHUNK + place["begin"]]
        if kind_of(header) == SCORED and time_of(header) >= time and place["used"] <= MAX_WORDS:
            return
        left = size_of(header)
        place["used"] -= left
        while place["begin"] + left > CHUNK:
            left -= CHUNK - place["begin"]
            place["head"], place["begin"] = free_chunk(trail, place["head"]), 1
        place["begin"] += left
    if place["head"] >= 0:
        free_chunk(trail, place["head"])
        place["head"] = -1


@compiled
def wipe(trail: UndoLog, row: int) -> None:
    """Let all of the row's entries go and overwrite them."""
    place = trail.places[row]
    chunk = place["head"]
    while chunk >= 0:
        after = trail.arena[chunk * CHUNK] if chunk != place["tail"] else -1
        trail.arena[chunk * CHUNK + 1 : (chunk + 1) * CHUNK] = 0
        free_chunk(trail, chunk)
        chunk = after
    place["head"] = -1
    place["used"] = 0


@compiled
def let_all_go(trail: UndoLog, time: int) -> None:
    """Let the entries of all rows go as ``let_go`` does."""
    for row in range(len(trail.places)):
        let_go(trail, row, time)


@compiled
def copy_entries(trail: UndoLog, row: int, out: Words) -> None:
    """Write the row's entries, one after the other, to ``out``, which has just the room."""
    place, arena = trail.places[row], trail.arena
    chunk, begin, done = int(place["head"]), int(place["begin"]), 0
    while done < len(out):
        end = min(len(out), done + CHUNK - begin)
        at = chunk * CHUNK + begin - done
        for word in range(done, end):
            out[word] = arena[at + word]
        done = end
        chunk, begin = int(arena[chunk * CHUNK]), 1


@compiled
def entries_of(trail: UndoLog, row: int) -> Words:
    """Return the row's entries, one after the other."""
    entries = np.empty(trail.places[row]["used"], np.int64)
    copy_entries(trail, row, entries)
    return entries


@compiled
def keep_before(trail: UndoLog, record: Record) -> None:
    """Keep a copy of the record before it is changed."""
    trail.past[BEFORE] = record


@compiled
def leave(trail: UndoLog, row: int, kind: int, time: int) -> None:
    """Leave an entry of what has changed in the row's record since ``keep_before``; there must be room.

    That of a late fold takes its event from ``trail.event``.
    """
    before, after, found = trail.past_words[BEFORE], trail.words[row], trail.entry
    size = 1
    present = 0
    for group in range(len(GROUP_BEGIN)):
        marked_at = size
        marks = 0
        begin = GROUP_BEGIN[group]
        for word in range(begin, GROUP_END[group]):
            change = before[word] ^ after[word]
            if change != 0:
                size += 1
                found[size] = change
                marks |= 1 << (word - begin)
        if marks != 0:
            found[marked_at] = marks
            size += 1
            present |= 1 << group
    if kind == LATE:
        found[size : size + EVENT_WORDS] = trail.event_words[:EVENT_WORDS]
        size += EVENT_WORDS
    found[0] = (time << TIME_SHIFT) | (size << (KIND_BITS + PRESENT_BITS)) | (present << KIND_BITS) | kind
    if trail.places[row]["end"] + size > CHUNK:
        let_go(trail, row, time - trail.state[REACH])
    append(trail, row, found, size)


@compiled
def apply_delta(record: Words, entries: Words, at: int) -> int:
    """Undo or do again in a record's words what the entry at ``at`` tells; returns where the next begins."""
    header = entries[at]
    word_at = at + 1
    for group in range(len(GROUP_BEGIN)):
        if (header >> (KIND_BITS + group)) & 1 == 0:
            continue
        marks = entries[word_at]
        word_at += 1
        word = GROUP_BEGIN[group]
        while marks != 0:
            if marks & 1:
                record[word] ^= entries[word_at]
                word_at += 1
            marks >>= 1
            word += 1
    return at + size_of(header)


@compiled
def read_event(trail: UndoLog, entries: Words, at: int) -> None:
    """Read the event that the entry of a late fold at ``at`` keeps into ``trail.event``."""
    end = at + size_of(entries[at])
    trail.event_words[:EVENT_WORDS] = entries[end - EVENT_WORDS : end]


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
def sizes_within_reach(trail: UndoLog, records: Records, rows: Integers, ends: Integers) -> None:
    """Fill where the entries of each row end when written one after the other; those out of reach are let go."""
    end = 0
    for position in range(len(rows)):
        row = rows[position]
        let_go(trail, row, records[row]["scored_at"] - trail.state[REACH])
        end += trail.places[row]["used"]
        ends[position] = end


@compiled
def write_entries(trail: UndoLog, rows: Integers, ends: Integers, out: Words) -> None:
    """Write the entries of each row to where ``sizes_within_reach`` says."""
    begin = 0
    for position in range(len(rows)):
        copy_entries(trail, rows[position], out[begin : ends[position]])
        begin = ends[position]


def in_memory(words: int) -> Words:
    """Return words of ordinary memory; what is never written costs none."""
    return np.empty(words, np.int64)


def on_disk(folder: Path) -> Allocate:
    """Return what gives memory that the system may write to a nameless file in ``folder`` rather than hold."""

    def allocate(words: int) -> Words:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as file:
            os.posix_fallocate(file.fileno(), 0, words * WORD)
            return np.frombuffer(mmap.mmap(file.fileno(), words * WORD), np.int64)

    return allocate


class Trails:
    """The memory of a lane's trails: how far back they reach (ms), and the arena, which ``allocate`` gives."""

    def __init__(self, reach_ms: int, allocate: Allocate) -> None:
        self._allocate = allocate
        self._arena = allocate(FIRST_CHUNKS * CHUNK)
        self._places = np.zeros(0, PLACE)
        self._state = np.array([0, -1, 0, LONG_AGO, reach_ms])
        self._past = empty_records(4)
        self._event = np.zeros(2, EVENT)
        self._entry = np.zeros(MOST_WORDS, np.int64)

    @property
    def nbytes(self) -> int:
        """The bytes of the chunks that are or were in use."""
        return int(self._state[TOP]) * CHUNK * WORD

    def of(self, records: Records) -> UndoLog:
        """Return the trails of ``records`` for the compiled functions."""
        if len(records) > len(self._places):
            more = np.zeros(len(records) - len(self._places), PLACE)
            more["head"] = -1
            self._places = np.append(self._places, more)
        return UndoLog(
            words_of(records), self._arena, self._places, self._state, self._past, words_of(self._past),
            self._event, np.frombuffer(self._event, np.int64), self._entry,
        )  # fmt: skip

    def make_room(self, trail: UndoLog, time: int, chunks: int = SPARE_CHUNKS) -> UndoLog:
        """Return the trails with room for ``chunks`` more: in what ``time`` (ms) left behind, or in a larger arena."""
        if has_room(trail, chunks):
            return trail
        let_all_go(trail, max(time, 0) - int(self._state[REACH]))
        held = len(self._arena) // CHUNK
        # An arena that stays nearly full would have to be gone through again and again.
        if not has_room(trail, max(chunks, held // 8)):
            arena = self._allocate(max(2 * held, held + chunks) * CHUNK)
            arena[: len(self._arena)] = self._arena
            self._arena = arena
        return trail._replace(arena=self._arena)

    def put(self, trail: UndoLog, row: int, raw: bytes) -> None:
        """Put a borrower's stored entries in place of those that are there; none where no past is kept.

        Raises:
            ValueError: the bytes are not entries.
        """
        if len(raw) % WORD or not is_whole(entries := np.frombuffer(raw, np.int64)):
            raise ValueError(f"{len(raw)} bytes are not a borrower's trail: rebuild the state from the topics' start")
        let_go(trail, row, NEVER)
        if len(entries) and self._state[REACH]:
            # Were they kept without those that should follow, a later reach would lead astray.
            append(self.make_room(trail, LONG_AGO, len(entries) // (CHUNK - 1) + 2), row, entries, len(entries))
