"""What the documents say of the tree is true of it."""

import re
import tomllib

from app.core.config import Settings
from app.core.security.passwords import MAX_HASHERS
from app.core.serving.server import USER_TIMEOUT_MS
from app.runtime import ANSWER_SHARE, CLOSE_SHARE, DRAIN_SHARE
from app.websocket.hub.gap_repair import REPAIR_AFTER_SECONDS
from app.websocket.hub.reconcile import RECONCILE_SECONDS
from tests.docs.documents import DOCUMENTS
from tests.support.server import ROOT


def test_every_file_and_folder_that_is_named_is_there() -> None:
    named = {
        (document.name, path)
        for document in DOCUMENTS
        for path in re.findall(r"(?<![\w/.])[a-z]+(?:/[\w*]+)*/[\w*]+\.(?:py|js)\b", document.read_text())
    }
    assert {path for _, path in named} >= {"services/ledger/numbering.py", "app/*/messages.py"}
    lost = {(document, path) for document, path in named if not (is_there(path) or is_there(f"app/{path}"))}
    assert not lost


def test_every_folder_of_the_application_is_explained() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text()
    folders = {file.parent.name for file in (ROOT / "app").glob("*/__init__.py")} | {"static"}
    assert folders == set(re.findall(r"^\| `app/(\w+)` \|", text, re.MULTILINE))


def is_there(path: str) -> bool:
    return any(ROOT.glob(path))


def test_the_numbers_are_those_of_the_code() -> None:
    text = " ".join((ROOT / "docs" / "architecture.md").read_text().split())
    settings = Settings.model_fields
    seconds = settings["shutdown_seconds"].default
    assert f"waits {1000 * REPAIR_AFTER_SECONDS:.0f} ms for those before it" in text
    assert f"Every {RECONCILE_SECONDS:.0f} seconds the heads" in text
    assert f"Above {settings['max_send_buffer_bytes'].default >> 20} MiB it is closed" in text
    assert f"or {USER_TIMEOUT_MS / 1000:.0f} s of unacknowledged data" in text
    assert f"answered (up to {ANSWER_SHARE * seconds:.0f} s)" in text
    assert f"on disk ({DRAIN_SHARE * seconds:.1f} s more)" in text
    assert f"within {CLOSE_SHARE * seconds:.1f} s is dropped" in text
    assert f"Passwords have {['no', 'one', 'two'][MAX_HASHERS]} threads" in text


def test_the_layers_are_those_that_are_checked() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text()
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    layers = next(contract["layers"] for contract in contracts if contract["type"] == "layers")
    assert f"`{' → '.join(layers)}`" in text
