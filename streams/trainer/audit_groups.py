"""The lender's table of groups for audits, read from a CSV file."""

import csv
from pathlib import Path


class GroupsFileError(ValueError):
    """The table of groups can't be used; its text is one sentence."""


def read_groups(path: Path) -> dict[str, str]:
    """Read the group of each borrower: a header ``borrower_id,group`` and a line each.

    Raises:
        GroupsFileError: it has no such columns.
        OSError: it can't be read.
    """
    with path.open(newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file)
        if not {"borrower_id", "group"} <= set(reader.fieldnames or ()):
            raise GroupsFileError(f"{path} must have the columns borrower_id and group")
        return {row["borrower_id"]: row["group"] for row in reader}
