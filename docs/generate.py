"""Writes the references in docs/ from their sources; with --check it only reports those that are out of date."""

import ast
import inspect
import json
import re
import sys
import tomllib
from pathlib import Path
from typing import Any

from loanpulse.schemas import contracts
from loanpulse.schemas.contracts import SpendingCategory
from loanpulse.schemas.topics import TOPICS
from loanpulse.schemas.violations import Violation
from loanpulse.settings import load_with_origins
from loanpulse.sinks.migrate import load_migrations
from loanpulse.sinks.queries import named_queries
from loanpulse.streams.behaviours.catalogue import BEHAVIOURS
from loanpulse.streams.indicators.base import Indicator
from loanpulse.streams.indicators.catalogue import INDICATORS
from loanpulse.streams.policy import policy_file
from loanpulse.streams.policy.actions import MEANINGS
from loanpulse.streams.policy.policy_file import PACKAGED, PolicyFile
from loanpulse.streams.record.loan_purpose import CLASS_OF_CATEGORY, OTHER_USE, USES
from loanpulse.streams.scoring.dimensions import DIMENSIONS
from loanpulse.streams.scoring.levels import HARD_EVENT_NAMES

FOLDER = Path(__file__).parent
RESULTS = FOLDER.parent / "benchmarks" / "results"
NOTE = "<!-- Written by docs/generate.py from the source; change the source and run `make docs`. -->\n"
COLUMN = re.compile(r"^ {4}(\w+) (.+?) COMMENT '((?:[^']|'')*)'(?: CODEC\(.*\))?,?$", re.MULTILINE)
ADDED = re.compile(
    r"^ALTER TABLE (?P<table>\w+) ADD COLUMN (\w+) (.+?) COMMENT '((?:[^']|'')*)'(?: CODEC\(.*\))? AFTER (\w+)$"
)
RENEWED = re.compile(r"^ALTER TABLE (?P<table>\w+) COMMENT COLUMN (\w+) '((?:[^']|'')*)'$")
OF_A_COLUMN = re.compile(r"^ALTER TABLE \w+ [A-Z]+ COLUMN ")
TABLE = re.compile(r"^CREATE TABLE (\w+)", re.MULTILINE)
VIEW = re.compile(r"^CREATE (?:OR REPLACE )?VIEW (\w+) AS\n(.*?)\nCOMMENT '((?:[^']|'')*)'$", re.MULTILINE | re.DOTALL)
DROPPED = re.compile(r"^DROP TABLE (\w+)$")
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
        "The records of each topic. Keys are UTF-8; values are Avro in the Confluent wire format.\n",
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


def column_line(name: str, kind: str, comment: str) -> str:
    text = comment.replace("''", "'")
    return f"| {name} | {escaped(kind)} | {escaped(text)} |"


def with_change(lines: list[str], change: re.Match[str]) -> list[str]:
    """Return a table's section with a column added or with a column's comment renewed."""
    _, *said = change.groups()
    column = said[-1] if change.re is ADDED else said[0]
    place = next(number for number, line in enumerate(lines) if line.startswith(f"| {column} | "))
    if change.re is ADDED:
        name, kind, comment, _ = said
        return [*lines[: place + 1], column_line(name, kind, comment), *lines[place + 1 :]]
    kind = lines[place].split(" | ")[1]
    return [*lines[:place], column_line(column, kind, said[-1]), *lines[place + 1 :]]


def tables_and_views() -> dict[str, list[str]]:
    """Return a section for each table and view that exists after all migrations, by its last definition."""
    sections: dict[str, list[str]] = {}
    for statement in (said for migration in load_migrations() for said in migration.statements):
        if dropped := DROPPED.match(statement):
            del sections[dropped[1]]
        if change := ADDED.match(statement) or RENEWED.match(statement):
            sections[change["table"]] = with_change(sections[change["table"]], change)
        elif OF_A_COLUMN.match(statement):
            raise ValueError(f"the reference of tables can't follow: {statement}")
        if found := TABLE.search(statement):
            comment = TABLE_COMMENT.search(statement)
            lines = [
                f"## {found[1]}\n",
                f"{comment[1] if comment else ''}.\n".replace("''", "'"),
                "| column | type | what it is |",
                "|---|---|---|",
            ]
            lines += [column_line(name, kind, text) for name, kind, text in COLUMN.findall(statement)]
            sections[found[1]] = [*lines, ""]
        for name, body, comment in VIEW.findall(statement):
            said = comment.replace("''", "'")
            sections[name] = [f"## {name}\n", f"A view. {said}.\n", "```sql", body.strip(), "```", ""]
    return sections


