"""An allocator of chunks: many growing queues of words, one per borrower, in one array.

A row's words lie in a list of chunks, oldest first. The first word of a chunk is the number of the next chunk. Freed
chunks form a list too and are used again before the array's untouched end.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from loanpulse.schemas.compiled import compiled
from loanpulse.streams.record.layout import Integers, Records

Words = npt.NDArray[np.int64]

CHUNK = 64
"""Words of a chunk; the first is the number of the next chunk."""
SPAN = np.dtype([("head", "i4"), ("tail", "i4"), ("used", "i4"), ("begin", "u1"), ("end", "u1")])
"""Where a row's words lie: first and last chunk (-1 for none), words used, and where these begin and end in them."""
TOP, FREE, FREE_COUNT = range(3)


class ChunkArena(NamedTuple):
    """``words`` of all chunks and each row's span.

    ``state`` holds the first chunk never used (TOP), the first free one (FREE, -1 for none) and the number of free
    ones (FREE_COUNT).
    """

    words: Words
    spans: Records
    state: Integers


@compiled
def has_room(arena: ChunkArena, chunks: int) -> bool:
    """Return whether ``chunks`` more can be allocated."""
    return bool(arena.state[FREE_COUNT] + len(arena.words) // CHUNK - arena.state[TOP] >= chunks)


@compiled
def allocate_chunk(arena: ChunkArena) -> int:
    """Return a chunk to write to; there must be one."""
    chunk = arena.state[FREE]
    if chunk >= 0:
        arena.state[FREE] = arena.words[chunk * CHUNK]
        arena.state[FREE_COUNT] -= 1
        return int(chunk)
    chunk = arena.state[TOP]
    arena.state[TOP] += 1
    return int(chunk)


@compiled
def free_chunk(arena: ChunkArena, chunk: int) -> int:
    """Free a chunk; returns the number of the one after it."""
    after = int(arena.words[chunk * CHUNK])
    arena.words[chunk * CHUNK] = arena.state[FREE]
    arena.state[FREE] = chunk
    arena.state[FREE_COUNT] += 1
    return after


@compiled
def append_words(arena: ChunkArena, row: int, source: Words, size: int) -> None:
    """Append ``source[:size]`` to the row's words; there must be room."""
    words = arena.words
    span = arena.spans[row]
    if span["head"] < 0:
        span["head"] = span["tail"] = allocate_chunk(arena)
        span["begin"] = span["end"] = 1
    end = int(span["end"])
    done = 0
    while done < size:
        if end == CHUNK:
            chunk = allocate_chunk(arena)
            words[span["tail"] * CHUNK] = chunk
            span["tail"] = chunk
            end = 1
        at = span["tail"] * CHUNK + end - done
        step = min(size, done + CHUNK - end)
        end += step - done
        for word in range(done, step):
            words[at + word] = source[word]
        done = step
    span["end"] = end
    span["used"] += size


@compiled
def first_word(arena: ChunkArena, row: int) -> int:
    """Return the row's oldest word; there must be one."""
    span = arena.spans[row]
    if span["begin"] == CHUNK:
        span["head"], span["begin"] = free_chunk(arena, span["head"]), 1
    return int(arena.words[span["head"] * CHUNK + span["begin"]])


@compiled
def drop_first(arena: ChunkArena, row: int, size: int) -> None:
    """Drop the row's ``size`` oldest words, and free the chunks that this empties; call after ``first_word``."""
    span = arena.spans[row]
    left = size
    span["used"] -= left
    while span["begin"] + left > CHUNK:
        left -= CHUNK - span["begin"]
        span["head"], span["begin"] = free_chunk(arena, span["head"]), 1
    span["begin"] += left


@compiled
def free_empty(arena: ChunkArena, row: int) -> None:
    """Free the last chunk of a row that has no words left."""
    span = arena.spans[row]
    if span["head"] >= 0:
        free_chunk(arena, span["head"])
        span["head"] = -1


@compiled
def wipe(arena: ChunkArena, row: int) -> None:
    """Drop all of the row's words and overwrite them."""
    span = arena.spans[row]
    chunk = span["head"]
    while chunk >= 0:
        after = arena.words[chunk * CHUNK] if chunk != span["tail"] else -1
        arena.words[chunk * CHUNK + 1 : (chunk + 1) * CHUNK] = 0
        free_chunk(arena, chunk)
        chunk = after
    span["head"] = -1
    span["used"] = 0


@compiled
def copy_words(arena: ChunkArena, row: int, out: Words) -> None:
    """Copy the row's words, oldest first, to ``out``, which is just as long."""
    span, words = arena.spans[row], arena.words
    chunk, begin, done = int(span["head"]), int(span["begin"]), 0
    while done < len(out):
        end = min(len(out), done + CHUNK - begin)
        at = chunk * CHUNK + begin - done
        for word in range(done, end):
            out[word] = words[at + word]
        done = end
        chunk, begin = int(words[chunk * CHUNK]), 1
