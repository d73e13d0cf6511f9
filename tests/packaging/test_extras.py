"""Extras: each command names one that brings what it imports, and says so where it is missing."""

import re
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from typer.testing import CliRunner

from loanpulse.commands import extras
from loanpulse.commands.main import COMMANDS, app

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
NAME = re.compile(r"^([A-Za-z0-9_.-]+)(?:\[([a-z,0-9]+)\])?")


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def brought(extra: str) -> set[str]:
    """The libraries that an extra asks for, with those of the extras that it includes."""
    found: set[str] = set()
    for requirement in PROJECT["optional-dependencies"][extra]:
        name, included = NAME.match(requirement).groups()
        if name == "loanpulse":
            found.update(*(brought(part) for part in included.split(",")))
        else:
            found.add(normal(name))
    return found


@pytest.mark.parametrize("extra", extras.MODULES)
def test_an_extra_brings_the_modules_that_are_looked_for(extra: str) -> None:
    owners = packages_distributions()
    assert {normal(owners[module][0]) for module in extras.MODULES[extra]} == brought(extra)


def test_every_extra_is_known_and_all_of_them_are_in_all() -> None:
    own = set(PROJECT["optional-dependencies"]) - {"all", "dev"}
    assert own == set(extras.MODULES)
    assert brought("all") == set().union(*(brought(extra) for extra in own))
    assert {listed.extra for listed in COMMANDS.values()} <= own | {""}


BLOCKED = """
import sys
from importlib.abc import MetaPathFinder
class Blocked(MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {blocked!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
sys.meta_path.insert(0, Blocked())
"""


@pytest.mark.parametrize("extra", ["", *extras.MODULES])
def test_an_extra_is_enough_for_its_commands(extra: str) -> None:
    """Each command's module is imported where no library of another extra can be."""
    own = set(extras.MODULES.get(extra, ()))
    blocked = {module for modules in extras.MODULES.values() for module in modules} - own
    modules = sorted({listed.location.partition(":")[0] for listed in COMMANDS.values() if listed.extra == extra})
    program = BLOCKED.format(blocked=blocked) + "".join(f"import loanpulse.commands.{name}\n" for name in modules)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_a_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "faust", None)
    for arguments in (["worker"], ["worker", "--help"]):
        done = CliRunner().invoke(app, arguments)
        assert done.exit_code == 1
        assert "pip install 'loanpulse[worker]'" in done.output
    assert CliRunner().invoke(app, ["--help"]).exit_code == 0


@pytest.mark.parametrize(("module", "extra"), [("confluent_kafka.admin", "publisher"), ("chdb", "demo"), ("os", "")])
def test_a_module_belongs_to_its_smallest_extra(module: str, extra: str) -> None:
    assert extras.extra_of(module) == extra


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-production.lock"])
def test_a_lock_names_no_host(lock: str) -> None:
    text = (ROOT / lock).read_text()
    assert not re.search(r"://|--(?:extra-)?index|--find-links", text)


def test_production_has_no_development_tools() -> None:
    pinned = {
        normal(name) for name in re.findall(r"^([\w.-]+)==", (ROOT / "requirements-production.lock").read_text(), re.M)
    }
    tools = {normal(NAME.match(requirement)[1]) for requirement in PROJECT["optional-dependencies"]["dev"]}
    assert not pinned & tools
    needed = {normal(NAME.match(requirement)[1]) for requirement in PROJECT["dependencies"]}
    assert pinned >= needed | brought("trainer") | brought("loader") | brought("report")