def tables_page() -> str:
    lines = [NOTE, "# Tables and views\n"]
    for section in tables_and_views().values():
        lines += section
    lines += ["## Documented queries\n", "| `loanpulse query …` | answers | options |", "|---|---|---|"]
    for query in named_queries().values():
        options = "; ".join(f"`--{one.name}` {one.about}" for one in query.parameters)
        lines.append(f"| {query.name} | {query.question} | {options} |")
    return "\n".join(lines) + "\n"


def formula_of(indicator: Indicator) -> str:
    """Return the source of the module that reads an indicator, without its imports and its entry here."""
    source = inspect.getsource(sys.modules[indicator.read.__module__])
    lines = source[: source.index("\nINDICATOR = ")].splitlines()
    last = max(place for place, line in enumerate(lines) if line.startswith(("from ", ")")))
    return "\n".join(lines[last + 1 :]).strip()


def index_section(file: policy_file.PolicyFile) -> list[str]:
    levels, index = file.levels, file.index
    floors = ", ".join(f"{name} {getattr(file.floors, name)}" for name in HARD_EVENT_NAMES if name)
    return [
        "\n## The index\n",
        "Without evidence a utility counts as the neutral one; between, in proportion to the evidence. So a feed that",
        "is missing, or stops, moves the index towards the prior and lowers the confidence; it never makes a",
        "borrower look healthier or worse.\n",
        "```",
        "counted    = evidence * utility + (1 - evidence) * neutral_utility",
        "log_odds   = ln((1 - neutral_pd) / neutral_pd) + sum(weight * (counted - neutral_utility))",
        "LHI        = clip(points_at_even_odds + points_to_double_odds / ln 2 * log_odds, 0, 100)",
        "PD         = 1 / (1 + exp(log_odds))",
        "confidence = sum(weight * evidence) / sum(weight)",
        "```\n",
        f"The packaged policy has neutral_utility {index.neutral_utility:g}, neutral_pd {index.neutral_pd:g},",
        f"points_at_even_odds {index.points_at_even_odds:g}, points_to_double_odds {index.points_to_double_odds:g}.",
        f"Levels begin at {levels.AMPLE:g} (AMPLE), {levels.STABLE:g} (STABLE), {levels.WATCH:g} (WATCH) and "
        f"{levels.TENSE:g} (TENSE); below is CRISIS.",
        f"A better level needs {levels.hysteresis:g} points more than its floor and {levels.improvement_dwell_hours:g} "
        f"hours at the old one; a worse one {levels.dwell_hours:g} hours,",
        f"or {levels.relapse_dwell_hours:g} where an improvement had led to the present level.",
        f"Hard events set a floor at once: {floors}.\n",
    ]


def dimensions_section(weights: policy_file.CqplmSection) -> list[str]:
    lines = [
        "\n# The other two dimensions, and the CQ-PLM score\n",
        "| part | meaning | unit |",
        "|---|---|---|",
        *(f"| {one.name} | {one.meaning} | {one.unit} |" for one in DIMENSIONS),
        "\n```",
        f"credit_score   = 100 * ({weights.timeliness:g} * timeliness + {weights.elasticity:g} * elasticity)",
        f"scenario_score = 100 * ({weights.purpose_share:g} * purpose_share + {weights.purpose_deviation:g} * "
        "(1 - purpose_deviation))",
        f"cqplm_score    = {weights.liquidity:g} * LHI + {weights.credit:g} * credit_score + {weights.scenario:g} * "
        "scenario_score",
        "```\n",
        "The weights are the packaged policy's (`[cqplm]`), brought to a sum of 1 over the parts that are known.\n",
        "What a declared purpose may be spent on (categories of SpendingEvent); everything else deviates, paying",
        "instalments aside. Spending names its loan by `loan_id` alone, without the lender; it is matched to the loan",
        "of the same borrower that has this id, so two lenders of one borrower should not use the same loan id.\n",
        "| declared purpose | categories |",
        "|---|---|",
    ]
    for purpose, uses in USES.items():
        kept = [category.name for category in SpendingCategory if CLASS_OF_CATEGORY.get(category, OTHER_USE) in uses]
        lines.append(f"| {purpose.name} | {', '.join(kept)} |")
    return lines


def indicator_section(one: Indicator) -> list[str]:
    return [
        f"\n## {one.name}\n",
        f"{one.meaning[0].upper()}{one.meaning[1:]}.\n",
        f"Unit: {one.unit}. Utility 1 at {one.healthy:g}, 0 at {one.unhealthy:g}. Weight {one.weight:g}.",
        f"Evidence: {one.evidence}.\n",
        "```python",
        formula_of(one),
        "```",
    ]


