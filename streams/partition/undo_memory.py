"""The memory of a partition's undo log: an arena that grows when truncating frees too little."""

from collections.abc import Callable

import numpy as np

from loanpulse.streams.partition.chunk_arena import CHUNK, SPAN, TOP, ChunkArena, Words, append_words, has_room
from loanpulse.streams.partition.undo_log import (
    LONGEST_ENTRY,
    REACH_MS,
    SPARE_CHUNKS,
    WORD,
    UndoLog,
    is_whole,
    truncate_all_before,
    truncate_before,
    words_of,
)
from loanpulse.streams.record.event import EVENT
from loanpulse.streams.record.layout import LONG_AGO, NEVER, Records, empty_records

Allocate = Callable[[int], Words]
"""Returns memory for so many words."""

FIRST_CHUNKS = 1 << 12


def in_memory(words: int) -> Words:
    """Return ordinary memory; a page that is never written costs nothing."""
    return np.empty(words, np.int64)


class UndoMemory:
    """The arena, which ``allocate`` gives, and the scratch of an undo log that reaches ``reach_ms`` back."""

    def __init__(self, reach_ms: int, allocate: Allocate) -> None:
        self._allocate = allocate
        self._words = allocate(FIRST_CHUNKS * CHUNK)
        self._spans = np.zeros(0, SPAN)
        self._chunks = np.array([0, -1, 0])
        self._state = np.array([LONG_AGO, reach_ms])
        self._past = empty_records(4)
        self._event = np.zeros(2, EVENT)
        self._entry = np.zeros(LONGEST_ENTRY, np.int64)

    @property
    def nbytes(self) -> int:
        """The bytes of the chunks that are or were in use."""
        return int(self._chunks[TOP]) * CHUNK * WORD

    def of(self, records: Records) -> UndoLog:
        """Return the log of ``records`` for compiled functions."""
        if len(records) > len(self._spans):
            more = np.zeros(len(records) - len(self._spans), SPAN)
            more["head"] = -1
            self._spans = np.append(self._spans, more)
        return UndoLog(
            words_of(records), ChunkArena(self._words, self._spans, self._chunks), self._state, self._past,
            words_of(self._past), self._event, np.frombuffer(self._event, np.int64), self._entry,
        )  # fmt: skip

    def make_room(self, log: UndoLog, time_ms: int, chunks: int = SPARE_CHUNKS) -> UndoLog:
        """Return the log with room for ``chunks`` more: by truncating it at ``time_ms``, or in a larger arena."""
        if has_room(log.arena, chunks):
            return log
        truncate_all_before(log, max(time_ms, 0) - int(self._state[REACH_MS]))
        held = len(self._words) // CHUNK
        # An arena that stays nearly full would have to be truncated again and again.
        if not has_room(log.arena, max(chunks, held // 8)):
            words = self._allocate(max(2 * held, held + chunks) * CHUNK)
            words[: len(self._words)] = self._words
            self._words = words
        return log._replace(arena=log.arena._replace(words=self._words))

    def put(self, log: UndoLog, row: int, raw: bytes) -> None:
        """Replace a row's entries by stored ones; drops these where no log is kept.

        Raises:
            ValueError: the bytes are not whole entries.
        """
        if len(raw) % WORD or not is_whole(entries := np.frombuffer(raw, np.int64)):
            raise ValueError(
                f"{len(raw)} bytes are not a borrower's undo log: rebuild the state from the topics' start"
            )
        truncate_before(log, row, NEVER)
        if len(entries) and self._state[REACH_MS]:
            # Entries are dropped while no log is kept: re-enabling it later would rewind through a gap.
            log = self.make_room(log, LONG_AGO, len(entries) // (CHUNK - 1) + 2)
            append_words(log.arena, row, entries, len(entries))
