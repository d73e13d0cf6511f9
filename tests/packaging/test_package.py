"""What is built: sdist and wheel hold the whole package, and the wheel works where it is installed."""

import os
import re
import subprocess
import sys
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest

import loanpulse

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("broker", "checks", "city", "commands", "evaluation", "schemas", "settings", "sinks", "streams")

pytestmark = pytest.mark.timeout(300)


def run(*argv: str | Path, folder: Path) -> str:
    """Run a program away from the source tree, without its path or its settings; return what it printed."""
    inherited = {key: value for key, value in os.environ.items() if not key.startswith(("LOANPULSE_", "PYTHON"))}
    done = subprocess.run(
        argv, cwd=folder, capture_output=True, text=True, check=False, env={**inherited, "COLUMNS": "200"}
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def build(out: Path, *options: str) -> Path:
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", out, *options, ROOT, folder=out.parent)
    (wheel,) = out.glob("*.whl")
    return wheel


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of an sdist and the wheel that was built from it."""
    return build(tmp_path_factory.mktemp("package") / "dist").parent


@pytest.fixture(scope="module")
def installed(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment that has the wheel; the libraries are those of the environment that runs the tests."""
    folder = tmp_path_factory.mktemp("installed") / "venv"
    venv.create(folder, with_pip=False, symlinks=True)
    (wheel,) = built.glob("*.whl")
    own = next((folder / "lib").glob("python*/site-packages"))
    run(sys.executable, "-m", "uv", "pip", "install", "--quiet", "--offline", "--no-deps", "--python",
        folder / "bin" / "python", wheel, folder=folder)  # fmt: skip
    # Libraries come after the wheel's own folder. Added as text, so that an editable install's own .pth is not read.
    libraries = [path for path in sys.path if path.endswith("site-packages")]
    (own / "libraries.pth").write_text("\n".join(libraries) + "\n")
    return folder


def in_the_tree() -> set[str]:
    """The files that the package owns, by the name that they have in a wheel."""
    found = {
        f"loanpulse/{path.relative_to(ROOT)}"
        for package in PACKAGES
        for path in (ROOT / package).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    return found | {"loanpulse/__init__.py", "loanpulse/py.typed"}


def files_of(wheel: Path) -> set[str]:
    return {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}


def test_every_package_of_the_tree_is_named() -> None:
    links = {path.name for path in (ROOT / "src" / "loanpulse").iterdir() if path.is_symlink()}
    assert links == set(PACKAGES)


def test_the_image_copies_every_package() -> None:
    copied = re.findall(r"^COPY (\w+) \1$", (ROOT / "deploy" / "Dockerfile").read_text(), re.MULTILINE)
    assert set(copied) == {*PACKAGES, "src"}


def test_the_wheel_from_the_sdist_holds_the_whole_tree(built: Path) -> None:
    (wheel,) = built.glob("*.whl")
    assert files_of(wheel) == in_the_tree()
    assert any(name.endswith("licenses/LICENSE") for name in zipfile.ZipFile(wheel).namelist())


def test_a_wheel_built_directly_is_the_same(built: Path, tmp_path: Path) -> None:
    (wheel,) = built.glob("*.whl")
    direct = build(tmp_path / "direct", "--wheel")
    assert files_of(direct) == files_of(wheel)
    one, other = zipfile.ZipFile(direct), zipfile.ZipFile(wheel)
    assert [name for name in one.namelist() if one.read(name) != other.read(name)] == []


def test_the_links_are_not_needed_to_build(built: Path, tmp_path: Path) -> None:
    """A checkout without symlinks has text files in their place; the sdist has none of them."""
    (sdist,) = built.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        members = archive.getmembers()
    assert not [member.name for member in members if member.issym()]
    assert not [
        member.name for member in members if re.search(r"/src/loanpulse/(?!__init__\.py|py\.typed)", member.name)
    ]


def test_the_installed_command_tells_its_version(installed: Path, tmp_path: Path) -> None:
    assert run(installed / "bin" / "loanpulse", "--version", folder=tmp_path).split() == [
        "loanpulse",
        loanpulse.__version__,
    ]
    where = run(installed / "bin" / "python", "-c", "import loanpulse; print(loanpulse.__file__)", folder=tmp_path)
    assert where.startswith(str(installed))


def test_the_installed_command_replays_a_log(installed: Path, tmp_path: Path) -> None:
    command = installed / "bin" / "loanpulse"
    run(command, "simulate", "--borrowers", "2", "--days", "5", "--start", "2026-01-01T00:00:00+00:00",
        "--out", "city.jsonl", folder=tmp_path)  # fmt: skip
    # Interpreted, since compiling takes longer than a log of five days.
    done = run("env", "NUMBA_DISABLE_JIT=1", command, "replay", "city.jsonl", "--snapshots", "snapshots.jsonl",
               folder=tmp_path)  # fmt: skip
    events, snapshots = (int(number) for number in re.findall(r"(\d+) (?:events|snapshots)", done.replace(",", "")))
    assert events == len((tmp_path / "city.jsonl").read_bytes().splitlines())
    assert snapshots == len((tmp_path / "snapshots.jsonl").read_bytes().splitlines()) > 0
