"""One partition: its borrowers, its watermark, what is in force in it, and its changelog.

The verbs: ``offer`` buffers decoded events, ``advance`` applies directives, folds and scores up to an event time,
``alerts`` decides about the alerts of scorings, ``changed`` returns what the changelog has to store, and ``restore``
puts it back. Worker, replay and backtest use the same verbs, so that the same log gives the same results (I1).
"""

from collections.abc import Sequence

import numpy as np

from loanpulse.schemas.partitioning import partition_of
from loanpulse.schemas.sources import SOURCES
from loanpulse.schemas.spans import Spans
from loanpulse.streams.alerts.contacts import note_contact
from loanpulse.streams.alerts.ids import scoring_ids
from loanpulse.streams.alerts.maker import decide_alerts
from loanpulse.streams.alerts.scored import Scored
from loanpulse.streams.alerts.value import Alert
from loanpulse.streams.directives.directives import Application, Directive, Directives
from loanpulse.streams.directives.due import DueDirectives
from loanpulse.streams.directives.in_force import InForce
from loanpulse.streams.partition.changelog import BUDGETS_KEY, PARTITION_KEY, Changes, Entry, PartitionEntry
from loanpulse.streams.partition.fold_and_score import fold_events, score_rows
from loanpulse.streams.partition.merge import MergeBuffer
from loanpulse.streams.partition.score_buffers import KEPT_AT_ONCE, REDELIVERED, BufferPool, ScoreCollector
from loanpulse.streams.partition.store import BorrowerStore
from loanpulse.streams.partition.undo_memory import Allocate, in_memory
from loanpulse.streams.partition.watermark import Idle, PartitionClock, Watermark
from loanpulse.streams.policy.policy_file import Policy
from loanpulse.streams.record.event import FORGET, Events
from loanpulse.streams.record.layout import BORROWER, Integers


