"""A Hypothesis strategy: the events of one borrower over some weeks."""

import numpy as np
from hypothesis import strategies as st

from loanpulse.schemas.contracts import RepaymentKind, SpendingCategory, SpendingKind, UtilityKind
from loanpulse.schemas.sources import REPAYMENT, SPENDING, UTILITY
from loanpulse.schemas.units import DAY_MS
from tests.support.empty_events import empty_events

START = 1_700_000_000_000


amounts = st.integers(1, 500_000).map(lambda cents: cents / 100)


times = st.integers(0, 7 * DAY_MS).map(lambda offset: START + offset)


@st.composite
def event_batches(draw: st.DrawFn) -> np.ndarray:
    """Draw up to a dozen events of all three sources within a week."""
    events = empty_events(draw(st.integers(1, 12)))
    for number, event in enumerate(events):
        event["source"] = draw(st.sampled_from([REPAYMENT, SPENDING, UTILITY]))
        kinds = {REPAYMENT: RepaymentKind, SPENDING: SpendingKind, UTILITY: UtilityKind}[int(event["source"])]
        event["kind"] = draw(st.sampled_from([int(kind) for kind in kinds if kind.name != "UNKNOWN"]))
        event["event_time"] = draw(times)
        event["id_hash"] = number + 1
        event["loan_key"] = draw(st.integers(1, 3))
        event["lender"] = (1, 0, 0)
        event["due_day"] = START // DAY_MS + draw(st.integers(0, 3))
        event["amount"] = draw(amounts)
        event["balance"] = draw(st.one_of(st.just(np.nan), amounts))
        event["outstanding"] = draw(st.one_of(st.just(np.nan), amounts))
        event["category"] = draw(st.sampled_from([int(c) for c in SpendingCategory]))
        event["utility"] = draw(st.integers(0, 3))
        event["usage"] = draw(amounts)
        named = event["source"] == REPAYMENT or draw(st.booleans())
        event["loan_reference"] = event["loan_key"] if named else 0
        event["purpose"] = draw(st.sampled_from([-1, *range(10)]))
        event["status"] = draw(st.sampled_from([-1, *range(6)]))
        event["minimum_due"] = draw(st.one_of(st.just(np.nan), amounts))
    return events
