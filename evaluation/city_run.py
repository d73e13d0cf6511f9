"""Runs a simulated city through the engine, in process, and pairs its scorings with their outcomes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

from loanpulse.city.days import EPOCH
from loanpulse.city.household_state import borrower_id
from loanpulse.city.plan import CityPlan
from loanpulse.city.published import Published
from loanpulse.city.simulation import FIRST_NUMBER, City
from loanpulse.city.truth import DefaultTruth, LifeEvent, MissedTruth, ShortfallTruth, Truth
from loanpulse.evaluation.accounts import Accounts, AccountsBuilder
from loanpulse.evaluation.outcomes import (
    DelinquencySpell,
    Hardship,
    Outcomes,
    failures_of,
    rows_of_misses,
)
from loanpulse.evaluation.panel import Panel, PanelBuilder
from loanpulse.schemas.codec import Codec
from loanpulse.schemas.delinquency import DEFAULT_DAYS
from loanpulse.schemas.lines import EventLine
from loanpulse.schemas.registry import LocalRegistry
from loanpulse.schemas.units import DAY_MS
from loanpulse.streams.engine.engine import Engine, EngineOptions
from loanpulse.streams.policy.policy_file import Policy
from loanpulse.streams.replay.log_files import EventLog
from loanpulse.streams.replay.replay import Replay

NAME = "city"
LINES_AT_ONCE = 20_000

Progress = Callable[[int], None]
"""Called now and then with the number of events."""


@dataclass(frozen=True, slots=True)
class Run:
    """One city: what the engine said, what a plain rule would see, and the truth."""

    plan: CityPlan
    events: int
    panel: Panel
    accounts: Accounts
    outcomes: Outcomes
    policy: Policy


def run_city(plan: CityPlan, options: EngineOptions, policy: Policy, progress: Progress = lambda events: None) -> Run:
    """Simulate a city with an end and replay its events through the engine, as `loanpulse replay` would."""
    assert plan.days is not None, "a city that is evaluated has an end"
    truth: list[Truth] = []
    borrowers = tuple(borrower_id(plan.seed, FIRST_NUMBER + number) for number in range(plan.borrowers))
    first_day = plan.start_ms // DAY_MS
    registry = LocalRegistry()
    panel = PanelBuilder(borrowers, first_day, plan.days)
    accounts = AccountsBuilder(borrowers, first_day, plan.days)
    replay = Replay(Engine(options, policy, registry), Codec(registry))
    log = EventLog(replay.codec, registry, options.partitions)
    lines = _lines(City(plan, truth.append).events())
    count = 0
    while piece := list(islice(lines, LINES_AT_ONCE)):
        count += len(piece)
        for line in piece:
            if line.value is not None:
                accounts.add(line.topic, line.value)
        replay.offer(NAME, log.piece_of(piece))
        for scored in replay.advance():
            panel.add(scored)
        progress(count)
    for scored in replay.finish(plan.start_ms + plan.days * DAY_MS):
        panel.add(scored)
    return Run(
        plan, count, panel.panel(), accounts.accounts(), outcomes_of(truth, borrowers, first_day, plan.days), policy
    )


def _lines(events: Iterable[Published]) -> Iterator[EventLine]:
    for number, one in enumerate(events, 1):
        yield EventLine(number, one.topic, one.value, one.key.encode(), one.raw or b"", one.at_ms)


def outcomes_of(truth: Iterable[Truth], borrowers: tuple[str, ...], first_day: int, days: int) -> Outcomes:
    """Return the truth as places in the panel: borrowers by their number, days from ``first_day`` on."""
    place = {borrower: number for number, borrower in enumerate(borrowers)}
    defaults: list[tuple[int, int]] = []
    misses: list[tuple[int, int]] = []
    hardships: list[Hardship] = []
    shortfalls: set[tuple[int, int]] = set()
    offset = EPOCH.toordinal() + first_day
    for line in truth:
        who = place[line.borrower_id]
        if isinstance(line, DefaultTruth):
            defaults.append((who, line.default_date.toordinal() - offset))
        elif isinstance(line, MissedTruth):
            misses.append((who, line.missed_due_date.toordinal() - offset))
        elif isinstance(line, ShortfallTruth):
            shortfalls.add((who, line.shortfall_date.toordinal() - offset))
        elif line.life_event is not LifeEvent.RECOVERY:
            starts, ends = line.starts.toordinal() - offset, line.ends.toordinal() - offset
            hardships.append(Hardship(who, line.life_event.value, starts, ends))
    rows = rows_of_misses(misses)
    return Outcomes(
        len(borrowers),
        days,
        rows,
        failures_of(rows, defaults),
        tuple(DelinquencySpell(who, first, first + DEFAULT_DAYS) for who, first, _ in rows),
        tuple(hardships),
        tuple(sorted(shortfalls)),
    )
