"""Writes the references in docs/ from their sources; with --check only says whether they are up to date."""

import re
import sys
from pathlib import Path
from typing import Any

from loanpulse.schemas import contracts
from loanpulse.schemas.topics import TOPICS
from loanpulse.schemas.violations import Violation
from loanpulse.settings import load_with_origins
from loanpulse.sinks.migrate import load_migrations
from loanpulse.sinks.queries import named_queries
from loanpulse.streams.indicators.catalogue import INDICATORS

FOLDER = Path(__file__).parent
NOTE = "<!-- Written by docs/generate.py from the source; change the source and run `make docs`. -->\n"
COLUMN = re.compile(r"^ {4}(\w+) (.+?) COMMENT '((?:[^']|'')*)'(?: CODEC\(.*\))?,?$", re.MULTILINE)
TABLE = re.compile(r"^CREATE TABLE (\w+)", re.MULTILINE)
VIEW = re.compile(r"^CREATE VIEW (\w+) AS\n(.*?)\nCOMMENT '((?:[^']|'')*)'$", re.MULTILINE | re.DOTALL)
TABLE_COMMENT = re.compile(r"^COMMENT '((?:[^']|'')*)'", re.MULTILINE)


def type_of(schema: Any) -> str:
    if isinstance(schema, list):
        return " or ".join(type_of(branch) for branch in schema)
    if isinstance(schema, str):
        return schema
    if isinstance(schema["type"], (dict, list)):
        return type_of(schema["type"])
    kind = schema["type"]
    if kind == "enum":
        return "enum " + ", ".join(schema["symbols"])
    if kind == "array":
        return f"list of {type_of(schema['items'])}"
    if kind == "record":
        return str(schema["name"])
    if schema.get("logicalType") == "decimal":
        return f"decimal({schema['precision']},{schema['scale']})"
    return str(schema.get("logicalType", kind))


def escaped(text: str) -> str:
    return text.replace("|", "\\|")


def contracts_page() -> str:
    lines = [
        NOTE,
        "# Contracts\n",
        "What stands on each topic. Keys are UTF-8; values are Avro in the Confluent wire format.\n",
    ]
    for topic in TOPICS:
        lines.append(f"## {topic.name}\n")
        kept = "compacted" if topic.cleanup_policy == "compact" else "by time"
        lines.append(f"Carries {topic.carries}. Key: {topic.key}. Kept: {kept}.\n")
        if topic.contract is None:
            continue
        lines += ["| field | type | what it is |", "|---|---|---|"]
        for entry in contracts.load(topic.contract)["fields"]:
            lines.append(f"| {entry['name']} | {escaped(type_of(entry['type']))} | {escaped(entry['doc'])} |")
        lines.append("")
    lines += ["## Dead letters: codes\n", "| code | stage | meaning |", "|---|---|---|"]
    lines += [f"| {v.name} | {v.stage} | {v.sentence} |" for v in Violation if v]
    return "\n".join(lines) + "\n"


def tables_page() -> str:
    lines = [NOTE, "# Tables and views\n"]
    for migration in load_migrations():
        for statement in migration.statements:
            found = TABLE.search(statement)
            if found:
                comment = TABLE_COMMENT.search(statement)
                lines += [
                    f"## {found[1]}\n",
                    f"{comment[1] if comment else ''}.\n".replace("''", "'"),
                    "| column | type | what it is |",
                    "|---|---|---|",
                ]
                for name, kind, text in COLUMN.findall(statement):
                    said = text.replace("''", "'")
                    lines.append(f"| {name} | {escaped(kind)} | {escaped(said)} |")
                lines.append("")
            for name, body, comment in VIEW.findall(statement):
                said = comment.replace("''", "'")
                lines += [f"## {name}\n", f"A view. {said}.\n", "```sql", body.strip(), "```", ""]
    lines += ["## Documented queries\n", "| `loanpulse query …` | answers | options |", "|---|---|---|"]
    for query in named_queries().values():
        options = "; ".join(f"`--{one.name}` {one.about}" for one in query.parameters)
        lines.append(f"| {query.name} | {query.question} | {options} |")
    return "\n".join(lines) + "\n"


def indicators_page() -> str:
    lines = [
        NOTE,
        "# The twelve indicators\n",
        "Each has a value, a utility (1 at the healthy anchor, 0 at the unhealthy, linear between) and an evidence.",
        "The weight is in log-odds of staying current between the two anchors.\n",
        "| indicator | meaning | unit | healthy | unhealthy | weight | evidence | source | reason |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for one in INDICATORS:
        lines.append(
            f"| {one.name} | {one.meaning} | {one.unit} | {one.healthy:g} | {one.unhealthy:g} | {one.weight:g} | "
            f"{one.evidence} | {one.source} | {one.reason_en} / {one.reason_zh} |"
        )
    return "\n".join(lines) + "\n"


def settings_page() -> str:
    lines = [
        NOTE,
        "# Settings\n",
        "From `loanpulse.toml` (or the file that `LOANPULSE_CONFIG` names), then the environment.",
        "`loanpulse config` prints every value with its origin.\n",
        "| setting | variable | default | what it is for |",
        "|---|---|---|---|",
    ]
    for one in load_with_origins(None, {}).origins:
        section, key = one.key.split(".")
        variable = f"LOANPULSE_{section.upper()}__{key.upper()}"
        value = f"`{one.value}`" if one.value else "(empty)"
        lines.append(f"| {one.key} | `{variable}` | {value} | {one.description} |")
    return "\n".join(lines) + "\n"


PAGES = {
    "reference-contracts.md": contracts_page,
    "reference-tables.md": tables_page,
    "reference-indicators.md": indicators_page,
    "reference-settings.md": settings_page,
}


def main() -> int:
    stale = []
    for name, page in PAGES.items():
        file, text = FOLDER / name, page()
        if "--check" in sys.argv:
            if not file.exists() or file.read_text(encoding="utf-8") != text:
                stale.append(name)
        else:
            file.write_text(text, encoding="utf-8")
    if stale:
        sys.stderr.write(f"out of date: {', '.join(stale)}; run `make docs`\n")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
