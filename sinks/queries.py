"""The documented queries, by name: each a file whose first line says what it answers."""

from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).with_name("queries")


@dataclass(frozen=True, slots=True)
class NamedQuery:
    """A documented query."""

    name: str
    question: str
    statement: str


def named_queries(folder: Path = FOLDER) -> dict[str, NamedQuery]:
    """Return the documented queries by name."""
    found = {}
    for file in sorted(folder.glob("*.sql")):
        first, _, statement = file.read_text(encoding="utf-8").partition("\n")
        found[file.stem] = NamedQuery(file.stem, first.removeprefix("--").strip(), statement.strip().rstrip(";"))
    return found
