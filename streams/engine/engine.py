"""The pure core as its drivers use it: fetched records in, refusals and scorings out.

The Faust worker and ``loanpulse replay`` both drive this engine, which knows neither Kafka nor the clock.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from loanpulse.schemas.partitioning import partition_of
from loanpulse.schemas.registry import SchemaRegistry
from loanpulse.schemas.units import DAY_MS
from loanpulse.schemas.violations import Violation
from loanpulse.streams.alerts.contacts import note_contact
from loanpulse.streams.alerts.ids import scoring_ids
from loanpulse.streams.alerts.maker import decide_alerts
from loanpulse.streams.alerts.scored import Scored
from loanpulse.streams.alerts.value import Alert
from loanpulse.streams.directives.directives import Directive, Directives
from loanpulse.streams.directives.in_force import InForce
from loanpulse.streams.directives.kinds import DIRECTIVE_KINDS
from loanpulse.streams.engine.decode import EventDecoder, RecordBatch
from loanpulse.streams.partition.partition import Lane
from loanpulse.streams.partition.undo_log import Allocate, in_memory
from loanpulse.streams.policy.policy_file import Policy
from loanpulse.streams.record.event import FORGET


@dataclass(frozen=True, slots=True)
class EngineOptions:
    """What decides how events are taken: the same options over the same log give the same scorings."""

    partitions: int
    currency: str = "CNY"
    allowed_lateness_ms: int = 7 * DAY_MS
    max_clock_skew_ms: int = 300_000
    restatement_ms: int = 7 * DAY_MS


@dataclass(frozen=True, slots=True)
class Refused:
    """One record that could not be taken: its place in what was fetched, and why."""

    place: int
    violation: Violation


@dataclass(frozen=True, slots=True)
class Application:
    """That a partition obeys an order from a moment (ms) on."""

    partition: int
    order: Directive
    moment: int


@dataclass(slots=True)
class Engine:
    """The lanes of the partitions that this process owns.

    ``policy`` stands in each until an activation among ``controls`` takes effect there. ``allocate`` gives the memory
    for the borrowers' past.
    """

    options: EngineOptions
    policy: Policy
    registry: SchemaRegistry
    controls: Directives = field(default_factory=lambda: Directives(DIRECTIVE_KINDS))
    allocate: Allocate = in_memory
    lanes: dict[int, Lane] = field(default_factory=dict)
    _standing: dict[int, InForce] = field(default_factory=dict)
    _applications: dict[int, list[Application]] = field(default_factory=dict)
    _intake: EventDecoder = field(init=False)

    def __post_init__(self) -> None:
        self._intake = EventDecoder(
            self.registry, self.options.currency, self.options.partitions, self.options.max_clock_skew_ms
        )

    def lane(self, partition: int) -> Lane:
        """Return the lane of a partition, an empty one where it is new."""
        if partition not in self.lanes:
            self.lanes[partition] = Lane(
                self.policy.parameters, self.options.allowed_lateness_ms, self.options.restatement_ms, self.allocate
            )
        return self.lanes[partition]

    def drop(self, partition: int) -> None:
        """Forget a partition that another worker has taken over."""
        self.lanes.pop(partition, None)
        self._standing.pop(partition, None)
        self._applications.pop(partition, None)
        self.controls.forget(partition)

    def standing(self, partition: int) -> InForce:
        """Return what is in force in a partition's lane."""
        if partition not in self._standing:
            self._standing[partition] = InForce(self.policy)
        return self._standing[partition]

    def take(self, fetched: RecordBatch) -> list[Refused]:
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

    def carry(self, partition: int, limit: int, *, inclusive: bool = False) -> list[Scored]:
        """Carry a partition's borrowers to the event time ``limit`` (ms), obeying each order when its time comes."""
        lane, standing = self.lane(partition), self.standing(partition)
        done = []
        for order in self.controls.due(partition, limit):
            kind = self.controls.kind(order.topic)
            noted = self.controls.noted(partition, order)
            # What has been scored stays as it was said: an order that comes late holds from where the lane stands.
            moment = max(order.effective_at, lane.advanced_to + 1) if noted is None else noted
            if kind.splits and moment - 1 > lane.advanced_to:
                done.append(self.run(partition, moment - 1))
            kind.apply(standing, order, moment)
            lane.parameters = standing.parameters
            if noted is None:
                self.controls.note(partition, order.topic, order.identity, moment)
                borrower = None if kind.borrower is None else kind.borrower(order.content)
                if borrower is None or partition_of(borrower.encode(), self.options.partitions) == partition:
                    self._applications.setdefault(partition, []).append(Application(partition, order, moment))
        done.append(self.run(partition, limit, inclusive=inclusive))
        return [scored for scored in done if len(scored)]

    def take_applications(self, partition: int) -> list[Application]:
        """Return what orders a partition has begun to obey since the last call."""
        return self._applications.pop(partition, [])

    def alerts(self, scored: Scored) -> list[Alert]:
        """Return the alerts of scorings that ``carry`` has just made; call it once for each, in their order."""
        slab, in_force = self.lane(scored.partition).slab, self.standing(scored.partition)
        decided = decide_alerts(scored, in_force.suppressions, in_force.ledger, slab.records, self.options.partitions)
        in_force.ledger.apply(decided.charges)
        for contact in decided.contacts:
            # A borrower forgotten since the scoring has an empty record, which must stay empty to get its tombstone.
            if contact.row not in slab.gone or slab.dirty[contact.row]:
                note_contact(slab.records[contact.row], contact)
                slab.dirty[contact.row] = True
        return decided.alerts

    def run(self, partition: int, limit: int, *, inclusive: bool = False) -> Scored:
        """Carry a partition's borrowers to ``limit`` under what is in force now."""
        lane, standing = self.lane(partition), self.standing(partition)
        scores, kept = lane.run(limit, inclusive=inclusive)
        keys = lane.slab.keys[scores["row"]]
        ids = scoring_ids(keys, scores["time"], scores["known_at"])
        return Scored(partition, standing.policy, standing.model_version, scores, keys, ids, lane.parameters, kept)


def record_batch_of(
    source: int, partition: int, first_offset: int, timestamps: Sequence[int], keys: Sequence[bytes],
    values: Sequence[bytes],
) -> RecordBatch:  # fmt: skip
    """Return consecutive records from ``first_offset`` on as if a broker had given them."""
    return RecordBatch.of(source, partition, range(first_offset, first_offset + len(keys)), timestamps, keys, values)
