"""The import contracts catch what they are there for: a copy of the tree with one wrong import fails `lint-imports`."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CORE = (
    "record", "indicators", "behaviours", "fold", "forecast", "scoring", "models", "policy", "alerts", "directives",
    "partition", "engine", "learning", "replay",
)  # fmt: skip
CONTRACT_OF_THE_CORE = "The core knows no broker, clock, thread or configuration"
CONTRACT_OF_THE_ROOMS = "The rooms of streams import one way"

pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package as a wheel has it, and the contracts."""
    folder = tmp_path_factory.mktemp("copy")
    shutil.copytree(ROOT / "src" / "loanpulse", folder / "loanpulse", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", folder)
    return folder


def broken(copy: Path) -> set[str]:
    """The names of the contracts that don't hold in the copy."""
    done = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"], cwd=copy, capture_output=True, text=True,
        check=False, env={"PYTHONPATH": str(copy), "PATH": "/usr/bin:/bin", "COLUMNS": "200", "LC_ALL": "C.UTF-8"},
    )  # fmt: skip
    names = {line.removesuffix(" BROKEN").strip() for line in done.stdout.splitlines() if line.endswith(" BROKEN")}
    assert (done.returncode == 0) == (not names), done.stdout + done.stderr
    return names


@pytest.fixture
def plant(copy: Path):
    """Add a line to an ``__init__`` of the copy; it is as before afterwards."""
    before: dict[Path, str] = {}

    def add(room: str, line: str) -> None:
        file = copy / "loanpulse" / "streams" / room / "__init__.py"
        before.setdefault(file, file.read_text() if file.exists() else "")
        file.parent.mkdir(exist_ok=True)
        file.write_text(f"{before[file]}\n{line}\n")

    yield add
    for file, text in before.items():
        if text:
            file.write_text(text)
        else:
            shutil.rmtree(file.parent)


def test_the_contracts_hold(copy: Path) -> None:
    assert broken(copy) == set()


@pytest.mark.parametrize("module", ["faust", "time", "threading", "loanpulse.settings.loading"])
def test_the_core_may_not_import(copy: Path, plant, module: str) -> None:
    for room in ("record", "engine"):
        plant(room, f"import {module}")
    assert CONTRACT_OF_THE_CORE in broken(copy)


def test_faust_is_caught_in_every_room_of_the_core(copy: Path, plant) -> None:
    for room in CORE:
        plant(room, "import faust")
    done = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"], cwd=copy, capture_output=True, text=True,
        check=False, env={"PYTHONPATH": str(copy), "PATH": "/usr/bin:/bin", "COLUMNS": "200", "LC_ALL": "C.UTF-8"},
    )  # fmt: skip
    named = {room for room in CORE if f"loanpulse.streams.{room} is not allowed to import faust" in done.stdout}
    assert named == set(CORE)


def test_a_room_may_not_import_one_above_it(copy: Path, plant) -> None:
    plant("record", "import loanpulse.streams.scoring")
    assert broken(copy) == {CONTRACT_OF_THE_ROOMS}


def test_a_new_room_must_be_given_its_place(copy: Path, plant) -> None:
    plant("attic", '"""A room that no contract names."""')
    assert broken(copy) == {CONTRACT_OF_THE_ROOMS}
