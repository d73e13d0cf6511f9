"""Passes directives from the thread that reads the control topics to the engine's thread."""

from queue import SimpleQueue
from typing import Any

from loanpulse.schemas.dead_letters import DeadLetter
from loanpulse.streams.directives.directives import Application, Directive, Directives


class DirectiveInbox:
    """What the reader of the control topics fills, and the engine's thread drains between two steps."""

    def __init__(self, directives: Directives) -> None:
        self._directives = directives
        self._records: SimpleQueue[Directive | Application | None] = SimpleQueue()
        self._refused: SimpleQueue[DeadLetter] = SimpleQueue()

    @property
    def topics(self) -> tuple[str, ...]:
        """The topics (bare names) whose records ``add`` accepts."""
        return self._directives.topics

    def add(self, topic: str, value: dict[str, Any]) -> None:
        """Queue a record of a control topic.

        Raises:
            DirectiveError: it can't be applied.
        """
        self._records.put(self._directives.read(topic, value))

    def refuse(self, letter: DeadLetter) -> None:
        """Queue the dead letter of a record that can't be applied."""
        self._refused.put(letter)

    def drain(self) -> list[DeadLetter]:
        """Add the queued records to the directives; returns the queued dead letters."""
        while not self._records.empty():
            self._directives.put(self._records.get())
        letters = []
        while not self._refused.empty():
            letters.append(self._refused.get())
        return letters
