"""A lender's month for its supervisor: Parquet files, and a dictionary of their columns from the tables' comments."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet

DICTIONARY = "dictionary"
PSEUDONYM = "borrower_id"
COMMENT = b"comment"

Ask = Callable[[str, Mapping[str, str]], pa.Table]


@dataclass(frozen=True, slots=True)
class Exported:
    """One file: where its columns are explained (a table or view), what it holds, and the statement that fills it."""

    name: str
    source: str
    about: str
    statement: str


_IN_MONTH = "{name} >= {{month:Date}} AND {name} < addMonths({{month:Date}}, 1)"


def _by_day(view: str, about: str) -> Exported:
    condition = _IN_MONTH.format(name="day")
    return Exported(view, view, about, f"SELECT * FROM {view} WHERE lender_id = {{lender:String}} AND {condition}")


EXPORTS = (
    _by_day("portfolio_by_day", "Borrowers by level at the end of each day"),
    _by_day("roll_rates_daily", "Moves between levels by day"),
    _by_day("dpd_buckets_daily", "Borrowers by days past due at the end of each day"),
    Exported(
        "vintage_curves", "vintage_curves", "Loans by month of disbursement: share that ever went 30 days past due",
        "SELECT * FROM vintage_curves WHERE lender_id = {lender:String} AND vintage < addMonths({month:Date}, 1) "
        "AND addMonths(vintage, months_on_book) < addMonths({month:Date}, 1)",
    ),
    Exported(
        "alerts", "alerts", "Every alert of the month to the lender, with its reasons and advice",
        "SELECT * EXCEPT (kafka_partition, kafka_offset, loaded_at) FROM alerts FINAL "
        f"WHERE lender_id = {{lender:String}} AND {_IN_MONTH.format(name='event_time')}",
    ),
    Exported(
        "alert_outcomes", "alert_outcomes", "The outcome of each alert episode of the month",
        "SELECT * FROM alert_outcomes WHERE lender_id = {lender:String} "
        f"AND {_IN_MONTH.format(name='alerted_at')}",
    ),
    Exported(
        "alert_feedback", "alert_feedback", "What the lender's team reported in the month",
        "SELECT * EXCEPT (kafka_partition, kafka_offset, loaded_at) FROM alert_feedback FINAL "
        f"WHERE lender_id = {{lender:String}} AND {_IN_MONTH.format(name='event_time')}",
    ),
    Exported(
        "model_health", "model_health",
        "How good the models were in the month: over all lenders, where lender_id is empty, and for this one",
        "SELECT * EXCEPT (kafka_partition, kafka_offset, loaded_at) FROM model_health FINAL "
        f"WHERE lender_id IN ('', {{lender:String}}) AND {_IN_MONTH.format(name='event_time')}",
    ),
)  # fmt: skip

_COLUMNS = (
    "SELECT name, type, comment FROM system.columns WHERE database = currentDatabase() AND table = {source:String}"
)
_ANY_COMMENT = (
    "SELECT name, min(system.columns.comment) AS comment FROM system.columns "
    "WHERE database = currentDatabase() AND system.columns.comment != '' GROUP BY name"
)
VIEW_COMMENTS = {
    "day": "Day, UTC",
    "borrowers": "Number of borrowers",
    "share": "Share of the borrowers who were at level_from",
    "bucket": "Band of days past due",
    "average_lhi": "Mean Liquidity Health Index of these borrowers, 0 (worst) to 100 (best)",
    "average_pd": "Mean probability of an instalment going 30 or more days past due within 30 days",
    "borrowers_past_due": "Of these, borrowers with something past due",
    "vintage": "Month of disbursement, its first day",
    "months_on_book": "Calendar months since then",
    "loans": "Loans disbursed in that month",
    "loans_defaulted": "Of these, loans that had been 30 days past due by then",
    "share_defaulted": "Their share",
    "alerted_at": "When the episode's first alert became true",
    "is_sent": "Whether an alert of the episode was sent, not deferred, suppressed or held out",
    "next_default": "Day on which a loan with this lender next went 30 days past due; 1970-01-01 if none did",
    "is_true": "Whether that was within 60 days after the alert",
    "is_matured": "Whether it is known already",
    "lead_time_days": "Days from the alert to it; null if it did not come",
    "recovered_at": "When the borrower next came back to STABLE or AMPLE; 1970-01-01 if not yet",
    "cured_at": "When the episode was cured, by recovery or payment; null if not yet",
    "days_to_cure": "Days from the alert to the cure; null if not yet",
    "hours_to_first_contact": "Hours from the alert to the first contact; null if none was reported",
}
"""What the columns mean that only views have, so that no table has a comment of them."""


def export_month(
    ask: Ask,
    lender_id: str,
    month: date,
    folder: Path,
    pseudonym: Callable[[str], str],
    tell: Callable[[str, int], None],
) -> list[Path]:
    """Write a lender's month into a folder; return the files, the dictionary last.

    ``pseudonym`` replaces borrowers' ids, so that the supervisor's copy can't be joined with the lender's systems.
    ``tell`` is called with each file's name and number of rows. Raises WarehouseError, OSError.
    """
    folder.mkdir(parents=True, exist_ok=True)
    given = {"lender": lender_id, "month": month.isoformat()}
    known = {row["name"]: row["comment"] for row in ask(_ANY_COMMENT, {}).to_pylist()}
    written: list[Path] = []
    entries: list[dict[str, Any]] = []
    for exported in EXPORTS:
        rows = _renamed(ask(exported.statement, given), pseudonym)
        rows = _described(rows, _meanings(ask, exported, rows.column_names, known), exported.about)
        written.append(folder / f"{exported.name}.parquet")
        pyarrow.parquet.write_table(rows, written[-1], compression="zstd")
        entries += [
            {"file": written[-1].name, "file_holds": exported.about, "column": field.name, "type": str(field.type),
             "meaning": field.metadata[COMMENT].decode()}
            for field in rows.schema
        ]  # fmt: skip
        tell(written[-1].name, rows.num_rows)
    dictionary = pa.Table.from_pylist(entries)
    written.append(folder / f"{DICTIONARY}.parquet")
    pyarrow.parquet.write_table(dictionary, written[-1], compression="zstd")
    written.append(folder / f"{DICTIONARY}.md")
    written[-1].write_text(_page(entries, lender_id, month), encoding="utf-8")
    tell(written[-2].name, dictionary.num_rows)
    return written


def _meanings(ask: Ask, exported: Exported, names: Iterable[str], known: Mapping[str, str]) -> dict[str, str]:
    """Return what columns mean: by their own table's comments, VIEW_COMMENTS, or any table's comments."""
    rows = ask(_COLUMNS, {"source": exported.source}).to_pylist()
    comments = {row["name"]: row["comment"] for row in rows if row["comment"]}
    return {name: comments.get(name) or VIEW_COMMENTS.get(name) or known.get(name, "") for name in names}


def _renamed(rows: pa.Table, pseudonym: Callable[[str], str]) -> pa.Table:
    if PSEUDONYM not in rows.column_names:
        return rows
    names = [pseudonym(name) for name in rows.column(PSEUDONYM).to_pylist()]
    return rows.set_column(rows.column_names.index(PSEUDONYM), PSEUDONYM, pa.array(names, pa.string()))


def _described(rows: pa.Table, meanings: Mapping[str, str], about: str) -> pa.Table:
    fields = [field.with_metadata({COMMENT: meanings[field.name]}) for field in rows.schema]
    return rows.cast(pa.schema(fields)).replace_schema_metadata({COMMENT: about})


def _page(entries: list[dict[str, Any]], lender_id: str, month: date) -> str:
    lines = [f"# {lender_id}, {month:%Y-%m}: dictionary of columns", ""]
    for name in dict.fromkeys(entry["file"] for entry in entries):
        own = [entry for entry in entries if entry["file"] == name]
        lines += [f"## {name}", "", f"{own[0]['file_holds']}.", "", "| column | type | meaning |", "|---|---|---|"]
        lines += [
            f"| {one['column']} | {one['type'].replace('|', ' ')} | {one['meaning'].replace('|', ' ')} |" for one in own
        ]
        lines.append("")
    return "\n".join(lines)