def indicators_page() -> str:
    file = policy_file.load().file
    lines = [
        NOTE,
        "# The twelve indicators\n",
        "Each has a value, a utility (1 at the healthy anchor, 0 at the unhealthy, linear between), an evidence (how",
        "much data stands behind it, 0 to 1) and an age (days since the newest data behind it).",
        "The weight is in log-odds of staying current between the two anchors.\n",
        "| indicator | unit | healthy | unhealthy | weight | source | reason |",
        "|---|---|---|---|---|---|---|",
    ]
    for one in INDICATORS:
        lines.append(
            f"| [{one.name}](#{one.name}) | {one.unit} | {one.healthy:g} | {one.unhealthy:g} | {one.weight:g} | "
            f"{one.source} | {one.reason_en} / {one.reason_zh} |"
        )
    lines += [
        *index_section(file),
        "## A supervisor's early warnings\n",
        "The list of the SAMA rulebook, Appendix 1, and the indicator that sees each.\n",
        "| early warning | indicator |",
        "|---|---|",
        *(f"| {warning} | [{one.name}](#{one.name}) |" for one in INDICATORS for warning in one.watched),
    ]
    for one in INDICATORS:
        lines += indicator_section(one)
    lines += dimensions_section(file.cqplm)
    return "\n".join(lines) + "\n"


def behaviours_page() -> str:
    lines = [
        NOTE,
        "# The twelve behaviours\n",
        "A behaviour opens an episode, and one alert to each lender concerned, at the scoring at which its condition",
        "first holds. The episode ends when the condition has been false for `clear_days`; only then can it open anew.",
        "Parameters are set in the policy file under `[behaviours.NAME]`.\n",
        "UTILITY_LATE_STREAK and DISTRESS_SPENDING together count as one level worse. USAGE_COLLAPSE of two utilities",
        "at once calls for a welfare check, not for a reminder. INCOME_STOPPED and INSTALMENT_MISSED are absences:",
        "a timer finds them at the due time, also if the borrower's sources send no further event.\n",
    ]
    for one in BEHAVIOURS:
        lines += [
            f"## {one.name}\n",
            f"Holds when {one.definition}. Source: {one.source}.\n",
            f"Measured: {one.value}. Said to a person: {one.reason_en} / {one.reason_zh}.\n",
            "| parameter | default | allowed | meaning |",
            "|---|---|---|---|",
        ]
        lines += [f"| {p.name} | {p.default:g} | {p.least:g} to {p.most:g} | {p.meaning} |" for p in one.parameters]
        lines.append("")
    return "\n".join(lines)


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


def allowed(schema: Any) -> str:
    """What a key of the policy may be, from its JSON schema."""
    schema = next((one for one in schema.get("anyOf", ()) if one.get("type") != "null"), schema)
    kind = {"number": "number", "integer": "whole number", "string": "text", "array": "list of actions"}.get(
        schema.get("type", ""), "text"
    )
    if schema.get("format") == "time":
        kind = "local time"
    bounds = [
        f"{sign} {schema[name]:g}"
        for name, sign in (
            ("minimum", "at least"), ("exclusiveMinimum", "over"),
            ("maximum", "at most"), ("exclusiveMaximum", "under"),
        )
        if name in schema
    ]  # fmt: skip
    return ", ".join([kind, *bounds])


def policy_page() -> str:
    schema = PolicyFile.model_json_schema()
    packaged = tomllib.loads(PACKAGED.read_text(encoding="utf-8"))
    lines = [
        NOTE,
        "# The policy's keys\n",
        "With the packaged values. The parameters of the behaviours are in "
        "[a page of their own](reference-behaviours.md).\n",
    ]
    sections = [(name, name, packaged[name]) for name, part in schema["properties"].items() if "$ref" in part]
    sections += [("jurisdictions.<name>", "jurisdictions", packaged["jurisdictions"]["CN"])]
    sections += [("lenders.<lender_id>", "lenders", packaged["lenders"]["default"])]
    for title, name, values in sections:
        part = schema["properties"][name]
        section = schema["$defs"][part.get("$ref", part.get("additionalProperties", {}).get("$ref")).rsplit("/", 1)[-1]]
        lines += [f"## [{title}]\n", " ".join(section["description"].split()) + "\n"]
        lines += ["| key | allowed | packaged |", "|---|---|---|"]
        for key, content in section["properties"].items():
            value = values.get(key, content.get("default"))
            said = ", ".join(value) if isinstance(value, list) else str(value)
            lines.append(f"| {key} | {allowed(content)} | {said} |")
        lines.append("")
    lines += ["## [effects]\n", "The share of the expected loss that an action is taken to avoid, 0 to 1.\n"]
    lines += ["| action | packaged |", "|---|---|"]
    lines += [f"| {name} | {value:g} |" for name, value in packaged["effects"].items()]
    lines += ["", "## Actions\n", "All that a policy may advise.\n"]
    lines += ["| action | what it means | | a contact with the borrower |", "|---|---|---|---|"]
    lines += [
        f"| {action.value} | {one.text_en} | {one.text_zh} | {'yes' if one.contact else 'no'} |"
        for action, one in MEANINGS.items()
    ]
    return "\n".join(lines) + "\n"