class Partition:
    """The partition ``number`` of ``partitions``.

    ``policy`` is in force until one of ``directives`` activates another. An event may be ``lateness_ms`` behind its
    source's watermark; when one is, scorings are restated ``restatement_ms`` back. ``allocate`` gives the memory of the
    undo log.
    """

    def __init__(
        self,
        number: int,
        policy: Policy,
        directives: Directives,
        *,
        partitions: int,
        lateness_ms: int,
        restatement_ms: int,
        allocate: Allocate = in_memory,
    ) -> None:
        self.number = number
        self.in_force = InForce(policy)
        self.watermark = Watermark()
        self.buffer = MergeBuffer(self.watermark, lateness_ms)
        self.store = BorrowerStore(restatement_ms, allocate)
        self._partitions = partitions
        self._directives = directives
        self._due = DueDirectives(directives, number)
        self._applications: list[Application] = []
        self._committable: Integers = np.zeros(SOURCES, np.int64)
        self._pool = BufferPool()
        self._kept_scratch = np.zeros(KEPT_AT_ONCE, BORROWER)
        self._counters: Integers = np.zeros(REDELIVERED + 1, np.int64)

    def offer(self, source: int, events: Events, keys: Spans, forgets: Sequence[int] = ()) -> Events:
        """Buffer a source's next events, in the order of their offsets, until ``advance`` reaches them.

        ``keys`` are the borrowers' ids, ``forgets`` the indexes of records that are orders to forget their borrower.
        Returns the events that were not offered or folded before, with ``error`` set where one is too late.
        """
        events["row"] = self.store.rows_of(keys, events["error"] == 0)
        for index in forgets:
            events["error"][index], events["kind"][index] = 0, FORGET
            events["row"][index] = self.store.find(keys[index] or b"")
        return self.buffer.offer(source, events)

    def step_until(self, idle: Idle, wall_ms: int, most_events: int) -> tuple[int, bool]:
        """Return up to which event time (ms) a step that folds about ``most_events`` goes, and whether more could be
        done."""
        safe_ms = self.watermark.safe_until(idle, wall_ms)
        enough_ms = self.buffer.time_after(most_events)
        if enough_ms < safe_ms:
            return max(enough_ms, self.watermark.reached_ms), True
        return safe_ms, False

    def advance(self, until_ms: int, *, inclusive: bool = False) -> list[Scored]:
        """Fold the events before ``until_ms`` (also at it, if ``inclusive``), and do every scoring up to it.

        Each directive that falls due is applied at its time. Returns the scorings; those of one ``Scored`` were made
        under the same policy and model, and its memory is used again after its ``release``.
        """
        done = []
        for directive in self._due.remove_due(until_ms):
            at_ms, application = self._due.apply_from(directive, self.watermark.reached_ms)
            kind = self._directives.kind(directive.topic)
            if kind.splits and at_ms - 1 > self.watermark.reached_ms:
                done.append(self._run(at_ms - 1))
            kind.apply(self.in_force, directive, at_ms)
            if application is not None:
                self._directives.note(application)
                if self._concerns(directive):
                    self._applications.append(application)
        done.append(self._run(until_ms, inclusive=inclusive))
        for scored in done:
            if not len(scored):
                scored.release()
        return [scored for scored in done if len(scored)]

    def drain_applications(self) -> list[Application]:
        """Return the directives that were first applied since the last call; to be durable before the scorings (I7)."""
        applications, self._applications = self._applications, []
        return applications

    def alerts(self, scored: Scored) -> list[Alert]:
        """Decide about the alerts of scorings, and apply the contacts and budgets that they use.

        Call it once for each result of ``advance``, in their order, before ``changed``.
        """
        store, in_force = self.store, self.in_force
        decided = decide_alerts(scored, in_force.suppressions, in_force.budgets, store.records, self._partitions)
        in_force.budgets.apply(decided.charges)
        for contact in decided.contacts:
            # A borrower forgotten since the scoring has an empty record, which must stay empty to get its tombstone.
            if contact.row not in store.forgotten or store.dirty[contact.row]:
                note_contact(store.records[contact.row], contact)
                store.dirty[contact.row] = True
        return decided.alerts

    def changed(self, wall_ms: int) -> Changes | None:
        """Return what changed since the last call, for the changelog; None for nothing.

        Budgets come before borrowers: an alert that is repeated after a crash in between must find that it was counted.
        """
        entries: list[Entry] = []
        if self.in_force.budgets.changed:
            entries.append((BUDGETS_KEY, self.in_force.budgets.take_bytes()))
        if self.store.forgotten:
            entries += self.store.drain_forgotten(set(self.buffer.rows()))
        entries += self.store.drain_dirty()
        moved = np.flatnonzero(self.buffer.next_offset > self._committable).tolist()
        if not (entries or moved):
            return None
        self._committable = self.buffer.next_offset.copy()
        return Changes(entries, self.own_entry(wall_ms), {source: int(self._committable[source]) for source in moved})

    def own_entry(self, wall_ms: int) -> Entry:
        """Return the partition's own changelog entry: offsets, watermarks and the wall clock now."""
        watermark = self.watermark
        folded_ms = [source.folded_ms for source in watermark.sources]
        entry = PartitionEntry(self.buffer.next_offset.tolist(), folded_ms, watermark.reached_ms, wall_ms)
        return PARTITION_KEY, entry.to_bytes()

    def restore(self, key: bytes, value: bytes | None) -> None:
        """Put one entry of the changelog in place.

        Raises:
            ValueError: the value is of no known layout.
        """
        if value is None:
            self.store.drop(key)
        elif key == BUDGETS_KEY:
            self.in_force.budgets.load(value)
        elif key == PARTITION_KEY:
            self._restore_own(PartitionEntry.from_bytes(value))
        else:
            self.store.load(key, value)

    def _restore_own(self, entry: PartitionEntry) -> None:
        self.buffer.next_offset = np.array(entry.next_offset)
        for progress, folded_ms in zip(self.watermark.sources, entry.folded_ms, strict=True):
            progress.folded_ms = folded_ms
        self.watermark.reached_ms = entry.reached_ms
        self.watermark.clock = PartitionClock(entry.reached_ms, entry.wall_ms)

    def _concerns(self, directive: Directive) -> bool:
        """Return whether a directive is about all borrowers, or about one of this partition."""
        borrower = self._directives.kind(directive.topic).borrower
        if borrower is None:
            return True
        return partition_of(borrower(directive.content).encode(), self._partitions) == self.number

    def _run(self, until_ms: int, *, inclusive: bool = False) -> Scored:
        """Fold and score up to ``until_ms`` under what is in force now."""
        events = self.buffer.release(until_ms, inclusive=inclusive)
        collector = ScoreCollector(self._pool, len(events), self._counters, self._kept_scratch)
        start = 0
        for index in np.flatnonzero(events["kind"] == FORGET).tolist():
            self._fold(events[start:index], collector)
            row = events["row"][index : index + 1].astype(np.int64)
            self._score(row, int(events["merge_time"][index]), collector)
            self.store.forget(int(row[0]))
            start = index + 1
        self._fold(events[start:], collector)
        self._score(self.store.due(until_ms), until_ms, collector)
        self.watermark.reached_ms = max(self.watermark.reached_ms, until_ms)
        scores, kept, lease = collector.result()
        keys = self.store.keys[scores["row"]]
        ids = scoring_ids(keys, scores["time"], scores["known_at"])
        in_force = self.in_force
        return Scored(
            self.number, in_force.policy, in_force.model_version, scores, keys, ids, in_force.parameters, kept,
            lease.release,
        )  # fmt: skip

    def _fold(self, events: Events, collector: ScoreCollector) -> None:
        store, parameters = self.store, self.in_force.parameters
        store.dirty[events["row"]] = True
        done = 0
        while done < len(events):
            log = store.undo_memory.make_room(store.undo_log, self.watermark.reached_ms)
            buffers = collector.begin_pass()
            done += fold_events(events[done:], store.records, store.wake_at, parameters, log, buffers)
            collector.end_pass()

    def _score(self, rows: Integers, until_ms: int, collector: ScoreCollector) -> None:
        store, parameters = self.store, self.in_force.parameters
        store.dirty[rows] = True
        done = 0
        while done < len(rows):
            log = store.undo_memory.make_room(store.undo_log, self.watermark.reached_ms)
            buffers = collector.begin_pass()
            done += score_rows(rows[done:], store.records, store.wake_at, until_ms, parameters, log, buffers)
            collector.end_pass()
