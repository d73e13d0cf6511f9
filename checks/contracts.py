"""What every contract owes. Needs Apache Avro (`pip install avro`), the reference that a contract is held to."""

from typing import Any

import avro.schema

from loanpulse.schemas import contracts
from loanpulse.schemas.compatibility import breaking_changes
from loanpulse.schemas.contracts import Contract
from loanpulse.schemas.topics import TOPICS

PERSONAL = ("name", "phone", "address", "email", "id_number", "birth")
"""Words of fields that would hold more than a pseudonym."""


def records_of(node: Any) -> list[dict[str, Any]]:
    """Return every record schema within a schema."""
    if isinstance(node, list):
        return [found for item in node for found in records_of(item)]
    if not isinstance(node, dict):
        return []
    own = [node] if node.get("type") == "record" else []
    return own + [found for value in node.values() for found in records_of(value)]


def check_apache_avro_parses_it(contract: Contract) -> None:
    """Any Avro library reads it, under our namespace."""
    schema = avro.schema.parse(contracts.path(contract).read_text())
    assert schema.fullname == f"loanpulse.{contract}", f"{contract}: the record's full name is {schema.fullname}"


def check_every_field_says_what_it_is(contract: Contract) -> None:
    """Each field of each record has a doc text."""
    for record in records_of(contracts.load(contract)):
        silent = [entry["name"] for entry in record["fields"] if not entry.get("doc", "").strip()]
        assert not silent, f"{contract}.{record['name']}: write the doc of {', '.join(silent)}"


def check_no_field_is_personal(contract: Contract) -> None:
    """Pseudonyms only: no field is made for a name, a number or an address of a person."""
    for record in records_of(contracts.load(contract)):
        found = [e["name"] for e in record["fields"] if any(e["name"].startswith(word) for word in PERSONAL)]
        assert not found, f"{contract}: {', '.join(found)} would hold personal data"


def check_a_topic_carries_it(contract: Contract) -> None:
    """A topic of the catalogue is keyed and described for it."""
    assert any(topic.contract is contract for topic in TOPICS), f"{contract}: name its topic in schemas/topics.py"


def check_history_is_kept_and_unbroken(contract: Contract) -> None:
    """The newest version stands in the history, and reads every version ever committed."""
    for topic in TOPICS:
        if topic.contract is contract:
            versions = contracts.history()[topic.subject]
            now = contracts.load(contract)
            assert versions[-1] == now, f"{contract}: write this version into schemas/history/{topic.subject}"
            assert breaking_changes(topic.subject, now, versions) == [], f"{contract}: old writers would break"
