"""The tests' own house: they mirror the packages, and share by ``tests/support`` only."""

import ast
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
ROOT = TESTS.parent
MODULES = sorted(TESTS.rglob("test_*.py"))
WITHOUT_A_ROOM = {"docs", "stories", "support", "packaging", "deploy", "lint"}
"""Folders of tests whose subject is no package: pages, stories, the build."""


def imported_by(module: Path) -> set[str]:
    tree = ast.parse(module.read_text(encoding="utf-8"))
    found = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module}
    return found | {name.name for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names}


@pytest.mark.parametrize("module", MODULES, ids=lambda module: str(module.relative_to(TESTS)))
def test_no_test_module_imports_from_another(module: Path) -> None:
    shared = {name for name in imported_by(module) if name.startswith("tests.")}
    assert not {name for name in shared if name.split(".")[-1].startswith("test_") or name == "tests.conftest"}


def test_every_folder_of_tests_mirrors_a_package() -> None:
    folders = {module.parent.relative_to(TESTS) for module in MODULES} - {Path()}
    strangers = {folder for folder in folders if folder.parts[0] not in WITHOUT_A_ROOM and not (ROOT / folder).is_dir()}
    assert not strangers
