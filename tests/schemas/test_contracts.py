"""The contracts: documented, parsed by Apache Avro, equal to the enums, and never broken against their history."""

import copy
import json
from typing import Any

import avro.schema
import pytest

from loanpulse.schemas import contracts
from loanpulse.schemas.compatibility import breaking_changes
from loanpulse.schemas.contracts import Contract
from loanpulse.schemas.topics import TOPICS


def enums_of(node: Any) -> list[dict[str, Any]]:
    if isinstance(node, list):
        return [found for item in node for found in enums_of(item)]
    if isinstance(node, dict):
        own = [node] if node.get("type") == "enum" else []
        return own + [found for item in node.values() for found in enums_of(item)]
    return []


@pytest.mark.parametrize("contract", list(Contract))
def test_apache_avro_parses_the_contract(contract: Contract) -> None:
    schema = avro.schema.parse(contracts.path(contract).read_text())
    assert schema.fullname == f"loanpulse.{contract}"


@pytest.mark.parametrize("contract", list(Contract))
def test_every_field_says_what_it_is(contract: Contract) -> None:
    def fields(node: Any) -> list[dict[str, Any]]:
        if isinstance(node, list):
            return [found for item in node for found in fields(item)]
        if not isinstance(node, dict):
            return []
        own = node.get("fields", [])
        return own + [found for entry in own for found in fields(entry["type"])]

    undocumented = [entry["name"] for entry in fields(contracts.load(contract)) if not entry.get("doc", "").strip()]
    assert undocumented == []


def test_the_enums_are_those_of_the_contracts() -> None:
    written = {enum.__name__: [member.name for member in enum] for enum in contracts.ENUMS}
    for contract in Contract:
        for enum in enums_of(contracts.load(contract)):
            assert written[enum["name"]] == enum["symbols"], enum["name"]
            assert enum["default"] == "UNKNOWN"


@pytest.mark.parametrize("topic", [topic for topic in TOPICS if topic.contract], ids=lambda topic: topic.name)
def test_the_contract_reads_every_version_ever_committed(topic: Any) -> None:
    versions = contracts.history()[topic.subject]
    assert breaking_changes(topic.subject, contracts.load(topic.contract), versions) == []


@pytest.mark.parametrize("topic", [topic for topic in TOPICS if topic.contract], ids=lambda topic: topic.name)
def test_the_newest_version_in_the_history_is_the_contract(topic: Any) -> None:
    assert contracts.history()[topic.subject][-1] == contracts.load(topic.contract), (
        f"{topic.contract} was changed: write the new version into schemas/history/{topic.subject}"
    )


def broken(change: Any) -> list[str]:
    schema = copy.deepcopy(contracts.load(Contract.SPENDING_EVENT))
    change(schema)
    return breaking_changes("spending-events-value", schema, contracts.history()["spending-events-value"])


def test_a_new_field_without_a_default_is_told_by_name() -> None:
    sentences = broken(lambda schema: schema["fields"].append({"name": "merchant", "type": "string"}))
    assert len(sentences) == 1
    assert "merchant" in sentences[0]
    assert "default" in sentences[0]


def test_a_changed_type_is_told_by_name() -> None:
    def change(schema: Any) -> None:
        schema["fields"][0]["type"] = "long"

    assert "event_id" in broken(change)[0]


def test_a_new_optional_field_is_no_breach() -> None:
    assert broken(lambda s: s["fields"].append({"name": "merchant", "type": ["null", "string"], "default": None})) == []


def test_history_is_json_that_apache_avro_parses() -> None:
    for versions in contracts.history().values():
        for version in versions:
            avro.schema.parse(json.dumps(version))
