"""The smallest help that works: it works, a little less would not, and it is found in time."""

import time
from collections import Counter
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from loanpulse.city.writers import encoded
from loanpulse.schemas.codec import Codec
from loanpulse.schemas.contracts import HelpKind, Level
from loanpulse.schemas.registry import LocalRegistry
from loanpulse.schemas.topics import EVENT_TOPICS
from loanpulse.streams.alerts.smallest_help import Help, HelpCase, level_after, own_instalments, smallest_help
from loanpulse.streams.alerts.snapshots import lenders_shown
from loanpulse.streams.engine.decode import RecordBatch
from loanpulse.streams.engine.engine import Engine, EngineOptions
from loanpulse.streams.policy import policy_file
from loanpulse.streams.policy.interventions import HelpSection
from tests.support import sample_logs

REGISTRY = LocalRegistry()
CODEC = Codec(REGISTRY)
POLICY = policy_file.load(interval_seconds=1.0)
LIMITS = POLICY.file.help
END = 1_900_000_000_000

Case = tuple[Any, Any, Any, Help]


def cases_of() -> Iterator[tuple[Any, Any, Any]]:
    """Yield record, scoring and lender of every alert of a troubled city at TENSE or worse."""
    engine = Engine(EngineOptions(1), POLICY, REGISTRY)
    rows: dict[str, list[Any]] = {topic: [] for topic in EVENT_TOPICS}
    for record in sample_logs.city(90, 140, 3):
        rows[record.topic].append((record.at_ms, record.key.encode(), encoded(record, CODEC)))
    for source, topic in enumerate(EVENT_TOPICS):
        columns = [list(column) for column in zip(*rows[topic], strict=True)]
        engine.offer(RecordBatch.of(source, 0, range(len(rows[topic])), *columns))
    for scored in engine.partition(0).advance(END, inclusive=True):
        for place in np.flatnonzero((scored.scores["kept"] >= 0) & (scored.scores["level"] >= Level.TENSE)).tolist():
            score = scored.scores[place : place + 1]
            kept = int(score["kept"][0])
            for name in lenders_shown(score["lender"])[0].tolist():
                if name:
                    yield scored.kept[kept : kept + 1], score, np.frombuffer(name.ljust(24, b"\0"), "<u8")


@pytest.fixture(scope="module")
def cases() -> list[Case]:
    found = []
    for record, score, lender in cases_of():
        help_ = smallest_help(record, score, lender, POLICY.parameters, LIMITS)
        if help_ is not None:
            found.append((record, score, lender, help_))
    assert len(found) > 30
    return found


def restores(case: Case, relief: float, months: int) -> bool:
    record, score, lender, _ = case
    now, _, paid = own_instalments(record[0], lender, int(score["time"][0]))
    left = 1.0 - relief / now if relief else 1.0
    trial = HelpCase(
        np.repeat(record, 2), np.repeat(score, 2), POLICY.parameters, lender, int(score["time"][0])
    )  # fmt: skip
    return bool(level_after(trial, left, relief * paid, 30 * months) <= Level.STABLE)


def deferred(help_: Help) -> int:
    """The months by which a cut also moves overdue instalments."""
    _, _, rest = help_.text_en.partition("overdue instalments moved ")
    return int(rest.split()[0]) if rest else 0


def test_a_cut_works_and_one_unit_less_does_not(cases: list[Case]) -> None:
    cuts = [case for case in cases if case[3].kind is HelpKind.INSTALMENT_CUT]
    assert len(cuts) > 5
    for case in cuts:
        help_ = case[3]
        assert help_.instalment_then is not None
        assert help_.instalment_now * (1 - LIMITS.largest_cut) <= help_.instalment_then < help_.instalment_now
        assert help_.months == LIMITS.cut_months
        step = 1.01 if help_.instalment_then >= 100 else 0.011
        assert restores(case, help_.instalment_now - help_.instalment_then, deferred(help_))
        assert not restores(case, help_.instalment_now - help_.instalment_then - step, deferred(help_))
        assert help_.lhi_after is not None
        assert help_.lhi_after >= POLICY.file.levels.STABLE + POLICY.file.levels.hysteresis
        assert f"{help_.instalment_now:,.0f} to {help_.instalment_then:,.0f} for 6 months" in help_.text_en


def test_a_deferral_is_the_shortest_and_moves_less_than_a_cut_would(cases: list[Case]) -> None:
    deferrals = [case for case in cases if case[3].kind is HelpKind.DEFERRAL]
    assert len(deferrals) > 5
    for case in deferrals:
        assert restores(case, 0.0, case[3].months)
        assert not restores(case, 0.0, case[3].months - 1)


def test_none_suffices_only_where_all_that_the_policy_allows_is_not_enough(cases: list[Case]) -> None:
    hopeless = [case for case in cases if case[3].kind is HelpKind.NONE_SUFFICES]
    assert hopeless
    for case in hopeless:
        most = case[3].instalment_now * LIMITS.largest_cut
        for months in range(LIMITS.longest_deferral_months + 1):
            assert not restores(case, max(0.0, most - 1.0), months)


def test_wider_limits_help_more_borrowers(cases: list[Case]) -> None:
    narrow = HelpSection(largest_cut=0.1, cut_months=6, longest_deferral_months=0)
    wide = HelpSection(largest_cut=0.9, cut_months=6, longest_deferral_months=6)

    def helped(limits: HelpSection) -> int:
        found = (smallest_help(record, score, lender, POLICY.parameters, limits) for record, score, lender, _ in cases)
        return Counter(help_.kind for help_ in found if help_)[HelpKind.NONE_SUFFICES]

    assert helped(wide) < helped(LIMITS) < helped(narrow)


def test_the_search_leaves_its_record_and_scoring_as_they_were(cases: list[Case]) -> None:
    record, score, lender, _ = cases[0]
    before = record.tobytes(), score.tobytes()
    smallest_help(record, score, lender, POLICY.parameters, LIMITS)
    assert (record.tobytes(), score.tobytes()) == before


def test_it_takes_less_than_a_millisecond(cases: list[Case]) -> None:
    began = time.process_time()
    for record, score, lender, _ in cases:
        smallest_help(record, score, lender, POLICY.parameters, LIMITS)
    assert (time.process_time() - began) / len(cases) < 0.001
