"""Credit card months through the engine: a closed month becomes events, and every client is scored at its end."""

from collections import defaultdict
from dataclasses import dataclass, field

import numpy as np

from loanpulse.evaluation.uci_cards.events import CardAccount, month_start
from loanpulse.evaluation.uci_cards.file import CardMonth
from loanpulse.schemas import json_form
from loanpulse.schemas.codec import Codec
from loanpulse.schemas.registry import LocalRegistry
from loanpulse.schemas.topics import EVENT_TOPICS
from loanpulse.streams.engine.engine import Engine, EngineOptions, record_batch_of
from loanpulse.streams.models.inputs import Reals
from loanpulse.streams.policy.policy_file import Policy
from loanpulse.streams.scoring.score import SCORE, Scores

PARTITION = 0


class RefusedEvent(RuntimeError):
    """The engine refused an event that was made of a credit card's month."""


@dataclass(slots=True)
class CardStream:
    """Streams the months of clients in order; a month can't be read before ``close`` is handed it."""

    policy: Policy
    limit: Reals
    _accounts: list[CardAccount] = field(init=False)
    _engine: Engine = field(init=False)
    _codec: Codec = field(init=False)
    _offsets: dict[int, int] = field(default_factory=lambda: defaultdict(int))
    _latest: Scores = field(init=False)

    def __post_init__(self) -> None:
        registry = LocalRegistry()
        self._codec = Codec(registry)
        self._engine = Engine(EngineOptions(partitions=1), self.policy, registry)
        self._accounts = [CardAccount(f"card-{place}", limit) for place, limit in enumerate(self.limit.tolist())]
        self._latest = np.zeros(len(self._accounts), SCORE)

    def close(self, month: int, closed: CardMonth) -> Scores:
        """Stream a month that has closed; returns the scoring of every client at its end, in their order.

        Raises:
            RefusedEvent: a month makes an event that breaks the contract.
        """
        waiting: list[list[tuple[int, bytes, bytes]]] = [[] for _ in EVENT_TOPICS]
        columns = zip(closed.status.tolist(), closed.bill.tolist(), closed.paid.tolist(), strict=True)
        for account, (status, bill, paid) in zip(self._accounts, columns, strict=True):
            key = account.borrower_id.encode()
            for topic, value in account.close(month, int(status), bill, paid):
                at_ms = json_form.milliseconds(value["event_time"])
                waiting[EVENT_TOPICS.index(topic)].append((at_ms, key, self._codec.encode(topic, value)))
        for source, records in enumerate(waiting):
            self._take(source, records)
        end = json_form.milliseconds(month_start(month + 1)) - 1
        for scored in self._engine.partition(PARTITION).advance(end, inclusive=True):
            places = np.char.partition(scored.keys, b"-")[:, 2].astype(np.int64)
            # Scorings are in each borrower's order, so that the last one written is the newest.
            self._latest[places] = scored.scores
        return self._latest.copy()

    def _take(self, source: int, records: list[tuple[int, bytes, bytes]]) -> None:
        if not records:
            return
        records.sort(key=lambda record: record[0])
        first = self._offsets[source]
        self._offsets[source] += len(records)
        times, keys, values = zip(*records, strict=True)
        refused = self._engine.offer(record_batch_of(source, PARTITION, first, times, keys, values))
        if refused:
            raise RefusedEvent(f"a month made an event that was refused: {refused[0].violation.sentence}")
