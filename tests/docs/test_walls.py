"""The walls of the application that no linter sees. `make check-imports` holds the others."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.server import ROOT

APP = ROOT / "app"
MODULES = sorted(APP.rglob("*.py"))
NAMES = [str(path.relative_to(APP)) for path in MODULES]
MAX_FILE_LINES = 300
MAX_FUNCTION_LINES = 39
MAX_ENTRIES = 30
ANY_PER_1000_LINES = 8


def nodes(path: Path) -> Iterator[ast.AST]:
    return ast.walk(ast.parse(path.read_text(encoding="utf-8")))


def test_only_access_asks_for_the_kind_of_a_room() -> None:
    """Elsewhere a kind may be set and shown, but nothing may depend on it."""
    asking = {
        str(path.relative_to(APP))
        for path in MODULES
        for node in nodes(path)
        if (isinstance(node, ast.Compare | ast.Match) or is_predicate(node))
        and any(
            (isinstance(part, ast.Attribute) and part.attr == "kind")
            or (isinstance(part, ast.Name) and part.id == "RoomKind")
            or (isinstance(part, ast.keyword) and part.arg == "kind")
            for part in ast.walk(node)
        )
    }
    assert asking == {"services/access.py"}


def is_predicate(node: ast.AST) -> bool:
    """A call such as `Room.kind.in_(…)` or `filter_by(kind=…)`."""
    predicates = {"in_", "not_in", "is_", "is_not", "like", "between", "where", "filter", "filter_by"}
    return isinstance(node, ast.Call) and getattr(node.func, "attr", "") in predicates


def test_services_never_commit() -> None:
    for path in (APP / "services").rglob("*.py"):
        calls = {node.attr for node in nodes(path) if isinstance(node, ast.Attribute)}
        assert not calls & {"commit", "rollback"}, path.name


@pytest.mark.parametrize("path", MODULES, ids=NAMES)
def test_files_and_functions_are_small(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= MAX_FILE_LINES
    for node in nodes(path):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert node.end_lineno is not None
            body = node.end_lineno - node.lineno + 1
            assert body <= MAX_FUNCTION_LINES or node.name == "build_runtime", f"{node.name}: {body} lines"


def test_no_folder_is_crowded() -> None:
    for folder in {APP, *(path.parent for path in MODULES)}:
        entries = [entry for entry in folder.iterdir() if not entry.name.startswith("__")]
        assert len(entries) <= MAX_ENTRIES, folder


def test_types_are_known() -> None:
    """Imports do not count."""
    lines = [line for path in MODULES for line in path.read_text(encoding="utf-8").splitlines()]
    untyped = sum(len(re.findall(r"\bAny\b", line)) for line in lines if " import " not in line)
    assert 1000 * untyped / len(lines) < ANY_PER_1000_LINES
