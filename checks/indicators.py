"""What every indicator owes."""

import math

import numpy as np

from loanpulse.checks.texts import assert_readable, assert_told
from loanpulse.schemas import contracts
from loanpulse.schemas.contracts import Contract
from loanpulse.schemas.sources import SOURCES
from loanpulse.streams.alerts.reasons import INDICATOR_SENTENCES
from loanpulse.streams.indicators.base import BALANCE, Indicator
from loanpulse.streams.record.layout import Records, empty_records


def check_module_has_its_name(indicator: Indicator, records: Records, time_ms: int) -> None:
    """The file is called after the indicator that it owns."""
    module = indicator.read.__module__.rsplit(".", 1)[-1]
    assert module == indicator.name, f"{indicator.name} stands in {module}.py: rename one of them"


def check_texts(indicator: Indicator, records: Records, time_ms: int) -> None:
    """Meaning, unit, evidence and source are said, and the reason can be shown in both languages."""
    assert_told(
        indicator.name,
        meaning=indicator.meaning,
        unit=indicator.unit,
        evidence=indicator.evidence,
        source=indicator.source,
    )
    assert_readable(indicator.name, indicator.reason_en, indicator.reason_zh)


def check_sentences_with_its_value(indicator: Indicator, records: Records, time_ms: int) -> None:
    """A reason can name its measured value in both languages, at both anchors."""
    assert indicator.name in INDICATOR_SENTENCES, f"{indicator.name}: add its sentences to alerts/reasons.py"
    for value in (indicator.healthy, indicator.unhealthy):
        assert_readable(indicator.name, *INDICATOR_SENTENCES[indicator.name](value))


def check_anchors_and_weight(indicator: Indicator, records: Records, time_ms: int) -> None:
    """The two anchors differ and are finite; the experts' weight is positive."""
    assert math.isfinite(indicator.healthy), f"{indicator.name}: healthy must be a number"
    assert math.isfinite(indicator.unhealthy), f"{indicator.name}: unhealthy must be a number"
    assert indicator.healthy != indicator.unhealthy, f"{indicator.name}: the two anchors must differ"
    assert indicator.weight > 0.0, f"{indicator.name}: the weight must be positive; the anchors give the direction"


def check_feeds(indicator: Indicator, records: Records, time_ms: int) -> None:
    """It names the sources whose newest data is its age."""
    assert indicator.feeds, f"{indicator.name}: name at least one feed"
    assert set(indicator.feeds) <= {*range(SOURCES), BALANCE}, f"{indicator.name}: a feed is not known"


def check_stands_in_the_contracts(indicator: Indicator, records: Records, time_ms: int) -> None:
    """Snapshots and training examples have a field for it."""
    for contract in (Contract.LIQUIDITY_SNAPSHOT, Contract.TRAINING_EXAMPLE):
        names = {entry["name"] for entry in contracts.load(contract)["fields"]}
        assert indicator.name in names, f"{indicator.name}: add a field to {contract}, and its version to the history"


def check_says_nothing_of_an_unknown_borrower(indicator: Indicator, records: Records, time_ms: int) -> None:
    """It has no evidence for a borrower without data."""
    _, evidence = indicator.read(empty_records(1)[0], time_ms)
    assert evidence == 0.0, f"{indicator.name}: an empty record must give evidence 0"


def check_reads_without_changing(indicator: Indicator, records: Records, time_ms: int) -> None:
    """Reading changes no record, and gives the same twice."""
    before = records.tobytes()
    first = [indicator.read(record, time_ms) for record in records]
    second = [indicator.read(record, time_ms) for record in records]
    assert records.tobytes() == before, f"{indicator.name}: read must not change the record"
    assert np.array_equal(first, second, equal_nan=True), f"{indicator.name}: read must depend on the record alone"


def check_value_and_evidence_are_in_range(indicator: Indicator, records: Records, time_ms: int) -> None:
    """Evidence is within 0 and 1; where there is some, the value is a finite number. Some record has a reading."""
    readings = [indicator.read(record, time_ms) for record in records]
    for value, evidence in readings:
        assert 0.0 <= evidence <= 1.0, f"{indicator.name}: evidence {evidence} is not within 0 and 1"
        assert evidence == 0.0 or math.isfinite(value), f"{indicator.name}: evidence without a finite value"
    assert any(evidence > 0.0 for _, evidence in readings), f"{indicator.name}: no sample record gives a reading"
