"""The lender's table of groups: its columns are required, its lines are read as they are."""

from pathlib import Path

import pytest

from loanpulse.streams.trainer.audit_groups import GroupsFileError, read_groups


def test_the_table_of_groups(tmp_path: Path) -> None:
    path = tmp_path / "groups.csv"
    path.write_text("borrower_id,group\nb1,one\n")
    assert read_groups(path) == {"b1": "one"}
    path.write_text("borrower,group\n")
    with pytest.raises(GroupsFileError, match="borrower_id"):
        read_groups(path)