def speed_page() -> str:
    """Return the figures of the last `make bench` and of the last replay of ten million events."""
    lines = [NOTE, "# Speed, as measured\n"]
    for file, made_by in (("latest", "make bench"), ("replay", "python -m benchmarks.replay")):
        result = json.loads((RESULTS / f"{file}.json").read_text(encoding="utf-8"))
        machine, targets = result["machine"], result.get("targets", {})
        lines += [
            f"`{made_by}` on {machine['cores']} cores, Python {machine['python']}, {machine['at']}:\n",
            "| figure | value | asked |",
            "|---|---|---|",
        ]
        for name, value in result["figures"].items():
            asked = f"{targets[name][0]} {targets[name][1]:,.0f}" if name in targets else ""
            lines.append(
                f"| {name} | {value:,.2f} | {asked} |" if value < 100 else f"| {name} | {value:,.0f} | {asked} |"
            )
        lines.append("")
    lines += [
        "End to end is one worker process with the broker beside it on the same cores: Avro decoded, folded, state",
        "written to the changelog, scored, snapshots and alerts published. The plain agent is an ordinary Faust agent",
        "over the same topic, one event at a time with one table write each, measured in the same run. The undo log,",
        "by which late events restate earlier scorings, is in a file that the system may write out, and is counted",
        "separately.",
    ]
    return "\n".join(lines) + "\n"


ROOMS = (
    "commands", "checks", "evaluation", "streams/worker", "streams/trainer", "streams/replay", "streams/faust_kafka",
    "streams/engine", "streams/learning", "streams/partition", "streams/directives", "streams/alerts", "streams/models",
    "streams/policy", "streams/scoring", "streams/fold", "streams/forecast", "streams/behaviours", "streams/indicators",
    "streams/record", "sinks", "city", "schemas", "checks", "broker", "settings",
)  # fmt: skip
"""The folders of the code map, importers before what they import."""
CODE_MAP = re.compile(r"(<!-- code map: [^>]*-->\n).*(<!-- end of code map -->)", re.DOTALL)


def code_map() -> str:
    """Return the table of folders, each with its own docstring.

    Raises:
        ValueError: a folder has no docstring, or no line in ROOMS.
    """
    root = FOLDER.parent
    folders = {link.name for link in (root / "src" / "loanpulse").iterdir() if link.is_dir()} - {"streams"}
    folders |= {f"streams/{file.parent.name}" for file in (root / "streams").glob("*/__init__.py")}
    if folders != set(ROOMS):
        raise ValueError(f"the code map and the folders differ: {sorted(folders ^ set(ROOMS))}")
    lines = ["| folder | what belongs there |", "|---|---|"]
    for room in ROOMS:
        source = (root / room / "__init__.py").read_text(encoding="utf-8")
        said = ast.get_docstring(ast.parse(source))
        if not said:
            raise ValueError(f"{room}/__init__.py has no docstring")
        lines.append(f"| `{room}/` | {escaped(' '.join(said.replace('``', '`').split()))} |")
    return "\n".join(lines) + "\n"


def design_page() -> str:
    """Return the page on design as it is, with the code map of today."""
    page = (FOLDER / "design.md").read_text(encoding="utf-8")
    return CODE_MAP.sub(lambda found: found[1] + code_map() + found[2], page)


PAGES = {
    "design.md": design_page,
    "reference-contracts.md": contracts_page,
    "reference-tables.md": tables_page,
    "reference-indicators.md": indicators_page,
    "reference-behaviours.md": behaviours_page,
    "reference-settings.md": settings_page,
    "reference-policy.md": policy_page,
    "speed.md": speed_page,
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
