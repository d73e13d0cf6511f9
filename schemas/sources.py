"""The three sources of events: the number, the topic and the contract of each.

Compiled code, arrays and the borrower's record know a source by its number: its place in ``EVENT_TOPICS``.
"""

from loanpulse.schemas.contracts import Contract
from loanpulse.schemas.topics import EVENT_TOPICS, REPAYMENT_EVENTS, SPENDING_EVENTS, UTILITY_EVENTS, contract_of

REPAYMENT = EVENT_TOPICS.index(REPAYMENT_EVENTS)
SPENDING = EVENT_TOPICS.index(SPENDING_EVENTS)
UTILITY = EVENT_TOPICS.index(UTILITY_EVENTS)
SOURCES = len(EVENT_TOPICS)

EVENT_CONTRACTS: tuple[Contract, ...] = tuple(contract_of(topic) for topic in EVENT_TOPICS)
"""The contracts of events, by source number."""


def source_of(topic: str, prefix: str = "") -> int:
    """Return the source number of an event topic, whose name on the broker starts with ``prefix``.

    >>> source_of("test.spending-events", prefix="test.")
    1

    Raises:
        ValueError: it is no event topic.
    """
    return EVENT_TOPICS.index(topic.removeprefix(prefix))
