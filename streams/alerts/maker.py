"""Decides what becomes of each alert: suppressed, held out, deferred or sent, with help and a time of contact.

Nothing is changed here. What a batch of alerts uses of budgets and contacts is returned, for the partition to apply.
"""

import hashlib
from dataclasses import dataclass

from loanpulse.schemas.contracts import AlertDisposition, AlertKind, Level
from loanpulse.schemas.units import DAY_MS
from loanpulse.streams.alerts.budget import AlertBudgets, BudgetCharges, BudgetPlan, quota
from loanpulse.streams.alerts.contact_times import earliest_contact
from loanpulse.streams.alerts.contacts import Contact, ContactPlan, lender_hash
from loanpulse.streams.alerts.draft import Draft, drafts_of
from loanpulse.streams.alerts.scored import Scored
from loanpulse.streams.alerts.smallest_help import Help, smallest_help
from loanpulse.streams.alerts.suppressions import Suppressions
from loanpulse.streams.alerts.value import Alert, alert_values
from loanpulse.streams.policy.actions import MEANINGS
from loanpulse.streams.policy.interventions import HoldOutSection
from loanpulse.streams.record.layout import Records


@dataclass(frozen=True, slots=True)
class AlertDecisions:
    """A batch's alerts in native values, and what they change: the contacts to note, in order, and budget charges."""

    alerts: list[Alert]
    contacts: list[Contact]
    charges: BudgetCharges


def held_out(borrower_id: str, rules: HoldOutSection) -> bool:
    """Tell whether a borrower is in the randomised hold-out: a draw that anyone can repeat from the salt."""
    digest = hashlib.sha256(f"{rules.salt}|{borrower_id}".encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64 < rules.share


def decide_alerts(
    scored: Scored, suppressions: Suppressions, budgets: AlertBudgets, records: Records, partitions: int
) -> AlertDecisions:
    """Return the alerts of scorings just made, and the contacts and budget charges to apply.

    Batches must be decided in the order of event time, and the decisions about one applied before the next.
    ``records`` are the partition's borrowers as they are now; nothing but their contacts is read. Budgets are shared
    among ``partitions``. Arguments are left as they are.
    """
    # The order in which budgets are used must not depend on how events were batched; of alerts at the same time, the
    # one with the largest loss comes first.
    drafts = sorted(
        drafts_of(scored), key=lambda d: (d.context.time_ms, -d.priority, d.context.borrower_id, d.lender_id, d.kind)
    )
    batch = _Batch(scored, suppressions, BudgetPlan(budgets), ContactPlan(records), partitions)
    for draft in drafts:
        batch.decide(draft)
    return AlertDecisions(alert_values(drafts, scored), batch.contacts.contacts, batch.budgets.charges)


@dataclass(frozen=True, slots=True)
class _Batch:
    """The decisions about one batch's alerts, each on the budgets and contacts that those before it left."""

    scored: Scored
    suppressions: Suppressions
    budgets: BudgetPlan
    contacts: ContactPlan
    partitions: int

    def decide(self, draft: Draft) -> None:
        """Fill in what becomes of an alert."""
        self._dispose(draft)
        if draft.disposition is AlertDisposition.HOLD_OUT:
            draft.actions = []
        elif draft.context.level >= Level.TENSE:
            draft.help = self._help_of(draft)
        self._plan_contact(draft)

    def _dispose(self, draft: Draft) -> None:
        """Decide whether an alert is sent. A recovery is no work for a team, so budgets do not apply to it."""
        policy, time_ms = self.scored.policy, draft.context.time_ms
        draft.suppression_id = self.suppressions.applying(
            draft.context.borrower_id, draft.lender_id, draft.kind.name, time_ms
        )
        if draft.suppression_id is not None:
            draft.disposition = AlertDisposition.SUPPRESSED
            return
        if draft.kind is AlertKind.LEVEL_IMPROVED:
            return
        if held_out(draft.context.borrower_id, policy.file.hold_out):
            draft.disposition = AlertDisposition.HOLD_OUT
            return
        alerts_per_day = policy.lender(draft.lender_id).alerts_per_day
        if not alerts_per_day:
            return
        day = time_ms // DAY_MS
        draft.decision = self.budgets.decide(
            draft.alert_id, draft.lender_id, draft.priority, day,
            allowed=quota(alerts_per_day, day, self.scored.partition, self.partitions),
            share=alerts_per_day / self.partitions, adaptation=policy.file.budget.adaptation,
        )  # fmt: skip
        if not draft.decision.sent:
            draft.disposition = AlertDisposition.DEFERRED

    def _help_of(self, draft: Draft) -> Help | None:
        """Return the lender's smallest help, computed once for all alerts of a scoring to it."""
        context, scored = draft.context, self.scored
        if draft.lender_id not in context.helps:
            score = scored.scores[context.index : context.index + 1]
            context.helps[draft.lender_id] = smallest_help(
                context.record, score, draft.lender, scored.parameters, scored.policy.file.help
            )
        return context.helps[draft.lender_id]

    def _plan_contact(self, draft: Draft) -> None:
        """Find the earliest time of contact where the actions need one; only an alert that is sent uses it up."""
        if not any(MEANINGS[action].contact for action in draft.actions):
            return
        row, now_ms, lender = int(draft.context.score["row"]), draft.context.time_ms, lender_hash(draft.lender_id)
        rules = self.scored.policy.jurisdiction(draft.lender_id)
        at_ms = earliest_contact(now_ms, self.contacts.times_ms(row, lender), rules)
        draft.contact_at_ms = at_ms if at_ms > now_ms else None
        if draft.disposition is AlertDisposition.SENT:
            self.contacts.add(Contact(row, lender, at_ms))
