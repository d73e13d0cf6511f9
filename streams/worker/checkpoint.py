"""Making a step durable, in an order that lets a step be repeated after a crash at any point with the same results.

First the applications of directives (I7): a repetition must know them before it scores. Then the outputs, then the
state that counts them (I2): budgets and borrowers, then each partition's own entry. Only then are input offsets
committed (I3). A partition's own entry is a batch of its own at the changelog's end: some brokers report the end of a
partition as the first offset of its last batch, and a recovery would stop before the rest of a longer one.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from loanpulse.broker.producer import DurableProducer
from loanpulse.schemas.dead_letters import DeadLetter

Messages = list[dict[str, Any]]
Offsets = dict[tuple[str, int], int]

QUEUE_PROPERTIES = {"queue.buffering.max.messages": 1_000_000, "queue.buffering.max.kbytes": 1_048_576}
"""Room for the largest checkpoint, so that a producer seldom waits for its own queue."""


@dataclass(slots=True)
class Checkpoint:
    """What one step has to make durable.

    ``outputs`` are by (topic, partition), ``changelog`` and ``own_entries`` by partition; ``offsets`` are the next ones
    to read, by (topic, partition). ``unencoded`` are functions that encode further outputs, to be called on the thread
    that writes them.
    """

    applications: Messages = field(default_factory=list)
    outputs: dict[tuple[str, int], Messages] = field(default_factory=dict)
    unencoded: list[tuple[tuple[str, int], Callable[[], Messages]]] = field(default_factory=list)
    dead_letters: list[DeadLetter] = field(default_factory=list)
    changelog: dict[int, Messages] = field(default_factory=dict)
    own_entries: dict[int, dict[str, Any]] = field(default_factory=dict)
    offsets: Offsets = field(default_factory=dict)

    @property
    def empty(self) -> bool:
        """Whether there is nothing to make durable."""
        return not self.own_entries and self.silent

    @property
    def silent(self) -> bool:
        """Whether there is no output."""
        return not (self.applications or self.outputs or self.unencoded or self.dead_letters)


class CheckpointPublisher:
    """Writes checkpoints. Outputs and state have a producer each, so that neither waits for the other's queue."""

    def __init__(
        self, properties: dict[str, Any], changelog_topic: str, dead_letter_topic: str, applications_topic: str
    ) -> None:
        self._outputs = DurableProducer({**properties, **QUEUE_PROPERTIES})
        self._state = DurableProducer({**properties, **QUEUE_PROPERTIES})
        self._changelog_topic = changelog_topic
        self._dead_letter_topic = dead_letter_topic
        self._applications_topic = applications_topic

    def publish_outputs(self, checkpoint: Checkpoint) -> None:
        """Write a checkpoint's outputs; on return all of them are durable. Raises PublishError."""
        if checkpoint.applications:
            self._outputs.produce_batch(self._applications_topic, 0, checkpoint.applications)
            self._outputs.flush()
        for (topic, partition), encode in checkpoint.unencoded:
            self._outputs.produce_batch(topic, partition, encode())
        for (topic, partition), messages in checkpoint.outputs.items():
            self._outputs.produce_batch(topic, partition, messages)
        for letter in checkpoint.dead_letters:
            self._outputs.produce(self._dead_letter_topic, letter.key, letter.value, headers=letter.headers())
        self._outputs.flush()

    def publish_state(self, checkpoint: Checkpoint) -> None:
        """Write a checkpoint's state, whose outputs are durable; on return it is durable too. Raises PublishError."""
        for partition, messages in checkpoint.changelog.items():
            self._state.produce_batch(self._changelog_topic, partition, messages)
        self._state.flush()
        for partition, entry in checkpoint.own_entries.items():
            self._state.produce_batch(self._changelog_topic, partition, [entry])
        self._state.flush()
