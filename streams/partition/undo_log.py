"""The undo log: for each fold and each scoring, what it changed in the borrower's record.

An entry stores the XOR of the record's 64-bit words before and after. Applied to the record after, it gives the record
before, and the other way round: from newest to oldest the entries rewind a copy of the record, from oldest to newest
they replay it. The entry of a late event also stores the event, so that earlier scorings can be restated with it.
Fields that no scoring reads (offsets, event ids, the next scoring, contacts) are left out and never rewound.

An entry is: one header word (kind, groups of words with a change, size, time), for each such group one word of marks
and then the changed words, and for a late event its words.
"""

from typing import NamedTuple

import numpy as np

from loanpulse.schemas.compiled import compiled
from loanpulse.streams.partition.chunk_arena import (
    CHUNK,
    ChunkArena,
    Words,
    append_words,
    copy_words,
    drop_first,
    first_word,
    free_empty,
)
from loanpulse.streams.record.event import EVENT, Events
from loanpulse.streams.record.layout import BORROWER, Integers, Record, Records

FOLDED, LATE, SCORED = 1, 2, 3
"""Kinds of entries: an event folded in time, a late event folded, a scoring."""
WORD = 8
"""Bytes of a word."""
WORDS = BORROWER.itemsize // WORD
"""The whole words of a record. The bytes behind them are contacts, which no entry holds."""
EVENT_WORDS = -(-EVENT.itemsize // WORD)
GROUP = 62
"""Words whose changes are marked in one word, which stays positive."""
_IDS_BEGIN = -(-BORROWER.fields["recent_low"][1] // WORD)  # type: ignore[index]
_IDS_END = (BORROWER.fields["recent_high"][1] + BORROWER["recent_high"].itemsize) // WORD  # type: ignore[index]
GROUP_BEGIN = np.array([0, *range(_IDS_END, WORDS, GROUP)])
GROUP_END = np.array([_IDS_BEGIN, *(min(begin + GROUP, WORDS) for begin in GROUP_BEGIN[1:].tolist())])
LONGEST_ENTRY = 1 + len(GROUP_BEGIN) + WORDS + EVENT_WORDS
"""Words of the longest entry."""
KIND_BITS, SIZE_BITS = 2, 9
PRESENT_BITS = len(GROUP_BEGIN)
TIME_SHIFT = KIND_BITS + PRESENT_BITS + SIZE_BITS

MAX_WORDS = 64_000
"""Words of a borrower's entries: with the record they must fit into one changelog message (Kafka takes 1 MB)."""
SPARE_CHUNKS = LONGEST_ENTRY // (CHUNK - 1) + 2
"""Chunks that the longest entry may need."""
RESUME_AT, REACH_MS = range(2)
"""In ``state``: the scoring time after which an interrupted restatement resumes, and how far back entries are kept."""
BEFORE, REWOUND, RESTATED, HANDED_ON = range(4)
"""Uses of the ``past`` records: the record before a change; the rewound copy; the copy that is restated; and the copy
from which the next restated scoring continues."""


class UndoLog(NamedTuple):
    """The undo log of a partition as compiled functions take it.

    ``words`` are those of the borrowers' records, ``arena`` holds each row's entries. ``state`` is described at
    RESUME_AT and REACH_MS (0 ms: no log is kept). ``past``, ``event`` and ``entry`` are scratch: records, an event and
    an entry; ``past_words`` and ``event_words`` are the same memory as words.
    """

    words: Words
    arena: ChunkArena
    state: Integers
    past: Records
    past_words: Words
    event: Events
    event_words: Words
    entry: Words


def words_of(records: Records) -> Words:
    """Return the records' whole words, one row each, in the same memory."""
    return np.ndarray((len(records), WORDS), np.int64, records, 0, (BORROWER.itemsize, WORD))


@compiled
def kind_of(header: int) -> int:
    """Return an entry's kind from its header."""
    return header & ((1 << KIND_BITS) - 1)


@compiled
def size_of(header: int) -> int:
    """Return an entry's size in words, header included, from its header."""
    return (header >> (KIND_BITS + PRESENT_BITS)) & ((1 << SIZE_BITS) - 1)


@compiled
def time_of(header: int) -> int:
    """Return an entry's time (ms) from its header: the event's time, or the time of the scoring."""
    return header >> TIME_SHIFT


@compiled
def truncate_before(log: UndoLog, row: int, time_ms: int) -> None:
    """Drop the row's entries before its first scoring at or after ``time_ms``, and the oldest beyond MAX_WORDS."""
    arena = log.arena
    span = arena.spans[row]
    while span["used"] > 0:
        header = first_word(arena, row)
        if kind_of(header) == SCORED and time_of(header) >= time_ms and span["used"] <= MAX_WORDS:
            return
        drop_first(arena, row, size_of(header))
    free_empty(arena, row)


@compiled
def truncate_all_before(log: UndoLog, time_ms: int) -> None:
    """Do ``truncate_before`` for all rows."""
    for row in range(len(log.arena.spans)):
        truncate_before(log, row, time_ms)


@compiled
def entries_of(log: UndoLog, row: int) -> Words:
    """Return a copy of the row's entries, oldest first."""
    entries = np.empty(log.arena.spans[row]["used"], np.int64)
    copy_words(log.arena, row, entries)
    return entries


@compiled
def keep_before(log: UndoLog, record: Record) -> None:
    """Copy the record before it is changed."""
    log.past[BEFORE] = record


@compiled
def append_delta(log: UndoLog, row: int, kind: int, time_ms: int) -> None:
    """Append an entry with what changed in the row's record since ``keep_before``; there must be room.

    The entry of a late event stores ``log.event``.
    """
    before, after, entry = log.past_words[BEFORE], log.words[row], log.entry
    size = 1
    present = 0
    for group in range(len(GROUP_BEGIN)):
        marks_at = size
        marks = 0
        begin = GROUP_BEGIN[group]
        for word in range(begin, GROUP_END[group]):
            change = before[word] ^ after[word]
            if change != 0:
                size += 1
                entry[size] = change
                marks |= 1 << (word - begin)
        if marks != 0:
            entry[marks_at] = marks
            size += 1
            present |= 1 << group
    if kind == LATE:
        entry[size : size + EVENT_WORDS] = log.event_words[:EVENT_WORDS]
        size += EVENT_WORDS
    entry[0] = (time_ms << TIME_SHIFT) | (size << (KIND_BITS + PRESENT_BITS)) | (present << KIND_BITS) | kind
    if log.arena.spans[row]["end"] + size > CHUNK:
        truncate_before(log, row, time_ms - log.state[REACH_MS])
    append_words(log.arena, row, entry, size)


@compiled
def apply_delta(record: Words, entries: Words, at: int) -> int:
    """Undo in a record's words the entry at ``at``, or redo it if it is undone; returns where the next entry begins."""
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
def read_event(log: UndoLog, entries: Words, at: int) -> None:
    """Copy the event that the late event's entry at ``at`` stores to ``log.event``."""
    end = at + size_of(entries[at])
    log.event_words[:EVENT_WORDS] = entries[end - EVENT_WORDS : end]


@compiled
def is_whole(entries: Words) -> bool:
    """Return whether words are entries from the first word to the last."""
    at = 0
    while at < len(entries):
        size = size_of(entries[at])
        if size == 0:
            return False
        at += size
    return at == len(entries)


@compiled
def sizes_within_reach(log: UndoLog, records: Records, rows: Integers, ends: Integers) -> None:
    """Truncate each row's log to its reach, and fill where its entries end when all are written one after another."""
    end = 0
    for index in range(len(rows)):
        row = rows[index]
        truncate_before(log, row, records[row]["scored_at"] - log.state[REACH_MS])
        end += log.arena.spans[row]["used"]
        ends[index] = end


@compiled
def write_entries(log: UndoLog, rows: Integers, ends: Integers, out: Words) -> None:
    """Write the entries of each row to the places that ``sizes_within_reach`` filled in."""
    begin = 0
    for index in range(len(rows)):
        copy_words(log.arena, rows[index], out[begin : ends[index]])
        begin = ends[index]
