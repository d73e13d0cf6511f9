"""The directives that one partition has not applied yet."""

from loanpulse.streams.directives.directives import Application, Directive, Directives


class DueDirectives:
    """The directives among ``directives`` that ``partition`` has not applied yet, and when it applies them."""

    def __init__(self, directives: Directives, partition: int) -> None:
        self._directives = directives
        self._partition = partition
        self._version = -1
        self._waiting: list[tuple[int, Directive]] = []
        self._done: set[tuple[str, str]] = set()

    def remove_due(self, until_ms: int) -> list[Directive]:
        """Remove the directives to apply at or before ``until_ms`` and return them in their order."""
        if self._version != self._directives.version:
            self._version = self._directives.version
            self._waiting = sorted(
                ((self._time_ms(one), one) for one in self._directives.known() if self._key(one) not in self._done),
                reverse=True,
            )
        due = []
        while self._waiting and self._waiting[-1][0] <= until_ms:
            directive = self._waiting.pop()[1]
            self._done.add(self._key(directive))
            due.append(directive)
        return due

    def apply_from(self, directive: Directive, reached_ms: int) -> tuple[int, Application | None]:
        """Return from which time (ms) on the partition applies a directive, and the application where that is new.

        Published scorings don't change: a directive that arrives late applies from just after ``reached_ms``.
        """
        at_ms = self._directives.applied_ms(self._partition, directive)
        if at_ms is not None:
            return at_ms, None
        at_ms = max(directive.effective_at, reached_ms + 1)
        return at_ms, Application(self._partition, directive.topic, directive.identity, at_ms)

    def _time_ms(self, directive: Directive) -> int:
        applied_ms = self._directives.applied_ms(self._partition, directive)
        return directive.effective_at if applied_ms is None else applied_ms

    @staticmethod
    def _key(directive: Directive) -> tuple[str, str]:
        return directive.topic, directive.identity
