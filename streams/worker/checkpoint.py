"""Making a step durable, in the order that lets a crash at any point repeat the step and change nothing.

From when on an order is obeyed comes first: what is scored under it must not be told while a repetition would not know
it. Then outputs, then the state that already counts them, then each lane's own record, and only then may the input
offsets move. A lane's record stands in a batch of its own at the changelog's end: some brokers report the end of a
partition by the first offset of its last batch, and a recovery would stop before the rest of a longer one.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from loanpulse.broker.producer import DurableProducer
from loanpulse.schemas.dead_letters import DeadLetter
from loanpulse.streams.partition.partition import PARTITION_KEY

Messages = list[dict[str, Any]]
Offsets = dict[tuple[str, int], int]

QUEUE_PROPERTIES = {"queue.buffering.max.messages": 1_000_000, "queue.buffering.max.kbytes": 1_048_576}
"""Room for the largest checkpoint, so that a producer seldom waits for its own queue."""


@dataclass(slots=True)
class Checkpoint:
    """What one step leaves behind.

    ``applications`` say from when on orders are obeyed. ``outputs`` and ``changelog`` are per (topic, partition) and
    per partition; ``offsets`` are the next to read.
    ``unencoded`` makes further outputs when they are written, which is on another thread than the step's.
    """

    applications: Messages = field(default_factory=list)
    outputs: dict[tuple[str, int], Messages] = field(default_factory=dict)
    unencoded: list[tuple[tuple[str, int], Callable[[], Messages]]] = field(default_factory=list)
    dead_letters: list[DeadLetter] = field(default_factory=list)
    changelog: dict[int, Messages] = field(default_factory=dict)
    lanes: dict[int, bytes] = field(default_factory=dict)
    offsets: Offsets = field(default_factory=dict)

    @property
    def empty(self) -> bool:
        """Tell whether there is nothing to make durable."""
        return not self.lanes and self.silent

    @property
    def silent(self) -> bool:
        """Tell whether there is nothing to say to others."""
        return not (self.applications or self.outputs or self.unencoded or self.dead_letters)


class CheckpointPublisher:
    """Writes checkpoints: outputs with one idempotent producer and state with another, so that neither waits for the
    other's queue."""

    def __init__(
        self, properties: dict[str, Any], changelog_topic: str, dead_letter_topic: str, applications_topic: str
    ) -> None:
        self._outputs = DurableProducer({**properties, **QUEUE_PROPERTIES})
        self._state = DurableProducer({**properties, **QUEUE_PROPERTIES})
        self._changelog_topic = changelog_topic
        self._dead_letter_topic = dead_letter_topic
        self._applications_topic = applications_topic

    def publish_outputs(self, checkpoint: Checkpoint) -> None:
        """Write what a checkpoint says to others; on return all of it is durable. Raises PublishError."""
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
        """Write a checkpoint's state, whose outputs are durable; on return it is so too. Raises PublishError."""
        for partition, messages in checkpoint.changelog.items():
            self._state.produce_batch(self._changelog_topic, partition, messages)
        self._state.flush()
        for partition, raw in checkpoint.lanes.items():
            self._state.produce_batch(self._changelog_topic, partition, [{"key": PARTITION_KEY, "value": raw}])
        self._state.flush()
