"""CREATE statements of topics' tables; ``python -m loanpulse.sinks.table_statements NAME…`` prints them."""

import sys

from loanpulse.sinks.table_columns import TableColumn
from loanpulse.sinks.tables import BLOCKS_REMEMBERED, BY_NAME, TopicTable


def create_table(table: TopicTable) -> str:
    """Return the CREATE statement of a table, in the form that migrations use."""
    lines = [*(_column(column) for column in table.columns), *table.indexes]
    body = ",\n    ".join(lines)
    return (
        f"CREATE TABLE {table.name}\n(\n    {body}\n)\n"
        "ENGINE = ReplacingMergeTree(loaded_at)\n"
        f"PARTITION BY {table.partition_by}\n"
        f"ORDER BY ({', '.join(table.order_by)})\n"
        f"SETTINGS non_replicated_deduplication_window = {BLOCKS_REMEMBERED}\n"
        f"COMMENT '{quoted(table.comment)}'"
    )


def quoted(text: str) -> str:
    """Return a text escaped for single quotes."""
    return text.replace("\\", "\\\\").replace("'", "''")


def _column(column: TableColumn) -> str:
    default = f" DEFAULT {column.default}" if column.default else ""
    codec = f" CODEC({column.codec})" if column.codec else ""
    return f"{column.name} {column.kind}{default} COMMENT '{quoted(column.comment)}'{codec}"


if __name__ == "__main__":
    sys.stdout.write(";\n\n".join(create_table(BY_NAME[name]) for name in sys.argv[1:]) + ";\n")
