"""The pure core as its drivers use it: fetched records in, refusals and scorings out.

The Faust worker and ``loanpulse replay`` both drive this engine, which knows neither Kafka nor the clock.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from loanpulse.schemas.registry import SchemaRegistry
from loanpulse.schemas.violations import Violation
from loanpulse.streams.event_columns import FORGET
from loanpulse.streams.intake import Fetched, Intake
from loanpulse.streams.lane import Lane
from loanpulse.streams.outputs import Outputs, scoring_ids
from loanpulse.streams.policy import Policy
from loanpulse.streams.scoring import Scores
from loanpulse.streams.slab import Keys

DAY_MS = 86_400_000


@dataclass(frozen=True, slots=True)
class EngineOptions:
    """What decides how events are taken: the same options over the same log give the same scorings."""

    partitions: int
    currency: str = "CNY"
    allowed_lateness_ms: int = 7 * DAY_MS
    future_tolerance_ms: int = 300_000


@dataclass(frozen=True, slots=True)
class Refused:
    """One record that could not be taken: its place in what was fetched, and why."""

    place: int
    violation: Violation


@dataclass(frozen=True, slots=True)
class Scored:
    """Scorings with their borrowers' keys and their deterministic ids, in the same order."""

    scores: Scores
    keys: Keys
    ids: Keys

    def __len__(self) -> int:
        return len(self.scores)


@dataclass(slots=True)
class Engine:
    """The lanes of the partitions that this process owns."""

    options: EngineOptions
    policy: Policy
    registry: SchemaRegistry
    lanes: dict[int, Lane] = field(default_factory=dict)
    outputs: Outputs = field(init=False)
    _intake: Intake = field(init=False)

    def __post_init__(self) -> None:
        self.outputs = Outputs(self.policy)
        self._intake = Intake(
            self.registry, self.options.currency, self.options.partitions, self.options.future_tolerance_ms
        )

    def lane(self, partition: int) -> Lane:
        """Return the lane of a partition, an empty one where it is new."""
        if partition not in self.lanes:
            self.lanes[partition] = Lane(self.policy.card, self.options.allowed_lateness_ms)
        return self.lanes[partition]

    def drop(self, partition: int) -> None:
        """Forget a partition that another worker has taken over."""
        self.lanes.pop(partition, None)

    def take(self, fetched: Fetched) -> list[Refused]:
        """Decode and check records and let them wait in their lane; returns those to be refused.

        Records that were taken before (redelivered) are passed over in silence.

        Raises:
            RegistryUnavailable: a schema id is new and the registry can't be asked now; nothing was taken.
        """
        read = self._intake.events(fetched)
        events = read.events
        lane = self.lane(fetched.partition)
        events["row"] = lane.slab.rows_of(read.keys, events["error"] == 0)
        for place in fetched.forgets:
            events["error"][place] = FORGET
            events["row"][place] = lane.slab.find(fetched.keys[place] or b"")
        taken = lane.add(fetched.source, events)
        skipped = len(events) - len(taken)
        wrong = np.flatnonzero((taken["error"] != 0) & (taken["error"] != FORGET))
        return [Refused(skipped + place, Violation(int(taken["error"][place]))) for place in wrong.tolist()]

    def run(self, partition: int, limit: int, *, inclusive: bool = False) -> Scored:
        """Carry a partition's borrowers to the event time ``limit`` (ms)."""
        lane = self.lane(partition)
        scores = lane.run(limit, inclusive=inclusive)
        keys = lane.slab.keys[scores["row"]]
        return Scored(scores, keys, scoring_ids(keys, scores["time"]))


def fetched_of(
    source: int, partition: int, first_offset: int, timestamps: Sequence[int], keys: Sequence[bytes],
    values: Sequence[bytes],
) -> Fetched:  # fmt: skip
    """Return consecutive records from ``first_offset`` on as if a broker had given them."""
    return Fetched.of(source, partition, range(first_offset, first_offset + len(keys)), timestamps, keys, values)
