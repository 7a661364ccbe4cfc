"""What the documents say of the tree is true of it."""

import re

from tests.docs.documents import DOCUMENTS
from tests.support.server import ROOT


def test_every_file_and_folder_that_is_named_is_there() -> None:
    named = {
        (document.name, path)
        for document in DOCUMENTS
        for path in re.findall(r"(?<![\w/.])[a-z]+(?:/[\w*]+)*/[\w*]+\.(?:py|js)\b", document.read_text())
    }
    assert {path for _, path in named} >= {"websocket/connection.py", "app/*/messages.py"}
    lost = {(document, path) for document, path in named if not (is_there(path) or is_there(f"app/{path}"))}
    assert not lost


def test_every_folder_of_the_application_is_explained() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text()
    folders = {file.parent.name for file in (ROOT / "app").glob("*/__init__.py")} | {"static"}
    assert folders == set(re.findall(r"^\| `app/(\w+)` \|", text, re.MULTILINE))


def is_there(path: str) -> bool:
    return any(ROOT.glob(path))
