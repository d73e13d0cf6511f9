"""The trainer's state as one file, replaced whole, so that its content is always consistent."""

import hashlib
import os
import pickle
from pathlib import Path

from loanpulse.streams.learning.learning_loop import LearningState

FILE = "trainer.state"
LAYOUT = b"loanpulse-trainer-5\n"
"""Changes with the classes that the state is made of."""
DIGEST_BYTES = 32


class TrainerStateError(RuntimeError):
    """The stored state can't be used; its text says what to do."""


def store(folder: Path, state: LearningState) -> None:
    """Write the state; after a crash at any point the file is the old one or the new one.

    Raises:
        OSError: the folder can't be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    body = pickle.dumps(state, protocol=5)
    waiting = folder / (FILE + ".new")
    with waiting.open("wb") as file:
        file.write(LAYOUT + hashlib.sha256(body).digest() + body)
        file.flush()
        os.fsync(file.fileno())
    waiting.replace(folder / FILE)
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def restore(folder: Path) -> LearningState | None:
    """Return the stored state, or None where there is none.

    The file is this process's own and is unpickled only if it is whole; it must be as protected as the code.

    Raises:
        TrainerStateError: it is damaged or of another version.
    """
    path = folder / FILE
    if not path.exists():
        return None
    content = path.read_bytes()
    head = len(LAYOUT) + DIGEST_BYTES
    body = content[head:]
    if not content.startswith(LAYOUT) or hashlib.sha256(body).digest() != content[len(LAYOUT) : head]:
        raise TrainerStateError(
            f"{path} is damaged or of another version: move it away, and the trainer learns anew from its topics"
        )
    state = pickle.loads(body)  # noqa: S301 - our own file, whole by its digest
    if not isinstance(state, LearningState):
        raise TrainerStateError(f"{path} holds something else than a trainer's state")
    return state
