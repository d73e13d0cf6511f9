"""The borrowers' table: Faust recovers it from its changelog directly into the engine's partitions."""

from collections.abc import Callable, Iterable
from typing import Any, Protocol

import faust
from faust.stores import memory
from faust.types import TP
from yarl import URL


class StateHost(Protocol):
    """What holds the state that the changelog stores."""

    def begin_recovery(self, partitions: set[int]) -> None:
        """Make room for partitions newly assigned."""

    def drop(self, partitions: set[int]) -> None:
        """Drop partitions that another worker takes over."""

    def restore(self, partition: int, key: bytes, value: bytes | None) -> None:
        """Put one changelog record in place; ignored for a partition that is not being recovered."""

    def recovered(self, partitions: set[int]) -> None:
        """Begin to process partitions whose state is complete."""


class ChangelogStore(memory.Store):  # type: ignore[misc]
    """Faust's store, which passes recovered entries on. Nothing is written here: checkpoints write the changelog."""

    host: StateHost

    def apply_changelog_batch(
        self, batch: Iterable[Any], to_key: Callable[[Any], Any], to_value: Callable[[Any], Any]
    ) -> None:
        """Put changelog records in place; an event's value is a batch of records."""
        for event in batch:
            records = event.message.value
            for key, value in zip(records.keys, records.values, strict=True):
                if key is not None:
                    self.host.restore(event.message.partition, key, value)

    async def on_rebalance(
        self, assigned: set[TP], revoked: set[TP], newly_assigned: set[TP], generation_id: int = 0
    ) -> None:
        """Drop revoked partitions and make room for new ones."""
        changelog = self.table.changelog_topic.get_topic_name()
        self.host.drop({tp.partition for tp in revoked if tp.topic == changelog})
        self.host.begin_recovery({tp.partition for tp in newly_assigned if tp.topic == changelog})

    async def on_recovery_completed(self, active_tps: set[TP], standby_tps: set[TP]) -> None:
        """Tell the host that the state of the active partitions is complete."""
        self.host.recovered({tp.partition for tp in active_tps})


class BorrowerTable(faust.Table):  # type: ignore[misc]
    """The table whose store is the engine's partitions; ``options`` holds the host."""

    def _new_store(self) -> ChangelogStore:
        store = ChangelogStore(
            URL("memory://"), self.app, self, table_name=self.name, key_type=bytes, value_type=bytes, loop=self.loop
        )
        store.host = (self.options or {})["host"]
        return store
