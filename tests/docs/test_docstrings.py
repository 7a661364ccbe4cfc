"""The modules, files and names that docstrings and comments of the application mention are there."""

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from tests.support.server import ROOT

APP = ROOT / "app"
MODULES = sorted(APP.rglob("*.py"))
NAMES = [path.relative_to(ROOT).as_posix() for path in MODULES]
FOLDERS = {path.name for path in APP.iterdir() if path.is_dir() and not path.name.startswith("__")} | {"app"}

QUOTED = re.compile(r"`([^`]+)`")
DOTTED = re.compile(r"(?<![\w./:])[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)+")
FILE = re.compile(r"(?<![\w./:])[\w*-]+(?:/[\w*.-]+)*\.(?:py|js|md|html|css|toml)\b")

EXTERNAL = {"time.monotonic"}
"""Names of the standard library."""


def prose(source: str) -> Iterator[str]:
    """The docstrings and comments of a module, also the strings that describe an attribute."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Expr(value=ast.Constant(value=str(text))):
                yield text
            case _:
                pass
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            yield token.string


def mentioned_files(text: str) -> set[str]:
    return set(FILE.findall(text))


def mentioned_names(text: str) -> set[str]:
    """Dotted names in backticks, and others that begin with a folder of the application."""
    quoted = {name for code in QUOTED.findall(text) for name in DOTTED.findall(code)}
    plain = {name for name in DOTTED.findall(text) if name.partition(".")[0] in FOLDERS}
    return (quoted | plain) - mentioned_files(text) - EXTERNAL


def is_there(path: str) -> bool:
    return any(any(root.glob(path)) for root in (ROOT, APP)) or ("/" not in path and any(APP.rglob(path)))


@cache
def modules() -> dict[str, Path]:
    """Every module and package of the application by its dotted name; a package is its `__init__`."""
    parts = {path: path.relative_to(ROOT).with_suffix("").parts for path in MODULES}
    return {".".join(names).removesuffix(".__init__"): path for path, names in parts.items()}


@cache
def names_in(path: Path) -> frozenset[str]:
    """The names of a module and, with a dot, those of its classes and of the attributes that are assigned in it."""
    tree = ast.parse(path.read_text())
    names = set(bound(tree.body))
    for node in tree.body:
        if isinstance(node, ast.ClassDef):
            names |= {f"{node.name}.{name}" for name in bound(node.body)}
            names |= {f"{node.name}.{name}" for name in assigned_to_self(node)}
    names |= {
        ast.unparse(node) for node in ast.walk(tree) if isinstance(node, ast.Attribute) and is_stored(node)
    }
    return frozenset(names)


def bound(body: list[ast.stmt]) -> Iterator[str]:
    for node in body:
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                yield name
            case ast.Assign(targets=targets):
                yield from (
                    part.id for one in targets for part in ast.walk(one) if isinstance(part, ast.Name)
                )
            case ast.AnnAssign(target=ast.Name(id=name)):
                yield name
            case _:
                pass


def assigned_to_self(node: ast.ClassDef) -> Iterator[str]:
    for part in ast.walk(node):
        if isinstance(part, ast.Attribute) and is_stored(part) and ast.unparse(part.value) == "self":
            yield part.attr


def is_stored(node: ast.Attribute) -> bool:
    return isinstance(node.ctx, ast.Store)


def resolves(name: str) -> bool:
    """Whether this is a module, or a name in a module whose path may be cut at the front, or one in any module."""
    if any(name in names_in(path) for path in MODULES):
        return True
    parts = name.split(".")
    for end in range(1, len(parts) + 1):
        module, rest = ".".join(parts[:end]), ".".join(parts[end:])
        for known, path in modules().items():
            if f".{known}".endswith(f".{module}") and (not rest or rest in names_in(path)):
                return True
    return False


@pytest.mark.parametrize("path", MODULES, ids=NAMES)
def test_every_dotted_name_in_a_docstring_or_comment_resolves(path: Path) -> None:
    names = {name for text in prose(path.read_text()) for name in mentioned_names(text)}
    assert {name for name in names if not resolves(name)} == set()


@pytest.mark.parametrize("path", MODULES, ids=NAMES)
def test_every_file_in_a_docstring_or_comment_is_there(path: Path) -> None:
    files = {file for text in prose(path.read_text()) for file in mentioned_files(text)}
    assert {file for file in files if not is_there(file)} == set()


def test_the_names_that_are_mentioned_are_found() -> None:
    """Otherwise the tests above would pass whatever the docstrings say."""
    texts = [text for path in MODULES for text in prose(path.read_text())]
    names = {name for text in texts for name in mentioned_names(text)}
    assert names >= {
        "core.serving.raw_socket.RawSocket",
        "websocket.hub.keepalive",
        "channel.MAX_BUFFERED_BYTES",
        "Database.lookup",
        "app.state.runtime",
    }


@pytest.mark.parametrize(
    "name",
    [
        "app.main",
        "core.serving",
        "core.serving.raw_socket",
        "raw_socket.RawSocket.direct_write",
        "Database.on_commit",
        "UnitOfWork.announcements",
        "app.state.runtime",
    ],
)
def test_existing_names_resolve(name: str) -> None:
    assert resolves(name)


@pytest.mark.parametrize(
    "name",
    [
        "core.rawsocket.RawSocket",
        "socket.RawSocket",
        "services.message_rows",
        "channel.MAX_BUFFERED",
        "Database.look",
        "app.state.parts",
    ],
)
def test_stale_names_do_not_resolve(name: str) -> None:
    assert not resolves(name)


def test_prose_is_docstrings_attribute_docstrings_and_comments() -> None:
    source = '"""A module."""\nX = "a value"  # a comment\n"""An attribute."""\n\ndef f():\n    """A function."""\n'
    assert set(prose(source)) == {"A module.", "# a comment", "An attribute.", "A function."}


def test_names_are_told_from_files_addresses_and_numbers() -> None:
    text = "See `core.clock`, core.text, `x.y` and `run.py`, not e.g. https://core.example or 0.5 or a.b."
    assert mentioned_names(text) == {"core.clock", "core.text", "x.y"}
    assert mentioned_files(text) == {"run.py"}
