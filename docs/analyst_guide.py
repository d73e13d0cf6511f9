"""Writes docs/analyst.md: the template, and twenty questions with their queries and samples from a simulated city.

Run from the project's folder: python -m docs.analyst_guide
"""

import json
import tempfile
import tomllib
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa

from loanpulse.sinks.embedded import EmbeddedWarehouse
from loanpulse.sinks.queries import EVENT_CLOCK, NamedQuery, bind, named_queries

FOLDER = Path(__file__).parent
SAMPLE_ROWS, LONGEST_CELL = 5, 60
NO_ROWS = "*(no rows in this city)*"


def parts() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = tomllib.loads((FOLDER / "analyst_questions.toml").read_text(encoding="utf-8"))["part"]
    return found


def sample_values(warehouse: EmbeddedWarehouse) -> dict[str, str]:
    """Return the values of $borrower, $alert and $event_time, by the newest alert at CRISIS."""
    row = warehouse.query(
        "SELECT alert_id, borrower_id, event_time FROM alerts_newest WHERE level_to = 'CRISIS' "
        "ORDER BY event_time DESC, alert_id LIMIT 1"
    ).to_pylist()[0]
    event_time = row["event_time"].strftime("%Y-%m-%dT%H:%M:%SZ")
    return {"$borrower": row["borrower_id"], "$alert": row["alert_id"], "$event_time": event_time}


def answer(warehouse: EmbeddedWarehouse, query: NamedQuery, options: dict[str, str]) -> pa.Table:
    now: datetime = warehouse.query(EVENT_CLOCK).column(0)[0].as_py()
    bound = bind(query, options, now)
    return warehouse.query(bound.statement, bound.values)


def guide(warehouse: EmbeddedWarehouse) -> str:
    """The whole page."""
    known, given = named_queries(), sample_values(warehouse)
    lines: list[str] = []
    number = 0
    for part in parts():
        lines += [f"## {part['title']}", ""]
        for question in part["question"]:
            number += 1
            query = known[question["query"]]
            options = {name: given.get(value, value) for name, value in question["options"].items()}
            command = " ".join(
                ["loanpulse query", query.name, *(f"--{name} {value}" for name, value in options.items())]
            )
            lines += [f"### {number}. {question['ask']}", "", "```sh", command, "```", ""]
            lines += sample(answer(warehouse, query, options))
            lines += [
                "",
                "<details><summary>The query</summary>",
                "",
                "```sql",
                query.statement,
                "```",
                "",
                "</details>",
                "",
            ]
    return (
        (FOLDER / "analyst_template.md").read_text(encoding="utf-8").replace("{questions}", "\n".join(lines).rstrip())
    )


def sample(rows: pa.Table) -> list[str]:
    heads = rows.column_names
    shown = [f"| {' | '.join(heads)} |", "|" + "---|" * len(heads)]
    for row in rows.slice(0, SAMPLE_ROWS).to_pylist():
        shown.append(f"| {' | '.join(cell(value) for value in row.values())} |")
    if not rows.num_rows:
        shown.append(f"| {NO_ROWS} |" + " |" * (len(heads) - 1))
    if rows.num_rows > SAMPLE_ROWS:
        shown += ["", f"… {rows.num_rows} rows in all."]
    return shown


def cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M:%S")
    text = json.dumps(value, ensure_ascii=False, default=str) if isinstance(value, (list, dict)) else str(value)
    text = text.replace("|", "\\|")
    return text if len(text) <= LONGEST_CELL else text[: LONGEST_CELL - 1] + "…"


def main() -> None:
    from tests.support import city_warehouse_rows

    with tempfile.TemporaryDirectory() as folder:
        path = city_warehouse_rows.build(Path(folder) / "warehouse")
        warehouse = EmbeddedWarehouse(path, "loanpulse", create=False)
        (FOLDER / "analyst.md").write_text(guide(warehouse) + "\n", encoding="utf-8")
        warehouse.close()


if __name__ == "__main__":
    main()
