"""The obligations of ``checks/``, crossed with the catalogues; how many there are is counted, so that none is lost."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from loanpulse.checks import alert_kinds, behaviours, checks_of, contracts, indicators, tables
from loanpulse.schemas.contracts import AlertKind, Contract
from loanpulse.sinks.tables import TABLES
from loanpulse.streams.behaviours.catalogue import BEHAVIOURS
from loanpulse.streams.indicators.catalogue import INDICATORS
from loanpulse.streams.policy import policy_file
from loanpulse.streams.record.layout import Records
from tests.support.check_records import sample_records

DOCS = Path(__file__).parents[2] / "docs"
KINDS = tuple(kind for kind in AlertKind if kind is not AlertKind.UNKNOWN)
POLICY = policy_file.load()
AT_MS = int(datetime(2026, 7, 29, tzinfo=UTC).timestamp() * 1000)


def crossed(subjects: Any, module: Any) -> list[Any]:
    return [
        pytest.param(subject, check, id=f"{getattr(subject, 'name', subject)}-{check.__name__.removeprefix('check_')}")
        for subject in subjects
        for check in checks_of(module)
    ]


@pytest.fixture(scope="module")
def records() -> Records:
    return sample_records()


@pytest.mark.parametrize(("indicator", "check"), crossed(INDICATORS, indicators))
def test_indicator(indicator: Any, check: Callable[..., None], records: Records) -> None:
    check(indicator, records, AT_MS)


@pytest.mark.parametrize(("behaviour", "check"), crossed(BEHAVIOURS, behaviours))
def test_behaviour(behaviour: Any, check: Callable[..., None]) -> None:
    check(behaviour, POLICY)


@pytest.mark.parametrize(("kind", "check"), crossed(KINDS, alert_kinds))
def test_alert_kind(kind: Any, check: Callable[..., None]) -> None:
    check(kind, POLICY)


@pytest.mark.parametrize(("contract", "check"), crossed(list(Contract), contracts))
def test_contract(contract: Any, check: Callable[..., None]) -> None:
    check(contract)


@pytest.mark.parametrize(("table", "check"), crossed(TABLES, tables))
def test_table(table: Any, check: Callable[..., None]) -> None:
    check(table)


def test_nothing_is_left_out() -> None:
    """Whoever adds a catalogue entry or a check changes a number here, and sees what it is crossed with."""
    owed = {
        "indicators": (len(INDICATORS), len(checks_of(indicators))),
        "behaviours": (len(BEHAVIOURS), len(checks_of(behaviours))),
        "alert kinds": (len(KINDS), len(checks_of(alert_kinds))),
        "contracts": (len(Contract), len(checks_of(contracts))),
        "tables": (len(TABLES), len(checks_of(tables))),
    }
    assert owed == {
        "indicators": (12, 9),
        "behaviours": (12, 5),
        "alert kinds": (14, 4),
        "contracts": (len(Contract), 5),
        "tables": (10, 6),
    }


@pytest.mark.parametrize("page", ["reference-indicators.md", "reference-behaviours.md", "reference-tables.md"])
def test_every_entry_stands_in_its_reference(page: str) -> None:
    names = {
        "reference-indicators.md": [one.name for one in INDICATORS],
        "reference-behaviours.md": [one.name for one in BEHAVIOURS],
        "reference-tables.md": [one.name for one in TABLES],
    }[page]
    text = (DOCS / page).read_text(encoding="utf-8")
    assert not [name for name in names if name not in text]


def test_a_check_finds_what_is_wrong(records: Records) -> None:
    """The checks can fail: an indicator that breaks each obligation is told which."""
    broken = INDICATORS[0].__class__(
        "broken", "", "", 1.0, 1.0, -1.0, "", "", "lower.", "no chinese", lambda record, time: (np.nan, 2.0), ()
    )
    failed = 0
    for check in checks_of(indicators):
        if check is indicators.check_reads_without_changing:
            continue
        with pytest.raises(AssertionError, match="broken"):
            check(broken, records, AT_MS)
        failed += 1
    assert failed == len(checks_of(indicators)) - 1
