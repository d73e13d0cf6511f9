"""Old names of commands and options: accepted, with one warning that names the new one, and hidden from the help."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from loanpulse import __version__
from loanpulse.commands.main import app

WIDE = {"COLUMNS": "200", "NO_COLOR": "1", "TERM": "dumb"}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("loader", "load"),
        ("migrate", "warehouse migrate"),
        ("policy try", "policy compare"),
        ("topics read", "topics dump"),
    ],
)
def test_an_old_command_runs_the_new_one_with_a_warning(old: str, new: str) -> None:
    done = CliRunner().invoke(app, [*old.split(), "--help"], env=WIDE)
    assert done.exit_code == 0
    assert f"loanpulse {new} [OPTIONS]" in done.stdout
    assert done.stderr.startswith(f"Warning: `loanpulse {old}` is now `loanpulse {new}`")
    assert len(done.stderr.splitlines()) == 1


def test_old_names_are_not_in_the_help() -> None:
    shown = CliRunner().invoke(app, ["--help"], env=WIDE).stdout
    assert "│ load " in shown
    assert "│ loader" not in shown
    assert "│ migrate" not in shown
    shown = CliRunner().invoke(app, ["policy", "--help"], env=WIDE).stdout
    assert "│ compare" in shown
    assert "│ try" not in shown
    shown = CliRunner().invoke(app, ["replay", "--help"], env=WIDE).stdout
    assert "--directives" in shown
    assert "--controls" not in shown


def test_an_alias_that_stays_has_no_warning() -> None:
    done = CliRunner().invoke(app, ["erase", "--help"], env=WIDE)
    assert "loanpulse forget [OPTIONS]" in done.stdout
    assert done.stderr == ""


def test_old_options_of_replay_mean_the_new_ones(tmp_path: Path) -> None:
    log, directives = tmp_path / "log.jsonl", tmp_path / "directives.jsonl"
    log.write_text("")
    directives.write_text("")
    arguments = ["replay", str(log), "--alerts", str(directives), "--controls", str(directives), "--at", "soon"]
    done = CliRunner().invoke(app, arguments, env=WIDE)
    assert done.exit_code == 2
    assert done.stderr.splitlines()[:2] == [
        "Warning: --controls is now --directives; the next version rejects the old name.",
        "Warning: --at is now --until; the next version rejects the old name.",
    ]
    assert "would be overwritten" in done.stderr
    done = CliRunner().invoke(app, ["replay", str(log), "--until", "later", "--at", "soon"], env=WIDE)
    assert "--at is ignored: it is the old name of --until, which is given too" in done.stderr
    assert "--until 'later' is not a time with an offset" in done.stderr


def test_an_old_key_is_warned_about_once_on_standard_error(tmp_path: Path) -> None:
    file = tmp_path / "loanpulse.toml"
    file.write_text('[streams]\ngroup = "mine"\n')
    done = CliRunner().invoke(app, ["config", "-c", str(file), "--json"], env=WIDE)
    assert done.exit_code == 0
    assert '"streams.consumer_group"' in done.stdout
    assert done.stderr.count("Warning") == 1
    assert "streams.group" in done.stderr
    assert "streams.consumer_group" in done.stderr


def test_the_version_is_printed() -> None:
    assert CliRunner().invoke(app, ["--version"]).stdout == f"loanpulse {__version__}\n"
