"""Memory for undo logs that the system may write to disk."""

import mmap
import os
import tempfile
from pathlib import Path

import numpy as np

from loanpulse.streams.partition.chunk_arena import Words
from loanpulse.streams.partition.undo_log import WORD
from loanpulse.streams.partition.undo_memory import Allocate


def on_disk(folder: Path) -> Allocate:
    """Return a function that allocates memory which the system may write to a nameless file in ``folder``."""

    def allocate(words: int) -> Words:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as file:
            os.posix_fallocate(file.fileno(), 0, words * WORD)
            return np.frombuffer(mmap.mmap(file.fileno(), words * WORD), np.int64)

    return allocate
